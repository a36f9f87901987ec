"""Heat of lights and of the power chain in the halls' air; racks that hot air switches off."""

from itertools import pairwise

import numpy as np
import pytest
from small import load_tree, pod_tree

from simulator.components.failure_class import FailureClass
from simulator.engine import draw, effects, heat_limits, outage, plant_power, supply
from simulator.kernels import columns
from simulator.metrics import balance
from simulator.simulation import build, finish, simulate
from simulator.site import compile_site

NONE = {"house": "0 %", "ups": "0 %", "busways": "0 %", "substations": "0 %"}


def pod(folder, hours=1, **indoors):
    tree = pod_tree()
    if indoors:
        tree["topology"]["cooling"]["indoors"] = indoors
    tree["topology"].pop("generators", None)
    tree["period"]["duration"] = f"{hours} h"
    tree["workloads"] = [{"kind": "batch", "name": "batch", "backlog": "1e5 h", "power": "80 %"}]
    return load_tree(tree, folder)


def chilled_w(results):
    loop = results.timeseries["loop"]
    return float(loop.loc[loop["element"] == "pod/chilled", "heat_w"].iloc[-1])


def test_the_chilled_loop_carries_what_is_lost_in_the_hall(tmp_path):
    """More heat than without by lights, UPS and busways, and by the fans that move it."""
    bare, whole = simulate(pod(tmp_path, **NONE)), simulate(pod(tmp_path))
    energy = whole.tables["energy"]
    losses_w = energy.set_index(energy.columns[0])[energy.columns[1]] / 3600.0
    site = compile_site(pod(tmp_path).spec.topology)
    made_w = float(losses_w["loss.ups"] + losses_w["loss.busways"]) + float(site.halls.house_w[0])
    assert made_w > 0.01 * float(whole.timeseries["site"]["it_w"].mean())
    fans = 1.0 + 3.0 * site.topology.cooling.fan_wall.fan  # at most: they work at the cube of the airflow
    assert made_w * 0.98 < chilled_w(whole) - chilled_w(bare) < made_w * fans * 1.02
    assert max(balance.checks(whole).values()) <= 1e-9


def test_plants_are_sized_for_it(tmp_path):
    bare, whole = (compile_site(pod(tmp_path, **told).spec.topology) for told in (NONE, {}))
    more_w = whole.loops[1].design_heat_w - bare.loops[1].design_heat_w
    assert more_w > float(bare.halls.house_w[0])
    assert whole.halls.fan_design_heat_w[0] > bare.halls.fan_design_heat_w[0]
    assert whole.loops[0].design_heat_w == bare.loops[0].design_heat_w


def test_dry_substations_stand_in_the_building_and_liquid_ones_in_the_yard(tmp_path):
    tree = pod_tree()
    for cooling, share in (("dry", 1.0), ("liquid", 0.0)):
        tree["topology"]["halls"][0]["block"]["cooling"] = cooling
        site = compile_site(load_tree(tree, tmp_path).spec.topology)
        kinds = {node.name: site.node_indoors[i] for i, node in enumerate(site.nodes)}
        assert kinds["pod/b01/substation"] == share and kinds["pod/b01/busway"] == 1.0


def lose_air_units(world, units):
    cls = FailureClass(name="air_unit", per="air_unit", rate="1 /year", effect="air_unit", repair="9 h")
    for unit in range(units):
        world.env.timeout(600.0).callbacks.append(
            lambda _, u=unit: effects.EFFECTS["air_unit"](world, cls, 0, u, 9 * 3600.0))


def foretold_as_carried(world):
    """What is off in hot air is not counted on: caps see the draw that is there."""
    blocks, tree = world.state.blocks, world.state.tree
    off_w = blocks.support_w - draw.support_w(world)
    assert off_w.sum() > 0.05 * blocks.support_w.sum()
    chips_w = blocks.it_w - draw.support_w(world)
    assert draw.carried_w(world, chips_w)[: tree.output_w.size] == pytest.approx(tree.output_w, rel=1e-9)


