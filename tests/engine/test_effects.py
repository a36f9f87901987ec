"""What failures take out of service, and that repair brings it back."""

import numpy as np
import pytest
from small import Bench, Load, load_tree, pod, pod_tree

from simulator.components.failure_class import FailureClass
from simulator.engine import coolant, effects
from simulator.kernels import columns as c

LOADS = (Load("job", "training", 0, synchronous=True), Load("fill", "batch", 0))


def a_class(effect, per="rack"):
    return FailureClass(name="break", per=per, rate="1 /year", effect=effect, repair="1 h")


def struck(effect, target, at_s=90.0, lasts_s=600.0, unit=0, given=None, loads=LOADS):
    """Return a bench with two loads at work on which something fails at a time, and its alarms."""
    bench, alarms = Bench(given or pod(), loads), []
    job = bench.work("job", np.arange(4), 0.7)
    bench.work("fill", np.arange(4, 7), 0.7)
    bench.world.alarms[job] = lambda alarm: alarms.append((bench.env.now, alarm.cause))
    strike = effects.EFFECTS[effect]
    bench.at(at_s, lambda: strike(bench.world, a_class(effect), target, unit, lasts_s))
    return bench, alarms


@pytest.mark.parametrize(("effect", "target", "out"), [
    ("interrupt", 1, 0.0), ("server", 1, 1.0 / 18.0), ("rack", 1, 1.0), ("block", 0, 4.0)])
def test_what_fails_is_out_until_repaired(effect, target, out):
    bench, alarms = struck(effect, target)
    bench.run(200.0)
    assert alarms == [(90.0, "break")]
    assert (1.0 - bench.state.racks.up_frac).sum() == pytest.approx(out)
    assert bench.state.loads.count[1] == pytest.approx(72.0 * out)
    bench.run(900.0)
    assert np.all(bench.state.racks.up_frac == 1.0)
    down_s = bench.state.loads.hours[:, c.DOWN].sum()
    assert down_s == pytest.approx(72.0 * out * 600.0)


def test_repairs_that_overlap_wait_for_the_last():
    bench, _ = struck("rack", 1, at_s=90.0, lasts_s=600.0)
    bench.at(300.0, lambda: effects.EFFECTS["block"](bench.world, a_class("block"), 0, 0, 600.0))
    bench.run(800.0)
    assert np.all(bench.state.racks.up_frac[:4] == 0.0)
    bench.run(960.0)
    assert np.all(bench.state.racks.up_frac == 1.0)


def test_more_servers_than_a_rack_has_cannot_fail():
    bench, _ = struck("server", 1)
    for k in range(25):
        bench.at(91.0 + k, lambda: effects.EFFECTS["server"](bench.world, a_class("server"), 1, 0, 60.0))
    bench.run(120.0)
    assert bench.state.racks.up_frac[1] == 0.0
    bench.run(900.0)
    assert bench.state.racks.up_frac[1] == 1.0


def test_without_coolant_a_block_trips_when_its_chips_reach_the_limit():
    bench, alarms = struck("flow", 0, at_s=1200.0, lasts_s=3600.0)
    bench.run(1200.0)
    chip, state = bench.site.chips[0], bench.state
    rack = int(np.argmax(state.racks.junction_c[:4]))
    now, hottest_c = coolant.chip_now(bench.world, rack, 1.0), float(state.racks.junction_c[rack])
    trip_s = now.seconds_dry(hottest_c, chip.shutdown, float(state.blocks.coolant_c[0]))
    at_full_s = (chip.shutdown - hottest_c) * chip.heat_capacity / now.power_w(1.0)
    assert 5.0 < at_full_s < trip_s < 60.0  # it slows on the way
    bench.run(1500.0)
    trips = [event for event in bench.world.events if event[1] == "trip"]
    assert [t for t, *_ in trips] == [pytest.approx(1200.0 + trip_s)]
    assert alarms[0] == (pytest.approx(1200.0 + trip_s), "break")
    assert np.all(state.racks.up_frac[:4] == 0.0)
    assert np.all(state.racks.up_frac[4:] == 1.0)
    bench.run(6000.0)
    assert np.all(state.racks.up_frac == 1.0)
    assert np.all(state.racks.junction_c < chip.throttle_start)


