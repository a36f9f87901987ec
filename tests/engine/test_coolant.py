"""Coolant units and pumps: one pump lost takes nothing, two take the flow, spares stand in."""

import numpy as np
import pytest
from small import Bench, Load, load_tree, pod_tree

from simulator.components.failure_class import FailureClass
from simulator.engine import coolant, effects
from simulator.engine.populations import units
from simulator.metrics import balance
from simulator.simulation import build

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


def test_a_pump_is_spared_while_another_drives_its_unit(tmp_path):
    bench = bench_with(tmp_path)
    bench.run(60.0)
    columns = [column.copy() for column in (bench.state.blocks.approach_k_w, bench.state.blocks.pump_w)]
    assert coolant.spares_pump(bench.world, BLOCK, 0) and coolant.spares_pump(bench.world, BLOCK, 1)
    lose(bench, "pump", 0, 3600.0)
    bench.run(300.0)
    assert not coolant.spares_pump(bench.world, BLOCK, 1)
    assert coolant.spares_pump(bench.world, BLOCK + 1, 1)
    bench.run(7200.0)
    assert coolant.spares_pump(bench.world, BLOCK, 1)
    for before, column in zip(columns, (bench.state.blocks.approach_k_w, bench.state.blocks.pump_w), strict=True):
        np.testing.assert_array_equal(before, column)


def test_both_pumps_of_the_only_unit_take_the_flow_until_the_first_is_back(tmp_path):
    bench = bench_with(tmp_path)
    lose(bench, "pump", 0, 7200.0, at_s=600.0)
    lose(bench, "pump", 1, 1800.0, at_s=1200.0)
    bench.run(2000.0)
    assert np.all(bench.state.racks.up_frac[:4] == 0.0)
    assert np.all(bench.state.racks.up_frac[4:] == 1.0)
    bench.run(3060.0)  # 1200 + 1800 is the second one's return
    assert np.all(bench.state.racks.up_frac[:4] == 0.0)
    bench.run(3060.0 + bench.site.topology.ride_through.boot)
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


def test_chips_feel_the_flow_that_their_pumps_lost(tmp_path):
    """At two thirds of the flow the film's share of the resistance grows, and the junctions with it."""
    bench = bench_with(tmp_path, pumps=4, spare_pumps=1)
    bench.run(1800.0)
    before_c, other_c = (float(bench.state.racks.junction_c[r].max()) for r in (slice(0, 4), slice(4, 8)))
    lose(bench, "pump", 0, 3600.0, at_s=1800.0)
    lose(bench, "pump", 1, 3600.0, at_s=1800.0)
    bench.run(3600.0)
    frac = float(bench.state.blocks.resistance_frac[BLOCK])
    assert frac == pytest.approx(0.47 + 0.4 * (2.0 / 3.0) ** -0.7 + 0.13 * 1.5)
    rise_k = before_c - bench.state.blocks.coolant_c[1]
    warmed_k = float(bench.state.racks.junction_c[:4].max()) - before_c
    assert warmed_k == pytest.approx((frac - 1.0) * rise_k, rel=0.25)
    assert float(bench.state.racks.junction_c[4:].max()) == pytest.approx(other_c, abs=0.5)
    bench.run(5520.0)
    assert bench.state.blocks.resistance_frac[BLOCK] == 1.0


def test_pumps_that_follow_the_load_slow_down_and_close_the_balance(tmp_path):
    constant = bench_with(tmp_path)
    slowed = bench_with(tmp_path, flow="by_load", least_flow="30 %")
    for bench in (constant, slowed):
        bench.run(1800.0)
    share = slowed.state.blocks.liquid_w[BLOCK] / slowed.site.block_liquid_w[BLOCK]
    ratio = slowed.state.blocks.pump_w[BLOCK] / constant.state.blocks.pump_w[BLOCK]
    assert 0.6 < share < 0.9 and ratio == pytest.approx(share**3, rel=0.05)
    assert slowed.state.racks.junction_c.max() > constant.state.racks.junction_c.max()
    assert balance.checks(slowed.results())["heat_balance_rel"] <= 1e-9


SERVERS = {"racks_per_block": 20, "rack": "HGX-H100-8-IMMERSION"}