def test_support_racks_in_half_cooled_air_settle_at_what_the_air_carries(tmp_path):
    """One air handler of six is left: some support racks work on, and none goes on and off."""
    tree = pod_tree()
    tree["topology"].pop("generators", None)
    tree["topology"]["cooling"]["fan_wall"] = {
        "kind": "crah", "unit": "40 kW", "spare_units": 0, "margin": "0 %"}
    tree["period"]["duration"] = "2 h"
    tree["workloads"] = [{"kind": "batch", "name": "batch", "backlog": "1e5 h", "power": "80 %"}]
    run = build(load_tree(tree, tmp_path), disturbed=False)
    lose_air_units(run.world, int(run.world.site.hall_walls[0]) - 1)
    air_c = []
    for minute in range(60, 120):
        run.advance(60.0 * minute)
        air_c.append(float(run.world.state.hall_air_c[0]))
    foretold_as_carried(run.world)
    assert max(air_c) - min(air_c) < 1.5
    assert sum(e[1].startswith("support") for e in run.world.events) <= 3


def test_a_hall_without_air_units_settles_as_its_racks_switch_off(tmp_path):
    """Support racks go one after another, then those on coolant; no hall warms without bound."""
    run = build(pod(tmp_path, 4, **NONE), disturbed=False)
    world = run.world
    lose_air_units(world, int(world.site.hall_walls[0]))
    air_c = []
    for minute in range(240):
        run.advance(60.0 * (minute + 1))
        air_c.append(float(world.state.hall_air_c[0]))
    told = [(e[1], e[5]) for e in world.events if e[1] in ("support_hot", "support_off", "trip")]
    kinds = [kind for kind, _ in told]
    assert kinds.index("support_hot") < kinds.index("trip") and ("trip", "hot air") in told
    rack = world.site.rack_types[0]
    assert rack.intake_throttle < max(air_c) < rack.intake_shutdown + 10.0
    assert air_c[-1] - air_c[-30] < 1.0
    run.advance(world.end_s)
    assert max(balance.checks(finish(run)).values()) <= 1e-9
    assert np.isfinite(air_c).all()


def partly_cooled(folder, left, minutes, **told):
    """Return the intake of the pod at work by the minute, of whose air units so many are left."""
    tree = pod_tree()
    tree["topology"].pop("generators", None)
    tree["topology"]["cooling"]["fan_wall"] = told
    tree["period"]["duration"] = "1 h"
    tree["workloads"] = [{"kind": "batch", "name": "batch", "backlog": "1e5 h", "power": "90 %"}]
    run = build(load_tree(tree, folder), disturbed=False)
    lose_air_units(run.world, int(run.world.site.hall_walls[0]) - left)
    heat, air_c = run.world.state.heat, []
    for minute in range(10, 10 + minutes):
        run.advance(60.0 * minute)
        air_c.append(float(heat.air_set_c[0] + heat.air_j[0] / heat.air_j_k[0]))
    return run, np.array(air_c)


def test_to_lose_some_air_units_warms_no_hall_faster_than_to_lose_all(tmp_path):
    """Nor by more in a minute than its heat over its mass."""
    told = {"kind": "crah", "unit": "20 kW", "spare_units": 0, "margin": "0 %"}
    courses = []
    for left in (8, 4, 1, 0):
        run, air_c = partly_cooled(tmp_path, left, 7, **told)
        slope_k = 60.0 * heat_limits.hall_air_w(run.world, 0) / float(run.world.state.heat.air_j_k[0])
        assert int(run.world.site.hall_walls[0]) == 11
        courses.append(air_c)
        assert np.diff(air_c).max() <= slope_k * (1.0 + 1e-6) and np.diff(air_c).min() > 0.0
    for fewer, more in pairwise(courses):
        assert np.all(fewer <= more + 1e-9)
    assert np.diff(courses[-1]) == pytest.approx(slope_k, rel=0.03)  # walls lose the rest


def test_however_small_its_mass_a_hall_stays_below_what_its_walls_lose(tmp_path):
    """T <= max(outdoors, what is told) + P / UA: what would swing without bound in steps of Euler's."""
    run, air_c = partly_cooled(tmp_path, 0, 50, kind="fan_wall", mass="1 s", envelope="5 W/K/kW")
    heat = run.world.state.heat
    around_c = max(float(run.physics.outdoors.dry_bulb_c.max()), float(heat.air_set_c[0]))
    made_w = float(run.records.site[:, columns.IT_W].max())  # more than all its air ever gets
    assert air_c.min() >= float(heat.air_set_c[0]) - 1e-6
    assert air_c.max() <= around_c + made_w / float(heat.envelope_w_k[0])
    now_w = heat_limits.hall_air_w(run.world, 0)
    assert air_c[-1] == pytest.approx(around_c + now_w / float(heat.envelope_w_k[0]), abs=1.0)
    run.advance(run.world.end_s)
    assert max(balance.checks(finish(run)).values()) <= 1e-9


