"""Plants, pumps and fan walls with their power: what stops, what warms meanwhile, how they return."""

import numpy as np
import pytest
from small import Bench, Load, load_tree, pod_tree

from simulator.components.failure_class import FailureClass
from simulator.engine import effects, heat_limits
from simulator.kernels import columns as c
from simulator.metrics import balance

LOADS = (Load("job", "training", 0, synchronous=True),)
AT_S = 1200.0


def pod_at_work(folder, duration="1 h", topology=None, **cooling):
    tree = pod_tree()
    tree["topology"]["cooling"] |= cooling
    tree["topology"] |= topology or {}
    tree["period"]["duration"] = duration
    bench = Bench(load_tree(tree, folder), LOADS)
    bench.work("job", np.arange(8), 0.8)
    return bench


def lose(bench, effect, target, unit=0, lasts_s=600.0, at_s=AT_S, **more):
    cls = FailureClass(name="break", per="block", rate="1 /year", effect=effect, repair="1 h", **more)
    bench.at(at_s, lambda: effects.EFFECTS[effect](bench.world, cls, target, unit, lasts_s))


def lose_substations(bench, lasts_s, at_s=AT_S):
    node = int(bench.site.halls.plant_node[0])
    for unit in range(bench.site.nodes[node].count):
        lose(bench, "mechanical", node, unit, lasts_s, at_s)


def closes(bench):
    return max(balance.checks(bench.results()).values()) <= 1e-9


def test_without_power_plants_reject_nothing_and_the_tank_warms_exactly(tmp_path):
    """From the middle of a step on, the loop takes up all heat and gives none off."""
    bench = pod_at_work(tmp_path)
    lose_substations(bench, 240.0, at_s=AT_S + 15.0)
    bench.run(AT_S)
    loops, loop = bench.state.loops, bench.site.loops[0]
    before_c = float(loops.supply_c[0])
    bench.run(AT_S + 60.0)
    rejected_j = float(loops.rejected_j[0])
    bench.run(AT_S + 240.0)
    assert loops.rejected_j[0] == rejected_j
    assert np.all(loops.units_up == 0.0)
    received_w = bench.state.plant_w[0, 2]
    rise_k = received_w * 225.0 / (loop.flow_w_k * loop.tank_s)
    assert loops.supply_c[0] - before_c == pytest.approx(rise_k, rel=0.02)
    assert bench.minutes(c.COOLING_W)[-1] == pytest.approx(bench.state.plant_w[0, 1])
    bench.run(3600.0)
    assert loops.supply_c[0] == pytest.approx(before_c, abs=0.2)
    assert closes(bench)


def test_machines_start_one_after_another_once_power_is_back(tmp_path):
    bench = pod_at_work(tmp_path)
    units = bench.state.loops.units_up.copy()
    lose(bench, "sag", 0, lasts_s=0.2)
    told = bench.site.topology.ride_through
    bench.run(AT_S + told.machines_restart)
    assert np.all(bench.state.loops.units_up == 0.0)
    bench.run(AT_S + told.machines_restart + 0.5 * told.machines_ramp)
    assert 0.0 < bench.state.loops.units_up[0] < units[0]
    assert bench.state.loops.units_up[1] == 0.0  # chillers have a restart time of their own
    assert 0.0 < bench.state.heat.fans[1] < 1.0  # fans have not
    bench.run(AT_S + 0.2 + told.machines_restart + told.machines_ramp)
    assert bench.state.loops.units_up[0] == units[0] and bench.state.heat.fans[1] == 1.0
    bench.run(AT_S + 600.0)
    np.testing.assert_array_equal(bench.state.loops.units_up, units)
    assert bench.kinds().count("plants_back") == 2
    assert closes(bench)


