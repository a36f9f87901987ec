"""The shop against closed forms: Erlang C, Poisson stock, returns; shifts; sums; draws."""

import heapq
import math
from datetime import UTC, datetime

import numpy as np
import pytest
from small import Bench, Load, pod

from simulator.components.failure_class import FailureClass
from simulator.components.operations import Operations
from simulator.engine import hazards, shop, shop_tables
from simulator.engine.outage_log import STAGES
from simulator.engine.repair import AllIn, Practice, Shop, as_practised, false_alarms
from simulator.kernels import queueing
from simulator.kernels import repair as kernel

HOUR, DAY = 3600.0, 86_400.0
MONDAY = datetime(2027, 1, 4, tzinfo=UTC)
AT_ONCE = {
    "monitoring": {"crash": "0 s", "hang_share": 0.0, "network": "0 s", "plant": "0 s"},
    "diagnosis": {"automated": "0 s", "plant": "0 s", "over_eviction": 0.0},
    "burn_in": "0 s",
}
"""Everything but crews and parts takes no time."""


def a_class(name="gpu", **changes):
    given = {
        "name": name, "per": "accelerator", "rate": "1 /year", "effect": "server", "repair": "96 h",
        "hands_on": "4 h", "repair_spread": 1.0,
    }
    return FailureClass(**given | changes)


def a_shop(classes, start=MONDAY, end_s=3e9, **written):
    """Return a shop whose practice is the catalog's but for what is written."""
    bench = Bench(pod())
    bench.world.end_s = end_s
    operations = Operations.model_validate({"practice": "hyperscale"} | written)
    fleet = hazards.build(bench.site, classes, 0.0)
    return Shop(bench.world, Practice(operations, classes, start), classes, fleet.hazards)


def normal_of(service_s, cls):
    """Return the normal draw that makes a repair take exactly so long."""
    return math.log(service_s / cls.hands_on) / cls.repair_spread


# Crews


@pytest.mark.parametrize(("number", "load"), [(1, 0.6), (3, 0.8), (8, 0.85)])
def test_crews_are_an_m_m_c_queue(number, load):
    cls, draws, n = a_class(), np.random.default_rng(number), 60_000
    mine = a_shop((cls,), crews=[{"name": "it", "number": number}], **AT_ONCE)
    rate_s = load * number / cls.hands_on
    at_s = np.cumsum(draws.exponential(1.0 / rate_s, n))
    service_s = draws.exponential(cls.hands_on, n)
    waits_s = np.empty(n)
    for i in range(n):
        repair = mine.plan(cls, float(at_s[i]), False, normal_of(service_s[i], cls), (1, 2, i))
        waits_s[i] = repair.until_s[kernel.CREW] - at_s[i]
        assert repair.back_s - repair.until_s[kernel.CREW] == pytest.approx(service_s[i], abs=1e-5)
    assert waits_s == pytest.approx(first_come_first_served(number, at_s, service_s), abs=1e-3)
    expected_s = queueing.mean_wait_s(number, rate_s, cls.hands_on)
    mean_s, error_s = of_batches(waits_s)
    assert error_s < 0.12 * expected_s  # or the next line shows nothing
    assert abs(mean_s - expected_s) < 3.5 * error_s
    mean, error = of_batches((waits_s > 1e-3).astype(float))
    assert abs(mean - queueing.erlang_c(number, load * number)) < 3.5 * error < 0.06


def first_come_first_served(number, at_s, service_s):
    """Return the waits of a queue, customer by customer."""
    free_s, waits_s = [0.0] * number, []
    for at, service in zip(at_s, service_s, strict=True):
        start_s = max(heapq.heappop(free_s), at)
        heapq.heappush(free_s, start_s + service)
        waits_s.append(start_s - at)
    return waits_s


def of_batches(values, batches=30):
    """Return the mean of a correlated series, and its standard error from means of batches."""
    means = values.reshape(batches, -1).mean(axis=1)
    return means.mean(), means.std(ddof=1) / math.sqrt(batches)


