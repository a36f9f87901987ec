"""Generators that start for a lineup alone, or beside an import that is too small; what is dead loses nothing."""

import numpy as np
import pytest
from small import Bench, Load, load_tree, pod_tree

from simulator.components.failure_class import FailureClass
from simulator.engine import effects, lineup_sets
from simulator.engine.elements import elements
from simulator.engine.outage_log import of_one_stage
from simulator.kernels import columns as c
from simulator.metrics.balance import checks

JOB = (Load("job", "training", 0),)
SETS = {"rating": "1.3 MW", "start": "10 s", "fail_to_start": 0.0, "fail_running": "0 /h"}
LOST_S, OUT_S, START_S, RETRANSFER_S = 615.0, 3600.0, 10.0, 600.0


def bench_of(folder, generators=None, ups="3 min", lines_mva=40.0, block_mva=1.3, **changes):
    """Return a pod of two lineups at work, without a battery plant."""
    tree = pod_tree()
    topology, hall = tree["topology"], tree["topology"]["halls"][0]
    for source in ("battery", "generators"):
        topology.pop(source, None)
    with_ups = {"ups": {"loss": {"no_load": "1 %", "load": "2 %"}, "ride_through": ups}} if ups else {}
    hall |= {"blocks": 2, "feeders": {"count": 2, "rating": "30 MVA"}, "distribution": {"scheme": "N"} | with_ups}
    hall |= changes
    hall["block"]["rating"] = f"{block_mva:g} MVA"
    for bank in ("lines", "transformers"):
        topology["grid"][bank] |= {"count": 2, "rating": f"{lines_mva:g} MVA"}
    if generators is not None:
        topology["generators"] = SETS | generators
    bench = Bench(load_tree(tree, folder), JOB)
    bench.work("job", np.arange(bench.site.rack_row.size), 0.9)
    return bench


def lineups(**changes):
    return {"backs": "lineups", "retransfer": f"{RETRANSFER_S:g} s"} | changes


def break_(bench, name, per="substation", effect="feed", at_s=LOST_S, lasts_s=OUT_S):
    cls = FailureClass(name="break", per=per, rate="1 /year", effect=effect, repair="1 h")
    target, unit = elements(bench.site, cls)[name]
    bench.at(at_s, lambda: effects.inflict(
        bench.world, cls, target, unit, of_one_stage("repair", at_s + lasts_s)))


def told(bench, *kinds):
    return [(kind, t) for t, kind, *_ in bench.world.events if kind in kinds]