@pytest.mark.parametrize("stands", [(0.0, 50.0), (5.0, 40.0), (20.0, 25.0)])
def test_a_row_whose_water_flows_again_within_the_minute_has_given_back_what_it_did_in_seconds(stands, tmp_path):
    """Q t / C after it stood for t, and less by e^(-s / tau) after s of flow: no more waits in the next minute."""
    bench = pod_at_work(tmp_path)
    block, (after_s, lasts_s) = 0, stands
    for pump in range(3):
        lose(bench, "loop_pump", 0, pump, lasts_s, at_s=AT_S + after_s)
    bench.run(AT_S)
    blocks, heat = bench.state.blocks, bench.state.heat
    gains_k = (blocks.liquid_w[block] + blocks.pump_w[block]) * lasts_s / heat.row_j_k[block]
    tau_s, before_c = heat.row_j_k[block] * blocks.approach_k_w[block], float(blocks.coolant_c[block])
    bench.run(AT_S + 60.0)
    left_k = gains_k * np.exp(-(60.0 - after_s - lasts_s) / tau_s)
    assert heat.row_j[block] / heat.row_j_k[block] == pytest.approx(left_k, rel=0.15)
    assert blocks.coolant_c[block] - before_c == pytest.approx(left_k, abs=1.0)  # the loop's water is warmer as well
    bench.run(AT_S + 600.0)
    assert closes(bench)


def test_chips_that_switched_themselves_off_stay_off_though_water_flows_again_in_that_minute(tmp_path):
    tripped = pod_at_work(tmp_path)
    for pump in range(3):
        lose(tripped, "loop_pump", 0, pump, 1800.0)
    tripped.run(AT_S + 600.0)
    trip_s = min(at_s for at_s, kind, *_ in tripped.world.events if kind == "trip") - AT_S
    bench = pod_at_work(tmp_path)
    for pump in range(3):
        lose(bench, "loop_pump", 0, pump, trip_s + 2.0)
    bench.run(AT_S + 600.0)
    again_s = min((at_s for at_s, kind, *_ in bench.world.events if kind == "trip"), default=np.inf) - AT_S
    assert again_s == pytest.approx(trip_s, abs=1e-6)
    assert (bench.state.racks.up_frac == 0.0).any()


def test_a_sag_that_machines_and_racks_bear_changes_nothing(tmp_path):
    bench = pod_at_work(tmp_path)
    lose(bench, "sag", 0, lasts_s=0.3, voltage=0.75)
    bench.run(AT_S + 120.0)
    assert bench.kinds() == [] and np.all(bench.state.racks.up_frac == 1.0)


def test_a_deep_sag_takes_the_racks_that_no_battery_carries(tmp_path):
    bench = pod_at_work(tmp_path, duration="2 h")
    lose(bench, "sag", 0, lasts_s=0.2, voltage=0.0)
    bench.run(AT_S + 60.0)
    assert np.all(bench.state.racks.up_frac == 0.0)
    told = bench.site.topology.ride_through
    bench.run(AT_S + told.boot + told.restart + 60.0)
    assert np.all(bench.state.racks.up_frac == 1.0)


def test_pumps_run_on_batteries_until_those_are_empty(tmp_path):
    """The batteries give what the pumps draw, past the dead substation; import refills the store."""
    bench = pod_at_work(tmp_path)
    lose_substations(bench, 1800.0)
    bench.run(AT_S + 240.0)
    assert bench.minutes(c.COOLING_W)[-1] == pytest.approx(bench.state.plant_w[0, 1])
    assert bench.state.plant_w[0, 1] > 0.0
    assert bench.state.tree.output_w[bench.site.halls.pump_node[0]] == 0.0
    assert np.all(bench.state.blocks.flow == 1.0)
    bench.run(AT_S + 600.0)
    assert {"pumps_lost", "trip"} <= set(bench.kinds())
    assert np.all(bench.state.racks.up_frac == 0.0)
    bench.run(3600.0)  # power is back after half an hour, and with it the coolant
    assert np.all(bench.state.racks.up_frac == 1.0)
    assert closes(bench)


def test_pumps_without_a_ups_stop_with_the_plants_and_chips_trip_in_seconds(tmp_path):
    bench = pod_at_work(tmp_path, pumps_on_ups=False, loop_pumps_on_ups=False)
    node = bench.site.halls.pump_node[0]
    bench.run(600.0)
    assert bench.state.tree.output_w[node] == 0.0
    lose_substations(bench, 900.0)
    bench.run(AT_S + 60.0)
    trips = [event[0] - AT_S for event in bench.world.events if event[1] == "trip"]
    assert len(trips) == 2 and 5.0 < min(trips) < 30.0
    assert bench.minutes(c.COOLING_W)[-1] == 0.0
    bench.run(3600.0)
    assert np.all(bench.state.racks.up_frac == 1.0)
    assert closes(bench)