def test_crews_on_duty_by_day_work_in_shift_time():
    """On duty 12 h of 24, the queue in shift time is that of twice the arrivals round the clock."""
    cls, draws, n = a_class(), np.random.default_rng(5), 40_000
    group = {"name": "it", "number": 2, "hours": "07:00-19:00"}
    mine = a_shop((cls,), crews=[group], **AT_ONCE)
    rate_s = 0.7 * 2 / cls.hands_on / 2.0
    at_s = np.cumsum(draws.exponential(1.0 / rate_s, n))
    ready, begun = np.empty(n), np.empty(n)
    for i, service_s in enumerate(draws.exponential(cls.hands_on, n)):
        repair = mine.plan(cls, float(at_s[i]), False, normal_of(service_s, cls), (1, 2, i))
        crew_s = repair.until_s[kernel.CREW]
        ready[i], begun[i] = (kernel.worked_s(mine.columns, 0, t) for t in (at_s[i], crew_s))
        assert 7.0 <= crew_s / HOUR % 24.0 < 19.0
        assert 7.0 < repair.back_s / HOUR % 24.0 <= 19.0 + 1e-6
    # Failures of the night are all ready when the shift begins, so waits are longer than M/M/c's.
    least_s = queueing.mean_wait_s(2, 2.0 * rate_s, cls.hands_on)
    assert least_s < (begun - ready).mean() < 3.0 * least_s
    table = shop_tables.crews(mine.columns, mine.operations, float(at_s[-1])).iloc[0]
    assert table["on_duty_frac"] == pytest.approx(0.5)
    assert table["busy_h"] / table["on_duty_h"] == pytest.approx(0.7, rel=0.03)


def test_a_failure_on_friday_night_waits_for_monday():
    cls = a_class(repair_spread=0.0)
    group = {"name": "it", "number": 1, "hours": "07:00-19:00", "days": "weekdays"}
    mine = a_shop((cls,), crews=[group], **AT_ONCE)
    friday = 4 * DAY + 17 * HOUR
    first, second = (mine.plan(cls, friday, False, 0.0, (1, 2, k)) for k in (0, 1))
    assert first.until_s[kernel.CREW] == friday
    assert first.back_s == pytest.approx(7 * DAY + 9 * HOUR)  # 2 h on Friday, 2 h on Monday
    assert second.until_s[kernel.CREW] == pytest.approx(7 * DAY + 9 * HOUR)


def test_shifts_keep_the_clock_of_the_campus():
    cls = a_class(repair_spread=0.0)
    group = {"name": "it", "number": 1, "hours": "07:00-19:00"}
    noon = datetime(2027, 1, 6, 12, 30, tzinfo=UTC)  # a Wednesday
    mine = a_shop((cls,), start=noon, crews=[group], **AT_ONCE)
    evening = mine.plan(cls, 8 * HOUR, False, 0.0, (1, 2, 0))  # at 20:30
    assert evening.until_s[kernel.CREW] == pytest.approx(18.5 * HOUR)


def test_of_several_groups_the_one_that_is_done_first_goes():
    cls = a_class(repair_spread=0.0)
    groups = [
        {"name": "it", "number": 1, "hours": "07:00-19:00"},
        {"name": "night", "trade": "it", "number": 1, "hours": "19:00-07:00"},
    ]
    mine = a_shop((cls,), crews=groups, **AT_ONCE)
    at_night = mine.plan(cls, 20 * HOUR, False, 0.0, (1, 2, 0))
    assert at_night.back_s == pytest.approx(24 * HOUR)
    by_day = mine.plan(cls, 36 * HOUR, False, 0.0, (1, 2, 1))
    assert by_day.back_s == pytest.approx(40 * HOUR)
    assert mine.columns.jobs.tolist()[:1] == [1]


def test_trades_do_not_stand_in_for_each_other():
    server, pump = a_class(repair_spread=0.0), a_class("pump", crew="mechanical", repair_spread=0.0)
    mine = a_shop((server, pump), crews=[{"name": "it", "number": 1}], **AT_ONCE)
    mine.plan(server, 0.0, False, 0.0, (1, 2, 0))
    assert mine.plan(pump, 0.0, False, 0.0, (2, 2, 0)).back_s == pytest.approx(4 * HOUR)
    assert mine.plan(server, 0.0, False, 0.0, (1, 2, 1)).back_s == pytest.approx(8 * HOUR)


# Parts


MANY = [{"name": "it", "number": 3000}]


