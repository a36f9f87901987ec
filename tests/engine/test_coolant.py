"""Coolant units and pumps: one pump lost takes nothing, two take the flow, spares stand in."""

import numpy as np
import pytest
from small import Bench, Load, load_tree, pod_tree

from simulator.components.failure_class import FailureClass
from simulator.engine import effects
from simulator.engine.populations import units

LOADS = (Load("job", "training", 0, synchronous=True),)
BLOCK = 0


def bench_with(folder, **coolant_unit):
    """Return the pod at work on coolant units of so much."""
    tree = pod_tree()
    tree["topology"]["cooling"]["coolant_unit"] = {"unit": "1.3 MW"} | coolant_unit
    bench = Bench(load_tree(tree, folder), LOADS)
    bench.work("job", np.arange(8), 0.7)
    return bench


def lose(bench, effect, unit, lasts_s, at_s=120.0):
    cls = FailureClass(name="break", per="coolant_unit", rate="1 /year", effect=effect, repair="1 h")
    bench.at(at_s, lambda: effects.EFFECTS[effect](bench.world, cls, BLOCK, unit, lasts_s))


def approach(bench):
    return float(bench.state.blocks.approach_k_w[BLOCK])


def test_one_pump_of_two_takes_nothing(tmp_path):
    bench = bench_with(tmp_path)
    whole = approach(bench)
    lose(bench, "pump", 0, 3600.0)
    bench.run(600.0)
    assert approach(bench) == whole
    assert bench.state.blocks.flow[BLOCK] == 1.0
    assert np.all(bench.state.racks.up_frac == 1.0)


def test_both_pumps_of_the_only_unit_take_the_flow_until_the_first_is_back(tmp_path):
    bench = bench_with(tmp_path)
    lose(bench, "pump", 0, 7200.0, at_s=600.0)
    lose(bench, "pump", 1, 1800.0, at_s=1200.0)
    bench.run(2000.0)
    assert np.all(bench.state.racks.up_frac[:4] == 0.0)
    assert np.all(bench.state.racks.up_frac[4:] == 1.0)
    bench.run(3060.0)  # 1200 + 1800 is the second one's return
    assert np.all(bench.state.racks.up_frac == 1.0)
    assert bench.state.blocks.flow[BLOCK] == 1.0
    assert bench.kinds().count("trip") == 1


def test_pumps_of_different_units_do_not_stand_in_for_each_other(tmp_path):
    bench = bench_with(tmp_path, unit="400 kW")
    each, count = 2, int(bench.site.block_coolant_units[BLOCK])
    assert count >= 2
    whole = approach(bench)
    lose(bench, "pump", 0, 3600.0)
    lose(bench, "pump", each, 3600.0)
    bench.run(600.0)
    assert approach(bench) == whole
    lose(bench, "pump", 1, 3600.0, at_s=700.0)
    bench.run(800.0)
    assert approach(bench) == pytest.approx(whole * count / (count - 1))


def test_a_lost_unit_leaves_the_others_a_larger_share_and_a_warmer_block(tmp_path):
    bench = bench_with(tmp_path, unit="400 kW")
    count, whole = int(bench.site.block_coolant_units[BLOCK]), approach(bench)
    bench.run(3600.0)
    before_c = float(bench.state.blocks.coolant_c[BLOCK])
    lose(bench, "flow", 0, 3600.0, at_s=3600.0)
    bench.run(5400.0)
    assert approach(bench) == pytest.approx(whole * count / (count - 1))
    assert bench.state.blocks.pump_w[BLOCK] == pytest.approx(
        bench.site.block_pump_w[BLOCK] * (count - 1) / count)
    rise_k = whole / (count - 1) * bench.state.blocks.liquid_w[BLOCK]
    assert bench.state.blocks.coolant_c[BLOCK] - before_c == pytest.approx(rise_k, abs=0.3)
    bench.run(7260.0)
    assert approach(bench) == whole
    assert bench.state.blocks.pump_w[BLOCK] == bench.site.block_pump_w[BLOCK]


def test_a_spare_unit_takes_the_place_of_the_lost_one(tmp_path):
    bench = bench_with(tmp_path, unit="400 kW", spare_units=1)
    whole = approach(bench)
    lose(bench, "flow", 0, 3600.0)
    bench.run(600.0)
    assert approach(bench) == whole
    lose(bench, "flow", 1, 3600.0, at_s=700.0)
    bench.run(800.0)
    assert approach(bench) > whole


def test_half_the_pumps_a_unit_needs_warm_its_share(tmp_path):
    """Four pumps, one spare: with two left a unit moves two thirds of its flow."""
    bench = bench_with(tmp_path, pumps=4, spare_pumps=1)
    spec = bench.site.topology.cooling.coolant_unit
    lose(bench, "pump", 0, 3600.0)
    lose(bench, "pump", 1, 3600.0)
    bench.run(600.0)
    assert approach(bench) == pytest.approx(spec.approach_k_per_w(spec.unit, 2.0 / 3.0))
    assert bench.state.blocks.pump_w[BLOCK] == pytest.approx(
        bench.site.block_pump_w[BLOCK] * (2.0 / 3.0) ** 3)


@pytest.mark.parametrize("unit", ["400 kW", "1.3 MW"])
def test_every_unit_and_pump_is_counted(unit, tmp_path):
    bench = bench_with(tmp_path, unit=unit, pumps=3, spare_units=1)
    built = bench.site.block_coolant_units
    assert np.sum(built) == sum(units(bench.site, "coolant_unit").counts)
    pumps = units(bench.site, "coolant_pump")
    assert sum(pumps.counts) == 3 * built.sum()
    numbers = [f + k for f, n in zip(pumps.first, pumps.counts, strict=True) for k in range(n)]
    assert len({*zip(np.repeat(pumps.targets, pumps.counts), numbers, strict=True)}) == 3 * built.sum()