def test_a_dark_hall_draws_nothing_for_plants_and_lights(tmp_path):
    bench = pod_at_work(tmp_path)
    feeder = int(bench.site.halls.feeder_node[0])
    for unit in range(bench.site.nodes[feeder].count):
        lose(bench, "feeder", feeder, unit, 600.0)
    bench.run(AT_S + 60.0)
    assert bench.minutes(c.HOUSE_W)[-1] == 0.0
    assert bench.minutes(c.COOLING_W)[-1] == pytest.approx(bench.state.plant_w[0, 1])
    bench.run(3600.0)
    assert bench.minutes(c.HOUSE_W)[-1] > 0.0
    assert closes(bench)


def test_rows_warm_at_heat_over_capacity_while_the_loop_stands(tmp_path):
    """All pumps of the warm loop out for 20 s: the rows keep the heat, and give it back."""
    bench = pod_at_work(tmp_path)
    for unit in range(3):
        lose(bench, "loop_pump", 0, unit, 60.0, at_s=AT_S + 40.0)
    bench.run(AT_S + 60.0)
    heat, blocks = bench.state.heat, bench.state.blocks
    made_j = 20.0 * (blocks.liquid_w[:2] + blocks.pump_w[:2])
    np.testing.assert_allclose(heat.row_j[:2], made_j, rtol=2e-3)  # chips that warm leak more than in the minute's mean
    bench.run(AT_S + 240.0)
    assert np.all(heat.row_j == 0.0)
    assert closes(bench)


def test_a_spare_pump_of_a_loop_takes_over_and_two_lost_slow_the_water(tmp_path):
    bench = pod_at_work(tmp_path)
    whole = bench.state.blocks.approach_k_w.copy()
    lose(bench, "loop_pump", 0, 0, 1800.0)
    bench.run(AT_S + 60.0)
    assert bench.state.heat.flow[0] == 1.0
    lose(bench, "loop_pump", 0, 1, 1200.0, at_s=AT_S + 120.0)
    bench.run(AT_S + 300.0)
    assert bench.state.heat.flow[0] == 0.5
    assert np.all(bench.state.blocks.approach_k_w[:2] > whole[:2])
    assert closes(bench)


def test_air_that_no_fan_moves_warms_as_its_mass_says(tmp_path):
    bench = pod_at_work(tmp_path)
    for unit in range(int(bench.site.hall_walls[0])):
        lose(bench, "air_unit", 0, unit, 300.0)
    bench.state.heat.envelope_w_k[:] = 0.0
    bench.run(AT_S)
    before_c = float(bench.state.hall_air_c[0])
    bench.run(AT_S + 300.0)
    heat = bench.state.heat
    air_w = heat_limits.hall_air_w(bench.world, 0)
    # pumps that slow as no heat reaches their loop leave the power chain a little less to lose
    assert heat.air_j[0] == pytest.approx(air_w * 300.0, rel=2e-4)
    per_minute = (air_w / bench.site.halls.fan_design_heat_w[0]) * 12.0 / 240.0 * 60.0
    assert (float(bench.state.hall_air_c[0]) - before_c) / 5.5 == pytest.approx(per_minute, rel=0.05)
    bench.run(3600.0)
    assert float(bench.state.hall_air_c[0]) == pytest.approx(before_c, abs=0.05)
    assert closes(bench)


@pytest.mark.parametrize("left", [0, 1])
def test_air_units_that_stop_inside_a_step_warm_the_air_from_then_on(left, tmp_path):
    """By q / C without any; with some left by less, and chips of that step get their share of it."""
    bench = pod_at_work(tmp_path, fan_wall={"kind": "crah", "unit": "20 kW", "spare_units": 0, "margin": "0 %"})
    for unit in range(int(bench.site.hall_walls[0]) - left):
        lose(bench, "air_unit", 0, unit, 300.0, at_s=AT_S + 30.0)
    bench.run(AT_S + 29.0)
    heat, before_c = bench.state.heat, float(bench.state.hall_air_c[0])
    assert heat.air_j[0] == 0.0
    foreseen_c = []
    bench.at(AT_S + 30.0, lambda: foreseen_c.append(float(bench.state.hall_air_c[0])))
    bench.run(AT_S + 60.0)
    most_j = 30.0 * heat_limits.hall_air_w(bench.world, 0)
    if left:
        assert 0.7 * most_j < heat.air_j[0] < 0.97 * most_j
    else:
        assert heat.air_j[0] == pytest.approx(most_j, rel=5e-4)  # losses of the power chain are a minute old
    share = float(heat.air_lead[0] * heat.air_j[0] / heat.air_j_k[0])
    assert foreseen_c == [pytest.approx(before_c + share, rel=1e-3)]
    bench.run(3600.0)
    assert closes(bench)