def waits_for_parts(stock, demand, n=45_000, no_fault_found=0.0, turnaround="10 d", on_hand=None):
    """Return the waits of Poisson demands, a mean of `demand` of them in a lead time."""
    cls, draws = a_class(part="compute_tray", repair_spread=0.0), np.random.default_rng(stock)
    spare = {"name": "compute_tray", "stock": stock, "lead_time": "20 d"}
    spare |= {} if on_hand is None else {"on_hand": on_hand}
    returns = {"no_fault_found": no_fault_found, "turnaround": turnaround}
    mine = a_shop((cls,), crews=MANY, spares=[spare], returns=returns, **AT_ONCE)
    at_s = np.cumsum(draws.exponential(20 * DAY / demand, n))
    waits_s = np.array([
        mine.plan(cls, float(at), False, 0.0, (1, 2, i)).until_s[kernel.PART] - at
        for i, at in enumerate(at_s)
    ])
    return waits_s, mine


@pytest.mark.parametrize(("stock", "demand"), [(0, 2.0), (1, 0.5), (5, 4.0), (30, 25.0)])
def test_a_base_stock_fills_as_poisson_says(stock, demand):
    waits_s, mine = waits_for_parts(stock, demand)
    filled = queueing.fill_rate(stock, demand)
    mean, error = of_batches((waits_s <= 0.0).astype(float))
    assert abs(mean - filled) <= 3.5 * error < 0.05
    short, error = of_batches(waits_s * demand / (20 * DAY))  # Little: backorders are rate x wait
    assert abs(short - queueing.backorders(stock, demand)) <= 3.5 * error + 1e-9
    table = shop_tables.spares(mine.columns, mine.operations).set_index("part").loc["compute_tray"]
    assert table["stockouts"] == (waits_s > 0.0).sum()
    assert table["demands"] == waits_s.size


def test_parts_without_a_fault_come_back_and_shorten_what_is_on_order():
    """By Palm's theorem only the mean time to the next part counts."""
    stock, demand, share = 12, 14.0, 0.4
    waits_s, mine = waits_for_parts(stock, demand, no_fault_found=share, turnaround="5 d")
    on_order = demand * (share * 5 + (1 - share) * 20) / 20
    mean, error = of_batches((waits_s <= 0.0).astype(float))
    assert abs(mean - queueing.fill_rate(stock, on_order)) < 3.5 * error < 0.06
    table = shop_tables.spares(mine.columns, mine.operations).set_index("part").loc["compute_tray"]
    assert table["returned"] + table["ordered"] == table["demands"] == waits_s.size
    assert table["returned"] == pytest.approx(share * waits_s.size, rel=0.05)


def test_what_is_on_order_at_the_start_comes_after_the_lead_time():
    cls = a_class(part="compute_tray", repair_spread=0.0)
    spare = {"name": "compute_tray", "stock": 3, "on_hand": 1, "lead_time": "20 d"}
    returns = {"no_fault_found": 0.0}
    mine = a_shop((cls,), crews=MANY, spares=[spare], returns=returns, **AT_ONCE)
    parts_s = [mine.plan(cls, DAY, False, 0.0, (1, 2, k)).until_s[kernel.PART] for k in range(4)]
    assert parts_s == [DAY, 20 * DAY, 20 * DAY, 21 * DAY]


# Stages


def test_every_stage_has_its_time():
    cls = a_class(part="compute_tray", repair_spread=0.0)
    mine = a_shop((cls,), monitoring={"crash": "30 s", "hang_share": 0.0},
                  diagnosis={"automated": "10 min"}, burn_in="12 h")  # fmt: skip
    repair = mine.plan(cls, 100.0, False, 0.0)
    assert [STAGES[s] for s in repair.stages] == [
        "unnoticed", "diagnosis", "waiting_part", "waiting_crew", "repair", "burn_in"]
    assert repair.until_s == pytest.approx((130, 730, 730, 730, 730 + 4 * HOUR, 730 + 16 * HOUR))
    assert (repair.unnoticed_s, repair.diagnosis_s) == pytest.approx((30.0, 600.0))
    assert not repair.transient and not repair.planned


def test_a_restart_takes_nobody_and_no_part():
    cls = a_class(part="compute_tray", transient=0.5, reset="30 min")
    mine = a_shop((cls,), crews=[{"name": "it", "number": 1}], **AT_ONCE)
    repair = mine.plan(cls, 50.0, True, 3.0, (1, 2, 0))
    assert [STAGES[s] for s in repair.stages] == ["unnoticed", "reset"]
    assert repair.back_s == pytest.approx(50.0 + 1800.0)
    assert mine.columns.jobs[0] == 0 and mine.columns.demands.sum() == 0


