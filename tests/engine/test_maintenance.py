"""Planned work: everything has its turn, announced; upgrades roll through in waves."""

import numpy as np
import pandas as pd
import pytest
from small import Bench, Load, load_tree, pod, pod_site, pod_tree

from simulator.components.operations import Maintenance, Operations, Upgrade
from simulator.engine import downtime, maintenance, outage
from simulator.kernels import columns as c
from simulator.metrics.balance import checks
from simulator.simulation import simulate

HOUR = 3600.0
SITE = pod_site()


def plan(on="rack", every="8 h", lasts="30 min", **more):
    given = {"name": "service", "on": on, "every": every, "lasts": lasts}
    return Maintenance.model_validate(given | more)


def practice(**more):
    given = {"practice": "hyperscale", "drain": "10 min"} | more
    return Operations.model_validate(given)


def running(hours=9.0, **more):
    """Return a bench with a job on half of the pod, what it was told, and planned work under way."""
    bench, alarms = Bench(pod(), (Load("job", "training", 0, synchronous=True),)), []
    job = bench.work("job", np.arange(4), 0.7)
    bench.world.alarms[job] = alarms.append
    maintenance.schedule(bench.world, practice(**more))
    bench.run(hours * HOUR)
    return bench, alarms


def events(bench, kind):
    return [(at / HOUR, element) for at, k, element, *_ in bench.world.events if k == kind]


def test_every_rack_has_its_turn_evenly_spread():
    bench, alarms = running(maintenance=[plan(every="8 h").model_dump(mode="json")])
    told = events(bench, "maintenance")
    racks = SITE.rack_row.size
    assert [at for at, _ in told[:racks]] == pytest.approx([8.0 / racks * k for k in range(racks)])
    assert len({element for _, element in told[:racks]}) == racks
    assert told[racks][1] == told[0][1]
    assert [alarm.planned for alarm in alarms] == [True] * len(alarms)
    assert len(alarms) == 5  # four racks of the job, the first of them twice


def test_work_on_a_rack_takes_it_out_for_the_drain_and_the_work():
    bench, _ = running(hours=0.9, maintenance=[plan(every="8 h").model_dump(mode="json")])
    table = downtime.table(bench.site, bench.world.outages, 0.9 * HOUR)
    hours = table.set_index("stage")["accelerator_hours"]
    chips = SITE.rack_accelerators[0]
    assert hours["drain"] == pytest.approx(chips / 6)
    assert hours["maintenance"] == pytest.approx(chips / 2)
    assert bench.state.loads.hours[:, c.DOWN].sum() / HOUR == pytest.approx(chips * 2 / 3)


def test_several_at_once_and_later_first():
    given = plan(at_once=3, first="2 h").model_dump(mode="json")
    bench, _ = running(hours=2.1, maintenance=[given])
    assert [at for at, _ in events(bench, "maintenance")] == [2.0] * 3
    assert (bench.state.racks.up_frac == 0.0).sum() == 3


def test_a_bank_that_is_not_whole_is_left_alone():
    given = plan("liquid_plant_unit", every="2 h").model_dump(mode="json")
    bench = Bench(pod())
    bench.state.loops.units_up[0] -= 1.0
    maintenance.schedule(bench.world, practice(maintenance=[given]))
    back = lambda: bench.state.loops.units_up.__setitem__(0, SITE.loops[0].units)  # noqa: E731
    bench.at(2.5 * HOUR, back)
    bench.run(3.2 * HOUR)
    assert [at for at, _ in events(bench, "maintenance")][:1] == [3.0]


@pytest.mark.parametrize(("on", "group"), [
    ("feeder", lambda t, u: ("feeder", t)), ("ups_module", lambda t, u: ("ups", t)),
    ("coolant_unit", lambda t, u: ("coolant unit", t, 0)), ("generator", lambda t, u: ("generator", 0))])
def test_units_that_stand_in_for_one_that_is_out_stay(on, group):
    (target, unit), *_ = (pair for pairs in maintenance.turns(SITE, plan(on)) for pair in pairs)
    bench = Bench(pod())
    outage.lose(bench.world, group(target, unit), 1.5 * HOUR)
    given = plan(on, every="1000 h", lasts="20 min").model_dump(mode="json")
    maintenance.schedule(bench.world, practice(maintenance=[given]))
    bench.run(2.5 * HOUR)
    assert [at for at, _ in events(bench, "maintenance")] == [2.0]