def dark_hall(folder, **told):
    """Return the pod on a summer's day, its accelerator racks out, its air units lost."""
    tree = pod_tree()
    tree["topology"].pop("generators", None)
    tree["topology"]["cooling"]["fan_wall"] = {"kind": "fan_wall"} | told
    tree["period"] = {"start": "2027-07-15T12:00:00-04:00", "duration": "60 h"}
    tree["workloads"] = []
    run = build(load_tree(tree, folder), disturbed=False)
    world = run.world
    outage.take_out(world, np.arange(world.site.rack_row.size), "test", 100 * 3600.0)
    for unit in range(int(world.site.hall_walls[0])):
        plant_power.lose_wall(world, 0, unit, 100 * 3600.0)
    return run


def test_a_hall_that_nothing_cools_settles_at_what_its_walls_lose(tmp_path):
    """T = max(outdoors, what its coils were to hold) + P / UA, within the drift of the day."""
    run = dark_hall(tmp_path, envelope="1 W/K/kW", mass="1 min")
    world, heat = run.world, run.world.state.heat
    run.advance(50 * 3600.0)
    outdoors = run.physics.outdoors.dry_bulb_c[40:50]
    made_w = heat_limits.hall_air_w(world, 0)
    conductance = float(heat.envelope_w_k[0])
    assert conductance == pytest.approx(1e-3 * sum(loop.design_heat_w for loop in world.site.loops))
    rise_k = made_w / conductance
    around_c = np.maximum(outdoors, heat.air_set_c[0])
    assert rise_k > 3.0
    assert around_c.min() + 0.8 * rise_k < world.state.hall_air_c[0] < around_c.max() + 1.2 * rise_k
    run.advance(world.end_s)
    assert max(balance.checks(finish(run)).values()) <= 1e-9


def test_lights_alone_warm_no_hall_without_bound(tmp_path):
    """With the walls as they are by default: support racks go off, and within two days lights and idle
    transformers are in balance with what the walls lose."""
    run = dark_hall(tmp_path)
    world, air_c = run.world, []
    for day in (1, 2):
        run.advance(day * 24 * 3600.0)
        air_c.append(float(world.state.hall_air_c[0]))
    assert not (world.state.blocks.support_share * world.state.blocks.support_w).any()
    assert abs(air_c[1] - air_c[0]) < 5.0  # of days that differ by as much
    assert air_c[1] - float(run.physics.outdoors.dry_bulb_c.max()) < 45.0


def test_a_cooled_hall_does_not_know_its_walls(tmp_path):
    thin, thick = (simulate(pod_of(tmp_path, wall)) for wall in ("5 W/K/kW", "0.05 W/K/kW"))
    assert thin.tables["energy"].equals(thick.tables["energy"])


def pod_of(folder, envelope):
    tree = pod_tree()
    tree["topology"]["cooling"]["fan_wall"] = {"envelope": envelope}
    tree["period"]["duration"] = "1 h"
    return load_tree(tree, folder)


def test_racks_without_their_switches_stand_until_those_are_inspected(tmp_path):
    run = build(pod(tmp_path, 10), disturbed=False)
    world, blocks = run.world, run.world.state.blocks
    block = int(np.flatnonzero(blocks.support_w > 0.0)[0])
    run.advance(600.0)
    up = world.state.racks.up_frac
    supply.lose_hot_switches(world, block, 3600.0)
    assert np.all(up == 1.0)  # they work
    blocks.support_hot[block] = supply.ALL_OFF
    for _ in range(2):
        supply.lose_hot_switches(world, block, 3600.0)  # the second is told of what is known
    assert np.all(up == 0.0)
    assert len(world.outages.cause) == 1 and world.outages.cause[0] == "heat"
    blocks.support_hot[block] = 0
    run.advance(600.0 + 3660.0)
    assert np.all(up == 1.0)