def test_a_hang_is_noticed_when_its_peers_time_out():
    cls = a_class()
    mine = a_shop((cls,), monitoring={"hang": "7 min", "hang_share": 0.3, "crash": "5 s"})
    seen_s = [mine.plan(cls, 0.0, True, 0.0, (1, 2, k)).unnoticed_s for k in range(4000)]
    hung = np.array([s == 420.0 for s in seen_s])
    assert hung.mean() == pytest.approx(0.3, abs=0.02)
    quick = np.log(np.array(seen_s)[~hung] / 5.0)
    assert quick.mean() == pytest.approx(0.0, abs=0.03)
    assert quick.std() == pytest.approx(mine.operations.monitoring.spread, rel=0.05)


@pytest.mark.parametrize(("crew", "noticed_s", "told_s"), [
    ("it", 2.0, 60.0), ("network", 3.0, 60.0), ("mechanical", 4.0, 0.0), ("electrical", 4.0, 0.0)])
def test_what_is_watched_how_decides_when_it_is_noticed(crew, noticed_s, told_s):
    cls = a_class(crew=crew)
    mine = a_shop((cls,), diagnosis={"automated": "60 s", "plant": "10 min"},
                  monitoring={"crash": "2 s", "network": "3 s", "plant": "4 s"})  # fmt: skip
    repair = mine.plan(cls, 0.0, False, 0.0)
    assert repair.unnoticed_s == pytest.approx(noticed_s)
    assert repair.diagnosis_s == pytest.approx(told_s)  # a job does not wait for whoever looks at a pump


def test_a_class_that_names_its_own_detection_keeps_it():
    cls = a_class(detection="6 h", detection_spread=0.0)
    mine = a_shop((cls,), monitoring={"hang_share": 1.0})
    assert mine.plan(cls, 0.0, False, 0.0, (1, 2, 0)).unnoticed_s == 6 * HOUR


def test_false_alarms_need_nobody():
    mine = a_shop((a_class(),), monitoring={"test": "2 h", "false_alarms": "0.2 /year"})
    alarm = false_alarms(mine.operations)
    with_it = a_shop((a_class(), alarm), monitoring={"test": "2 h"})
    repair = with_it.plan(alarm, 10.0, False, 1.5, (1, 2, 0))
    assert repair.back_s == pytest.approx(10.0 + 7200.0)
    assert repair.diagnosis_s == 0.0
    assert with_it.columns.jobs.sum() == 0
    assert alarm.rate == pytest.approx(0.2 / (365.25 * DAY))


def test_where_racks_are_the_least_that_is_isolated_a_server_takes_its_rack():
    server, line = a_class(), a_class("line", per="line", effect="line")
    for least, effects in (("server", ["server", "line"]), ("rack", ["rack", "line"])):
        written = {"practice": "hyperscale", "diagnosis": {"isolates": least}}
        found = as_practised(Operations.model_validate(written), (server, line))
        assert [cls.effect for cls in found[:2]] == effects
        assert found[2].name == shop.FALSE_ALARM and found[2].effect == "server"


def test_neighbours_leave_with_a_suspect_of_the_same_job_and_nobody_is_told_twice():
    bench, told = Bench(pod(), (Load("job", "training", 0), Load("fill", "batch", 0))), []
    job = bench.work("job", np.arange(3), 0.7)
    bench.work("fill", np.arange(3, 8), 0.7)
    bench.world.alarms[job] = told.append
    written = {"practice": "hyperscale", "diagnosis": {"over_eviction": 1.0, "neighbours": 2},
               "monitoring": {"test": "30 min"}}  # fmt: skip
    cls = a_class()
    fleet = hazards.build(bench.site, (cls,), 0.0)
    practice = Practice(Operations.model_validate(written), (cls,), MONDAY)
    mine = Shop(bench.world, practice, (cls,), fleet.hazards)
    assert mine.evicts(cls, (1, 2, 3)) and not mine.evicts(a_class(effect="block"), (1, 2, 3))
    bench.at(600.0, lambda: mine.evict_neighbours(2, cls))
    bench.at(700.0, lambda: mine.evict_neighbours(5, cls))  # nobody is to be told of this one
    bench.run(900.0)
    assert (bench.state.racks.up_frac == 0.0).tolist() == [True, True] + [False] * 6
    assert told == [] and bench.world.outages.reach == ["neighbour"]
    bench.run(3000.0)
    assert np.all(bench.state.racks.up_frac == 1.0)


