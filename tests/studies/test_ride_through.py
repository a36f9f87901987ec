"""Load lost in sags and the way back, on loads made by hand and on the pod."""

import math

import numpy as np
import pytest
from small import pod

from simulator.components.power import sag as physics
from simulator.components.power.bbu import BatteryBackup
from simulator.components.power.ride_through import RideThrough
from simulator.components.power.ups import Ups
from simulator.studies import cold_restart, ride_through
from simulator.studies.ride_through import Load

TOPOLOGY = pod().spec.topology
COUNTER = {"count": 3, "within": "60 s", "manual": "2 h"}


def ups(**given):
    return Ups.model_validate({"loss": {}, "ride_through": "5 min", "walk_in": "10 s"} | given)


def racks(power_w=50e6, **given):
    return Load("a", "racks", "job", "training", power_w, 0.25, 1000.0, **given)


def supported(power_w=30e6, **given):
    return Load("a", "support", "", "support", power_w, ups=ups(**given))


MACHINES = Load("a", "machines", "", "cooling", 20e6)


def found(loads, *sag):
    return ride_through.study(loads, physics.sags(*sag), TOPOLOGY)


def test_what_is_lost_and_when_it_is_back():
    tables = found([racks(), supported(), MACHINES], 0.4, 0.1)
    assert list(tables.loads["outcome"]) == ["restarts", "walks in", "restarts"]
    # Two seconds on: the racks' supplies start, the UPS is a fifth of its way, the machines wait.
    assert list(tables.loads["lost_w"]) == pytest.approx([50e6, 24e6, 20e6])
    assert list(tables.loads["whole_s"]) == pytest.approx([1080.0, 10.0, 180.0])
    assert list(tables.loads["back_s"])[1] == pytest.approx(9.0)
    assert tables.loads["accelerators_stopped"].sum() == 1000.0


def test_the_course_is_the_sum_of_its_loads_and_their_energy():
    loads = [racks(), supported(), MACHINES]
    tables = found(loads, 0.4, 0.1, 3, 5.0)
    course = tables.course
    assert course["total"].iloc[0] == pytest.approx(100e6)
    np.testing.assert_allclose(course[["training", "support", "cooling"]].sum(axis=1), course["total"])
    missing_j = np.trapezoid(100e6 - course["total"], course["time_s"])
    assert missing_j == pytest.approx(tables.loads["not_drawn_j"].sum())


def test_no_sag_worth_the_name_loses_nothing():
    tables = found([racks(), supported(), MACHINES], 0.95, 3.0, 6, 14.0)
    assert tables.loads["lost_w"].sum() == 0.0 and set(tables.loads["outcome"]) == {"stays"}
    assert set(tables.rules["verdict"]) == {"kept"}


def verdict(tables, rule):
    return tables.rules.set_index("rule").loc[rule]


def test_a_slow_walk_in_breaks_the_rule_and_a_fast_one_keeps_it():
    slow = found([supported()], 0.4, 0.1)
    assert verdict(slow, "ERCOT-NOGRR282")["verdict"] == "broken"
    assert verdict(slow, "ERCOT-NOGRR282")["share_back"] == pytest.approx(0.2)
    fast = found([supported(walk_in="2 s")], 0.4, 0.1)
    assert verdict(fast, "ERCOT-NOGRR282")["verdict"] == "kept"
    assert verdict(fast, "EirGrid-MPID345")["verdict"] == "broken"  # half a second is shorter


def test_a_sag_outside_the_curve_is_not_asked():
    assert verdict(found([racks()], 0.1, 0.2), "ERCOT-NOGRR282")["verdict"] == "not asked"
    assert verdict(found([racks()], 0.1, 0.14), "ERCOT-NOGRR282")["verdict"] == "broken"


def test_counting_sags_is_broken_even_where_nothing_is_lost():
    told = verdict(found([supported(sag_counter=COUNTER)], 0.95, 0.1), "ERCOT-NOGRR282")
    assert told["verdict"] == "broken" and "forbidden" in told["reason"]


def test_six_faults_in_82_seconds_take_what_counts_and_spare_what_does_not():
    """The loss in Virginia on 10 July 2024: UPS that count three sags a minute leave, and come back
    by hand; those that do not count walk in."""
    loads = [supported(900e6, sag_counter=COUNTER), supported(600e6, walk_in="1 s")]
    backed = TOPOLOGY.model_copy(update={
        "generators": TOPOLOGY.generators.model_copy(update={"count": 1000, "rating": 2.5e6})
    })  # fmt: skip
    tables = ride_through.study(loads, physics.sags(0.4, 0.06, 6, 82.0 / 5), backed)
    assert tables.loads["lost_w"].sum() == pytest.approx(900e6)
    assert list(tables.loads["outcome"]) == ["manual return", "walks in"]
    assert tables.loads["served"].all()
    assert tables.loads["back_s"].max() > 7000.0


def test_rack_batteries_keep_accelerators_but_not_the_draw():
    unit = BatteryBackup.model_validate({"power": "140 kW", "hold_up": "90 s", "recharge": "5 kW"})
    tables = found([racks(backup=unit, rack_w=120e3)], 0.2, 0.2)
    assert tables.loads["accelerators_stopped"].sum() == 0.0
    assert tables.loads["lost_w"].sum() == pytest.approx(50e6 * (1.0 - 2.0 / 5.0))