GENERATORS = {"count": 20, "rating": "100 kW", "start": "10 s", "fail_to_start": 0.0,
              "fail_running": "0 /h"}


def test_plants_start_on_generators_after_the_supply_is_lost(tmp_path):
    bench = pod_at_work(tmp_path, topology={"generators": GENERATORS})
    for line in range(bench.site.nodes[0].count):
        lose(bench, "line", 0, line, 1500.0)
    told = bench.site.topology.ride_through
    bench.run(AT_S + 10.0 + told.machines_restart - 1.0)
    assert np.all(bench.state.loops.units_up == 0.0)
    bench.run(AT_S + 12.0 + told.machines_restart + told.machines_ramp)
    assert bench.state.loops.units_up[0] > 0.0
    bench.run(3600.0)
    assert closes(bench)


def test_outdoor_air_takes_the_heat_off_the_chilled_plant(tmp_path):
    """Far below the set point outdoor air takes all of it, and chilled water rests."""
    tree = pod_tree()
    tree["weather"] = {"station": "sand_point"}
    tree["period"] |= {"start": "2027-01-15T00:00:00-09:00", "duration": "1 h"}
    tree["topology"]["cooling"]["fan_wall"] = {"kind": "crah", "economiser": {}}
    bench = Bench(load_tree(tree, tmp_path), LOADS)
    bench.work("job", np.arange(8), 0.8)
    bench.run(1800.0)
    air_w = float(bench.state.blocks.air_w.sum())
    assert air_w > 1e4 and bench.state.plant_w[0, 3] == pytest.approx(0.0, abs=1e-9 * air_w)
    assert bench.state.hall_air_c[0] == pytest.approx(24.0)
    lose(bench, "plant_unit", 1, 0, 600.0, at_s=1860.0)
    lose(bench, "plant_unit", 1, 1, 600.0, at_s=1860.0)
    bench.run(2400.0)  # without the chilled plant the hall stays as cool
    assert bench.state.hall_air_c[0] == pytest.approx(24.0, abs=0.02)
    assert closes(bench)


STRUCK = {
    "plant_unit": lambda world: world.site.loops[0].units - world.plants.intact[0],
    "loop_pump": lambda world: world.plants.pumps_out[0], "air_unit": lambda world: world.plants.walls_out[0],
}


@pytest.mark.parametrize("effect", STRUCK)
def test_a_unit_that_is_out_is_not_lost_twice_and_stays_out_for_the_longer_repair(effect, tmp_path):
    bench, out = pod_at_work(tmp_path), lambda: STRUCK[effect](bench.world)
    for unit, lasts_s, lost in ((0, 600.0, 1), (0, 1200.0, 1), (0, 60.0, 1), (1, 600.0, 2)):
        lose(bench, effect, 0, unit, lasts_s)
        bench.at(AT_S, lambda lost=lost: counted.append((out(), lost)))
    counted = []
    bench.run(AT_S + 30.0)
    assert [told for told, _ in counted] == [lost for _, lost in counted]
    for after_s, lost in ((590.0, 2), (610.0, 1), (1190.0, 1), (1210.0, 0)):
        bench.run(AT_S + after_s)
        assert out() == lost


def test_fans_count_for_units_that_work_and_one_unit_has_no_more_than_it_has(tmp_path):
    bench = pod_at_work(tmp_path)
    built = bench.site.loops[0].units
    fans = bench.site.topology.cooling.warm.fans
    lose(bench, "plant_fan", 0, 1, lasts_s=1200.0)
    bench.run(AT_S + 10.0)
    assert bench.world.plants.intact[0] == pytest.approx(built - 1.0 / fans)
    lose(bench, "plant_unit", 0, 1, lasts_s=600.0, at_s=AT_S + 20.0)
    for _ in range(2 * fans):
        lose(bench, "plant_fan", 0, 0, lasts_s=600.0, at_s=AT_S + 30.0)
    bench.run(AT_S + 60.0)
    assert bench.world.plants.intact[0] == pytest.approx(built - 2.0)
    bench.run(AT_S + 700.0)
    assert bench.world.plants.intact[0] == pytest.approx(built - 1.0 / fans)
    bench.run(AT_S + 1300.0)
    assert bench.world.plants.intact[0] == built and closes(bench)