@pytest.mark.parametrize("second", [0.0, 20.0, 59.0])
def test_chips_heat_from_the_moment_the_coolant_stops(second):
    bench, _ = struck("flow", 0, at_s=1200.0 + second, lasts_s=3600.0)
    bench.run(1200.0 + second)
    before_c = float(bench.state.racks.junction_c[:4].max())
    bench.run(1500.0)
    chip = bench.site.chips[0]
    hottest_c = bench.state.racks.junction_c[:4].max()
    assert hottest_c == pytest.approx(chip.shutdown, abs=0.03 * (chip.shutdown - before_c))


def test_a_short_loss_of_flow_is_ridden_through():
    bench, alarms = struck("flow", 0, at_s=1202.0, lasts_s=5.0)
    bench.run(1500.0)
    assert alarms == []
    assert np.all(bench.state.racks.up_frac == 1.0)


def one_cooler(folder):
    tree = pod_tree()
    tree["topology"]["cooling"]["warm"] |= {"unit": "1.2 MW", "spare_units": 0}
    tree["topology"]["cooling"]["coolant_unit"]["unit"] = "1.4 MW"
    return load_tree(tree, folder)


def test_a_lost_cooler_warms_the_loop_at_heat_over_capacity_and_returns(tmp_path):
    bench, _ = struck("plant_unit", 0, at_s=3600.0, lasts_s=240.0, given=one_cooler(tmp_path))
    bench.run(3660.0)
    loops, loop = bench.state.loops, bench.site.loops[0]
    before_c, before_j = float(loops.supply_c[0]), float(loops.received_j[0])
    assert loops.units_up[0] == 0.0
    bench.run(3840.0)
    rise_k = (float(loops.received_j[0]) - before_j) / (loop.flow_w_k * loop.tank_s)
    assert loops.supply_c[0] - before_c == pytest.approx(rise_k)
    assert rise_k > 1.0
    bench.run(9000.0)
    assert loops.units_up[0] == 1.0
    assert loops.supply_c[0] == pytest.approx(before_c, abs=2.0)


def test_a_plant_without_cooling_throttles_then_trips_its_chips(tmp_path):
    bench, _ = struck("plant_unit", 0, at_s=3600.0, lasts_s=7200.0, given=one_cooler(tmp_path))
    bench.run(7200.0)
    assert "trip" in bench.kinds()
    assert bench.minutes(c.THROTTLED).max() > 0.0
    first_trip_s = next(e[0] for e in bench.world.events if e[1] == "trip")
    throttled = np.flatnonzero(bench.minutes(c.THROTTLED) > 0.0)
    assert throttled[0] * 60.0 < first_trip_s
    assert bench.state.racks.up_frac.min() == 0.0
    bench.run(16 * 3600.0)
    assert np.all(bench.state.racks.up_frac == 1.0)
    assert bench.minutes(c.THROTTLED)[-1] == 0.0


def test_a_heat_wave_throttles_before_it_trips(tmp_path):
    """Speeds of throttled chips are the fixed point: hot but below the shutdown point."""
    tree = pod_tree()
    tree["topology"]["cooling"]["supply"] = "54 degC"
    bench = Bench(load_tree(tree, tmp_path), LOADS)
    bench.work("fill", np.arange(8), 1.0)
    bench.run(7200.0)
    chip = bench.site.chips[0]
    assert "trip" not in bench.kinds()
    assert chip.throttle_start < bench.minutes(c.JUNCTION_MAX_C)[-1] < chip.shutdown
    lost = bench.minutes(c.THROTTLED)[-1]
    assert 0.0 < lost < 0.5 * bench.site.accelerators
    hours = bench.state.loads.hours[bench.state.load("fill")]
    assert hours[c.THROTTLE] == pytest.approx(bench.minutes(c.THROTTLED).sum() * 60.0)