@pytest.mark.parametrize("kind", ["single_phase_immersion", "two_phase_immersion"])
def test_a_tank_without_pumps_warms_for_minutes_and_keeps_its_chips(kind, tmp_path):
    tree = pod_tree()
    tree["topology"]["cooling"]["coolant_unit"] = {"kind": kind, "unit": "200 kW"}
    tree["topology"]["halls"][0] |= SERVERS
    tree["workloads"] = []
    bench = Bench(load_tree(tree, tmp_path), LOADS)
    bench.work("job", np.arange(40), 0.3)
    bench.run(1800.0)
    rest_c = float(bench.state.blocks.coolant_c[BLOCK])
    lose(bench, "flow", 0, 300.0, at_s=1800.0)
    bench.run(2100.0)
    warmed_k = float(bench.state.blocks.coolant_c[BLOCK]) - rest_c
    heat_j = 300.0 * float(bench.state.blocks.liquid_w[BLOCK])
    bath = bench.site.topology.cooling.coolant_unit.bath(bench.site.block_liquid_w[BLOCK])
    assert warmed_k == pytest.approx(max(heat_j - bath.latent_j, 0.0) / bath.mass_j_k, rel=0.02)
    assert np.all(bench.state.racks.up_frac == 1.0)
    bench.run(5400.0)
    assert float(bench.state.blocks.coolant_c[BLOCK]) == pytest.approx(rest_c, abs=0.1)
    found = bench.results()
    assert balance.checks(found)["heat_balance_rel"] <= 1e-9
    assert balance.checks(found)["energy_balance_rel"] <= 1e-9
    assert sum(found.tables["heat"]["loop"].str.endswith("/tanks")) == 2


@pytest.mark.parametrize("unit", ["400 kW", "1.3 MW"])
def test_every_unit_and_pump_is_counted(unit, tmp_path):
    bench = bench_with(tmp_path, unit=unit, pumps=3, spare_units=1)
    built = bench.site.block_coolant_units
    assert np.sum(built) == sum(units(bench.site, "coolant_unit").counts)
    pumps = units(bench.site, "coolant_pump")
    assert sum(pumps.counts) == 3 * built.sum()
    numbers = [f + k for f, n in zip(pumps.first, pumps.counts, strict=True) for k in range(n)]
    assert len({*zip(np.repeat(pumps.targets, pumps.counts), numbers, strict=True)}) == 3 * built.sum()


def in_tanks(folder):
    """Return the pod's racks in tanks of oil, at full work and near their limits, without disturbances."""
    tree = pod_tree()
    tree["topology"].pop("generators", None)
    tree["topology"]["cooling"] |= {
        "supply": "35 degC", "coolant_unit": {"kind": "single_phase_immersion", "unit": "500 kW"}}
    tree["period"]["duration"] = "1 h"
    tree["workloads"] = [{"kind": "batch", "name": "batch", "backlog": "1e5 h", "power": "100 %"}]
    return build(load_tree(tree, folder), disturbed=False)


@pytest.mark.parametrize("at_s", [605.0, 655.0])
def test_chips_in_a_tank_whose_pumps_stop_slow_on_the_way_to_their_limit(at_s, tmp_path):
    """Buoyancy alone takes half of what pumps do: at full clock chips would pass 100 degC within the minute."""
    run = in_tanks(tmp_path)
    world, blocks = run.world, run.world.state.blocks
    cls = FailureClass(name="break", per="coolant_pump", rate="1 /year", effect="pump", repair="1 h")
    pumps = int(world.site.block_coolant_units[BLOCK]) * world.site.topology.cooling.coolant_unit.pumps
    for unit in range(pumps):
        world.env.timeout(at_s).callbacks.append(
            lambda _, u=unit: coolant.lose_pump(world, cls, BLOCK, u, 3600.0))
    run.advance(600.0)
    worked_w, chip = float(blocks.it_w[BLOCK]), world.site.chips[0]
    hottest_c = []
    for minute in range(11, 16):
        run.advance(60.0 * minute)
        hottest_c.append(float(blocks.hottest_c[BLOCK]))
    assert blocks.resistance_frac[BLOCK] > 1.4
    assert chip.throttle_start < max(hottest_c) < chip.throttle_full
    assert max(hottest_c) - min(hottest_c) < 0.5
    assert 0.5 * worked_w < blocks.it_w[BLOCK] < 0.8 * worked_w
    assert not any(kind == "trip" for _, kind, *_ in world.events)