def test_sets_take_a_lineup_from_its_ups_and_keep_it_until_supply_was_back_for_a_while(tmp_path):
    """Their fuel is an affine curve over the time that they carry it; import is less by what the lineup draws."""
    bench = bench_of(tmp_path, lineups())
    node, generators = bench.site.lineups[0], bench.state.supply.generators
    break_(bench, "pod/l01/substation")
    bench.run(LOST_S + OUT_S + RETRANSFER_S + 1200.0)
    began_s, ended_s = LOST_S + START_S, LOST_S + OUT_S + RETRANSFER_S
    assert told(bench, "on_battery", "generators_started", "battery_rests", "retransfer", "dark") == [
        ("on_battery", LOST_S), ("generators_started", began_s), ("battery_rests", began_s), ("retransfer", ended_s)]
    assert np.all(bench.state.racks.up_frac == 1.0)
    onsite_w, poi_w = bench.minutes(c.ONSITE_W), bench.minutes(c.POI_W)
    assert onsite_w[:10].max() == 0.0 and onsite_w[int(ended_s // 60) + 1 :].max() == 0.0
    assert onsite_w[40] > 0.3 * poi_w[5]
    assert poi_w[40] + onsite_w[40] == pytest.approx(poi_w[5], rel=0.03)  # no transformer of the lineup loses anything
    made_kwh, ran_h = onsite_w.sum() * 60.0 / 3.6e6, (ended_s - began_s) / 3600.0
    assert onsite_w[10] == pytest.approx(onsite_w[12] * (660.0 - began_s) / 60.0, rel=0.01)
    assert generators.used_l[0] == pytest.approx(0.018 * 1300.0 * ran_h + 0.247 * made_kwh, rel=1e-9)
    assert generators.ran_j[0] == pytest.approx(1.3e6 * (ended_s - began_s))
    assert generators.running_w[0] == 0.0 and bench.state.tree.in_service[node] == 1.0
    assert abs(checks(bench.results())["energy_balance_rel"]) <= 1e-9


def test_without_a_ups_racks_are_dark_until_their_sets_carry_them(tmp_path):
    bench = bench_of(tmp_path, lineups(), ups=None)
    break_(bench, "pod/l01/substation")
    boot_s = bench.site.topology.ride_through.boot
    bench.run(LOST_S + START_S + boot_s + 300.0)
    assert told(bench, "dark", "racks_back") == [("dark", LOST_S), ("racks_back", LOST_S + START_S + boot_s)]
    assert np.all(bench.state.racks.up_frac == 1.0)
    assert abs(checks(bench.results())["energy_balance_rel"]) <= 1e-9


def test_sets_that_do_not_come_up_leave_the_lineup_to_its_batteries(tmp_path):
    bench = bench_of(tmp_path, lineups(fail_to_start=1.0))
    break_(bench, "pod/l01/substation")
    bench.run(LOST_S + 1800.0)
    assert [kind for kind, _ in told(bench, "generator_missing", "generators_started", "dark")] == [
        "generator_missing", "dark"]
    assert bench.minutes(c.ONSITE_W)[:40].max() == 0.0


def test_a_loss_of_import_leaves_a_lineup_on_its_own_sets(tmp_path):
    """It is not dark in the moment in which the other lineup's sets start, nor when the lines are back."""
    bench = bench_of(tmp_path, lineups(), ups="5 min")
    break_(bench, "pod/l01/substation")
    for line in ("lines/1", "lines/2"):
        break_(bench, line, "line", "line", at_s=1800.0, lasts_s=900.0)
    bench.run(LOST_S + OUT_S + RETRANSFER_S + 1200.0)
    assert told(bench, "dark") == [] and np.all(bench.state.racks.up_frac == 1.0)
    assert [t for _, t in told(bench, "retransfer")] == [LOST_S + OUT_S + RETRANSFER_S]
    assert bench.state.supply.generators.running_w[0] == 0.0
    assert abs(checks(bench.results())["energy_balance_rel"]) <= 1e-9


@pytest.mark.parametrize("starts", ["lost", "short"])
def test_a_plant_may_give_what_one_line_does_not(tmp_path, starts):
    """With one of two lines it carries the rest of the load, and nothing is capped; or it stands, and loads are."""
    bench = bench_of(tmp_path, {"count": 4, "starts": starts}, lines_mva=2.0)
    break_(bench, "lines/1", "line", "line")
    bench.run(LOST_S + OUT_S + 1200.0)
    poi_w, onsite_w, it_w = (bench.minutes(column) for column in (c.POI_W, c.ONSITE_W, c.IT_W))
    limit_w = bench.world.site.topology.grid.available_w(1, 2)
    assert poi_w[5] > 1.1 * limit_w and poi_w[15:60].max() <= limit_w * (1.0 + 1e-4)
    if starts == "short":
        assert onsite_w[15:60].min() == pytest.approx(poi_w[5] - limit_w, rel=0.05)
        assert it_w[15:60].min() == pytest.approx(it_w[5], rel=0.01)
        assert [kind for kind, _ in told(bench, "generators_started", "generators_stopped")] == [
            "generators_started", "generators_stopped"]
        assert onsite_w[int((LOST_S + OUT_S) // 60) + 1 :].max() == 0.0
    else:
        assert onsite_w.max() == 0.0 and it_w[15:60].max() < 0.95 * it_w[5]
    assert abs(checks(bench.results())["energy_balance_rel"]) <= 1e-9


def test_a_campus_in_the_dark_draws_and_loses_nothing(tmp_path):
    """Once the UPS are empty; main transformers are dead as soon as the lines are."""
    bench = bench_of(tmp_path, ups="1 min")
    for line in ("lines/1", "lines/2"):
        break_(bench, line, "line", "line", lasts_s=7200.0)
    bench.run(LOST_S + 6000.0)
    assert not bench.state.tree.live.any()
    for column in (c.POI_W, c.LOSSES_W, c.ONSITE_W):
        assert bench.minutes(column)[100] == 0.0
    bench.run(LOST_S + 9000.0)
    assert bench.state.tree.live.all()
    assert abs(checks(bench.results())["energy_balance_rel"]) <= 1e-9


def test_a_transformer_behind_a_dead_feeder_loses_nothing(tmp_path):
    bench = bench_of(tmp_path, ups=None)
    node = bench.site.lineups[0]
    for number in (1, 2):
        break_(bench, f"pod/feeders/{number}", "feeder", "feeder")
    bench.run(1200.0)
    tree = bench.state.tree
    assert tree.in_service[node] == 1.0 and tree.live[node] == 0
    assert tree.input_w[node] == tree.output_w[node] == 0.0


def test_a_set_that_fails_while_it_runs_leaves_the_lineup_to_what_is_left_in_its_ups(tmp_path):
    bench = bench_of(tmp_path, lineups(fail_running="30 /h"))
    break_(bench, "pod/l01/substation", lasts_s=7200.0)
    bench.run(LOST_S + 7000.0)
    kinds = [kind for kind, _ in told(bench, "on_battery", "generators_started", "generator_failed", "dark")]
    assert kinds == ["on_battery", "generators_started", "generator_failed", "on_battery", "dark"]
    (_, began_s), (_, failed_s) = told(bench, "generators_started", "generator_failed")
    generators = bench.state.supply.generators
    assert generators.ran_j[0] == pytest.approx(1.3e6 * (failed_s - began_s)) and generators.running_w[0] == 0.0
    assert abs(checks(bench.results())["energy_balance_rel"]) <= 1e-9


def test_a_lineup_that_could_be_fed_waits_on_its_sets_for_what_is_imported(tmp_path):
    """Its substation is repaired while all lines are out: no utility is stable then."""
    bench = bench_of(tmp_path, lineups(), ups="5 min")
    break_(bench, "pod/l01/substation")
    back_s = LOST_S + OUT_S + RETRANSFER_S + 2400.0
    for line in ("lines/1", "lines/2"):
        break_(bench, line, "line", "line", at_s=1800.0, lasts_s=back_s - 1800.0)
    bench.run(back_s - 60.0)
    assert bench.state.supply.generators.running_w[0] == pytest.approx(1.3e6 * bench.site.topology.generators.sets)
    bench.run(back_s + RETRANSFER_S + 1200.0)
    assert told(bench, "dark") == [] and told(bench, "retransfer") == [("retransfer", back_s + RETRANSFER_S)]
    assert bench.state.supply.generators.running_w[0] == 0.0
    assert abs(checks(bench.results())["energy_balance_rel"]) <= 1e-9


def test_sets_that_start_for_a_lineup_are_none_of_the_bus(tmp_path):
    """Import is lost before they carry it: they run once, not for their lineup and for the others."""
    bench = bench_of(tmp_path, lineups(rating="330 kW", synchronise="120 s"), ups="10 min")
    plant = bench.site.topology.generators
    break_(bench, "pod/l01/substation")
    for line in ("lines/1", "lines/2"):
        break_(bench, line, "line", "line", at_s=LOST_S + 2.0, lasts_s=1200.0)
    bench.run(LOST_S + 600.0)
    assert lineup_sets.running(bench.world).isdisjoint(bench.world.on_bus)
    assert bench.state.supply.generators.running_w[0] == pytest.approx(plant.sets * plant.rating)
    assert told(bench, "generator_missing", "dark") == []


def test_batteries_of_racks_give_a_lineup_to_its_sets_within_a_minute(tmp_path):
    """Nothing comes through the substation that is out, in the minute in which sets take over either."""
    backup = {"power": "200 kW", "recharge": "20 kW", "hold_up": "180 s"}
    bench = bench_of(tmp_path, lineups(start="30 s"), ups=None, battery_backup=backup)
    break_(bench, "pod/l01/substation", at_s=LOST_S - 30.0)
    bench.run(1200.0)
    poi_w = bench.minutes(c.POI_W)
    assert told(bench, "dark") == [] and [t for _, t in told(bench, "generators_started")] == [LOST_S]
    assert poi_w[10] == pytest.approx(poi_w[15], rel=0.01)
    assert abs(checks(bench.results())["energy_balance_rel"]) <= 1e-9


def test_racks_that_found_another_feed_do_not_start_anew_when_sets_carry_the_first(tmp_path):
    """A slow switch cost them their work once; back it changes without a break, as after a repair."""
    bench = bench_of(tmp_path, lineups(start="1 min"), ups=None, block_mva=2.6,
                     distribution={"scheme": "2N", "transfer": "ats"})  # fmt: skip
    break_(bench, "pod/l01/substation")
    bench.run(LOST_S + OUT_S + RETRANSFER_S + 1200.0)
    begun_s = LOST_S + 0.3 + bench.site.topology.ride_through.boot
    assert told(bench, "transfer", "generators_started", "racks_back", "retransfer") == [
        ("transfer", LOST_S), ("generators_started", LOST_S + 60.0), ("racks_back", begun_s),
        ("retransfer", LOST_S + OUT_S + RETRANSFER_S)]
    assert abs(checks(bench.results())["energy_balance_rel"]) <= 1e-9


def test_fuel_that_is_burnt_leaves_a_lineup_to_what_is_left_in_its_ups(tmp_path):
    """It draws nothing through its open breaker once its UPS is empty."""
    bench = bench_of(tmp_path, lineups(tank="1 h", tank_start="10 %"))
    break_(bench, "pod/l01/substation", lasts_s=4.0 * 3600.0)
    bench.run(3.0 * 3600.0)
    kinds = [kind for kind, _ in told(bench, "on_battery", "generators_started", "fuel_out", "dark")]
    assert kinds == ["on_battery", "generators_started", "fuel_out", "on_battery", "dark"]
    assert bench.minutes(c.ONSITE_W)[175] == 0.0 and bench.state.supply.generators.running_w[0] == 0.0
    assert bench.minutes(c.POI_W)[175] < 0.7 * bench.minutes(c.POI_W)[5]
    assert abs(checks(bench.results())["energy_balance_rel"]) <= 1e-9