def test_the_map_grows_with_depth_and_duration():
    table = ride_through.sensitivity([racks(), supported(), MACHINES], TOPOLOGY)
    lost = table.pivot(index="voltage", columns="duration_s", values="lost_w").to_numpy()
    assert np.all(np.diff(lost, axis=1) >= -1e-6) and np.all(np.diff(lost, axis=0) <= 1e-6)
    assert lost[-1].max() == 0.0 and lost[0, -1] == pytest.approx(94e6)


# Cold restart

TOLD = RideThrough.model_validate({"boot": "5 min", "restart": "5 min", "supplies_start": "0 s"})
RAMP_W_S = 20e6 / 60.0


def test_without_racks_the_restart_takes_power_over_ramp():
    done = cold_restart.study([MACHINES, supported()], RAMP_W_S, TOLD)
    assert done.whole_s == pytest.approx(50e6 / RAMP_W_S)
    assert done.not_drawn_j == pytest.approx(50e6 * done.whole_s / 2.0)
    assert list(done.loads["kind"]) == ["support", "machines"]
    assert list(done.loads["back_s"]) == pytest.approx([90.0, 150.0])


def test_racks_come_in_two_parts_with_their_boot_between():
    done = cold_restart.study([racks()], RAMP_W_S, TOLD)
    idle_s = 0.25 * 50e6 / RAMP_W_S
    assert done.loads["on_s"].iloc[0] == pytest.approx(idle_s)
    assert done.whole_s == pytest.approx(idle_s + 600.0 + 0.75 * 50e6 / RAMP_W_S)
    assert done.accelerator_s == pytest.approx(1000.0 * done.whole_s)


def test_higher_priority_is_back_first_and_no_ramp_is_wasted():
    low = Load("b", "racks", "batch", "batch", 900e6, 0.25, priority=1)
    high = Load("a", "racks", "chat", "inference", 400e6, 0.25, priority=9)
    done = cold_restart.study([low, high], RAMP_W_S, TOLD)
    back = done.loads.set_index("work")["back_s"]
    assert back["chat"] < back["batch"]
    assert done.whole_s == pytest.approx(1300e6 / RAMP_W_S)  # something is always ready
    steps = done.course.diff().iloc[1:]
    slope = steps["power_w"] / steps["time_s"].replace(0.0, math.nan)
    assert slope.max() <= RAMP_W_S * (1 + 1e-9)


def test_racks_that_draw_less_as_they_boot_take_the_rest_of_their_idle_power_after_it():
    told = TOLD.model_copy(update={"boot_draw": 0.4})
    done = cold_restart.study([racks()], RAMP_W_S, told)
    assert done.loads["on_s"].iloc[0] == pytest.approx(0.1 * 50e6 / RAMP_W_S)
    assert done.whole_s == pytest.approx(600.0 + 50e6 / RAMP_W_S)


@pytest.mark.parametrize("boot_draw", [0.4, 1.0, 1.2])
def test_racks_that_a_sag_took_come_back_within_a_ramp(boot_draw):
    """The highest priority first, no faster than that, and at once where no ramp is told."""
    told = TOPOLOGY.model_copy(update={
        "ride_through": TOPOLOGY.ride_through.model_copy(update={"boot_draw": boot_draw})})  # fmt: skip
    low = Load("b", "racks", "batch", "batch", 900e6, 0.25, priority=1)
    high = Load("a", "racks", "job", "training", 400e6, 0.25, priority=9, restart_s=60.0)
    row = physics.sags(0.4, 0.2)
    tables = {ramp: ride_through.study([low, high], row, told, ramp) for ramp in (None, RAMP_W_S)}
    steps = {ramp: found.course.diff().iloc[1:] for ramp, found in tables.items()}
    rises = steps[None].loc[steps[None]["time_s"] == 0.0, "total"]
    assert rises.max() == pytest.approx(0.75 * 900e6)  # the work of batch, at once
    up = steps[RAMP_W_S][steps[RAMP_W_S]["time_s"] >= 0.0].query("total > 1.0")
    assert (up["total"] / up["time_s"].clip(lower=1e-9)).max() <= RAMP_W_S * (1.0 + 1e-6)
    whole_s = tables[RAMP_W_S].loads.set_index("work")["whole_s"]
    boot_s = told.ride_through.boot
    boots_s = boot_draw * 0.25 * 1300e6 / RAMP_W_S
    assert whole_s["job"] < whole_s["batch"]
    assert whole_s["batch"] >= max(1300e6 / RAMP_W_S, boots_s + boot_s)
    assert tables[None].loads["whole_s"].max() == pytest.approx(1080.0)


def test_a_campus_that_may_not_ramp_is_refused():
    with pytest.raises(ValueError, match="never"):
        cold_restart.study([racks()], 0.0, TOLD)


# Loads of a run


def test_the_loads_of_a_run_are_its_import():
    loads = ride_through.settled(pod(), 1800.0)
    assert {x.kind for x in loads} == {"racks", "support", "pumps", "machines", "house"}
    from simulator import simulation
    from simulator.kernels import columns as c

    run = simulation.build(pod(), disturbed=False)
    run.advance(1800.0)
    last = run.records.site[run.physics.step - 1]
    assert sum(x.power_w for x in loads) == pytest.approx(last[c.POI_W] - last[c.BATTERY_W], rel=1e-12)
    assert all(0.0 < x.idle_share <= 1.0 for x in loads)