def test_the_same_failure_has_the_same_luck_whatever_is_planned():
    cls = a_class(part="compute_tray")
    few = a_shop((cls,), crews=[{"name": "it", "number": 1}])
    many = a_shop((cls,), crews=[{"name": "it", "number": 50}])
    for k in range(30):
        one, other = (s.plan(cls, 100.0 * k, False, 0.3, (7, 8, k)) for s in (few, many))
        assert one.until_s[:2] == other.until_s[:2]
        assert one.back_s >= other.back_s


def test_sums_are_those_of_the_repairs():
    cls = a_class(part="compute_tray")
    mine = a_shop((cls,), crews=[{"name": "it", "number": 2}])
    plans = [mine.plan(cls, 3600.0 * k, k % 3 == 0, 0.1, (7, 8, k)) for k in range(60)]
    row = shop_tables.repairs(mine.columns, (cls,)).iloc[0]
    assert (row["repairs"], row["resets"]) == (40, 20)
    repairs = np.array([p.until_s for p in plans if not p.transient])
    stages_h = np.diff(repairs, axis=1).mean(axis=0) / HOUR
    columns = ["diagnosis_h", "waiting_part_h", "waiting_crew_h", "work_h", "burn_in_h"]
    assert row[columns].to_list() == pytest.approx(stages_h.tolist())
    assert row["unnoticed_h"] == pytest.approx(np.mean([p.unnoticed_s for p in plans]) / HOUR)


# Sizes


def test_crews_and_stocks_are_sized_for_the_demand_of_the_fleet():
    cls = a_class(part="compute_tray", rate="10 /year", transient=0.5)
    mine = a_shop((cls,), crews=[{"name": "it", "wait": "30 min"}],
                  spares=[{"name": "compute_tray", "fill_rate": 0.9, "lead_time": "20 d"}])  # fmt: skip
    bench = Bench(pod())
    rate_s = bench.site.accelerators * 5.0 / (365.25 * DAY)
    work_s = 4 * HOUR * math.exp(0.5)
    assert mine.columns.crews[0] == queueing.servers_for_wait(rate_s, work_s, 1800.0)
    part = [s.name for s in mine.operations.spares].index("compute_tray")
    days = 0.8 * 20 + 0.2 * 14  # a fifth is sound and back after two weeks
    assert mine.columns.stock[part] == queueing.stock_for_fill_rate(rate_s * days * DAY, 0.9)


def test_a_replicate_that_drew_other_rates_has_the_crews_that_were_planned():
    cls = a_class(part="compute_tray", rate="10 /year")
    drawn = cls.model_copy(update={"rate": 3.0 * cls.rate})
    bench = Bench(pod())
    fleet = hazards.build(bench.site, (drawn,), 0.0)
    rates_s = shop.permanent_rates_s((drawn,), (cls,), fleet.hazards)
    assert rates_s[0] == pytest.approx(bench.site.accelerators * cls.rate)


def test_groups_of_a_trade_share_its_work_by_their_hours():
    cls = a_class(rate="40 /year", repair_spread=0.0)
    by_day = {"name": "it", "wait": "30 min", "hours": "06:00-18:00"}
    night = {"name": "night", "trade": "it", "wait": "30 min", "hours": "18:00-06:00"}
    always = a_shop((cls,), crews=[{"name": "it", "wait": "30 min"}])
    both = a_shop((cls,), crews=[by_day, night])
    assert both.columns.crews[0] == always.columns.crews[0]
    assert both.columns.crews[4] == always.columns.crews[0]
    assert shop.open_frac(both.operations.crews[4]) == pytest.approx(0.5)


def test_without_operations_the_class_tells_all_of_it():
    cls = a_class(transient=0.5, reset="20 min")
    repair = AllIn().plan(cls, 60.0, False, 1.0)
    assert repair.back_s == pytest.approx(60.0 + 96 * HOUR * math.e)
    assert [STAGES[s] for s in repair.stages] == ["repair"]
    assert AllIn().plan(cls, 60.0, True, 1.0).back_s == 60.0 + 1200.0
    assert not AllIn().evicts(cls, (1, 2, 3))