@pytest.mark.parametrize("on", sorted(maintenance.EFFECT_OF))
def test_whatever_can_be_serviced_goes_and_comes_back(on):
    given = plan(on, every="1000 h", lasts="20 min").model_dump(mode="json")
    bench = Bench(pod())
    maintenance.schedule(bench.world, practice(drain="0 s", maintenance=[given]))
    bench.run(0.2 * HOUR)
    out = not intact(bench)
    assert out == bool(maintenance.turns(SITE, plan(on)))
    bench.run(0.3 * HOUR)
    served = {element for _, element in events(bench, "maintenance")}
    assert len(served) == bool(maintenance.turns(SITE, plan(on)))
    bench.at(0.7 * HOUR, lambda: None)  # a clock without events does not run on
    bench.run(0.8 * HOUR)
    assert intact(bench)


def intact(bench):
    state, live = bench.state, bench.world.network.live
    whole = [loop.units for loop in bench.site.loops]
    switches = all(np.array_equal(f.own, np.ones_like(f.own) * f.own.max()) for f in live) or not live
    return bool(
        np.all(state.racks.up_frac == 1.0) and np.array_equal(state.loops.units_up, whole)
        and np.all(state.tree.in_service == 1.0) and switches
        and not any(outage.absent(bench.world, group) for group in bench.world.absent)
    )  # fmt: skip


def test_servers_have_their_turn_one_by_one():
    order = maintenance.turns(SITE, plan("server"))
    assert len(order) == SITE.rack_servers.sum()
    assert len({group[0] for group in order}) == len(order)


def upgrade(**more):
    given = {"name": "firmware", "at": "1 h", "wave": 3, "lasts": "30 min", "soak": "1 h"}
    return given | more


def test_an_upgrade_rolls_through_in_waves_with_time_to_soak():
    bench, alarms = running(upgrades=[upgrade()])
    waves = [at for at, _ in events(bench, "upgrade")]
    assert waves == pytest.approx([1.0 + k * (40 / 60 + 1.0) for k in range(3)])
    table = downtime.table(bench.site, bench.world.outages, 9 * HOUR)
    upgraded = table[table["stage"] == "upgrade"]["accelerator_hours"].sum()
    assert upgraded == pytest.approx(0.5 * SITE.accelerators)
    assert np.all(bench.state.racks.up_frac == 1.0)
    assert [a.planned for a in alarms] == [True, True]


def test_waves_of_servers_cross_racks():
    spec = Upgrade.model_validate(upgrade(on="server", wave=20))
    found = maintenance.waves(SITE, spec)
    servers = sum(count.sum() for _, count in found)
    assert servers == SITE.rack_servers.sum()
    assert [count.sum() for _, count in found[:-1]] == [20.0] * (len(found) - 1)
    racks, count = found[0]
    assert racks.tolist() == [0, 1] and count.tolist() == [18.0, 2.0]
    bench, alarms = running(upgrades=[upgrade(on="server", wave=20)])
    table = downtime.table(bench.site, bench.world.outages, 9 * HOUR)
    down_h = bench.state.loads.hours[:, c.DOWN].sum() / HOUR
    assert table["accelerator_hours"].sum() == pytest.approx(down_h, rel=1e-12)
    assert alarms and all(a.planned for a in alarms)


def test_upgrades_of_other_halls_leave_these_alone():
    assert maintenance.waves(SITE, Upgrade.model_validate(upgrade(halls=["elsewhere"]))) == []


def test_a_run_with_all_of_it_closes(tmp_path):
    tree = pod_tree() | {"reliability": {"rate_scale": 30}}
    tree["operations"] = {
        "practice": "hyperscale",
        "maintenance": [{"name": f"m-{on}", "on": on, "every": "12 h", "lasts": "20 min"}
                        for on in ("rack", "block", "liquid_plant_unit", "line")],
        "upgrades": [upgrade(), upgrade(name="bios", on="server", at="9 h", wave=30)],
    }  # fmt: skip
    results, again = (simulate(load_tree(tree, tmp_path)) for _ in range(2))
    pd.testing.assert_frame_equal(results.events, again.events)
    for name in ("downtime", "repairs", "crews", "spares", "hours"):
        pd.testing.assert_frame_equal(results.tables[name], again.tables[name])
    kinds = set(results.events["kind"].astype(str))
    assert {"maintenance", "upgrade", "failure"} <= kinds
    for name, value in checks(results).items():
        assert abs(value) <= 1e-9, name
