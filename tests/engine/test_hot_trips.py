"""Racks that heat switched off stay off until something cools them."""

import numpy as np
import pytest
from small import load_tree, pod_tree

from simulator.engine import plant_power
from simulator.metrics import balance, thermal
from simulator.simulation import build, finish

HOUR_S = 3600.0


def hot_pod(folder, hours, flow):
    tree = pod_tree()
    tree["topology"].pop("generators", None)
    tree["topology"]["cooling"]["warm"] |= {"tank": "60 s"}
    tree["topology"]["cooling"].setdefault("coolant_unit", {})["flow"] = flow
    tree["period"]["duration"] = f"{hours} h"
    tree["workloads"] = [{"kind": "batch", "name": "batch", "backlog": "1e5 h", "power": "90 %"}]
    return build(load_tree(tree, folder), disturbed=False)


def up(run):
    return float(run.world.state.racks.up_frac.mean())


@pytest.fixture(scope="module", params=["constant", "by_load"])
def course(request, tmp_path_factory):
    """Return a run whose warm plant stands from the first to the eighth hour, and by hour what is in service
    and how warm the loop is."""
    run = hot_pod(tmp_path_factory.mktemp("hot"), 12, request.param)
    loops = run.world.state.loops
    for unit in range(run.world.site.loops[0].units):
        run.world.env.timeout(HOUR_S).callbacks.append(
            lambda _, unit=unit: plant_power.lose_unit(run.world, 0, unit, 7 * HOUR_S))
    told = []
    for half in range(3, 25):
        run.advance(half * HOUR_S / 2.0)
        told.append((half / 2.0, up(run), float(loops.supply_c[0]), float(run.world.state.plant_w[0, 2])))
    return run, np.array(told).T


def test_racks_wait_for_cooling_and_not_only_for_their_inspection(course):
    run, (hours, in_service, _, _) = course
    assert np.all(in_service[(hours >= 2.0) & (hours <= 8.0)] == 0.0)
    assert in_service[-1] == 1.0 and in_service[hours == 9.0] == 1.0
    trips = [e for e in run.world.events if e[1] == "trip"]
    assert len(trips) == len(np.unique(run.world.site.rack_block))


def test_a_loop_that_nothing_cools_and_nothing_heats_stays_as_it_is(course):
    run, (hours, _, supply_c, heat_w) = course
    stands = (hours >= 2.5) & (hours <= 8.0)
    assert np.all(heat_w[stands] == 0.0) and np.ptp(supply_c[stands]) < 1e-6
    pump_w = run.world.site.loops[0].pump_w
    assert run.world.state.loops.pump_w[0] == pump_w and heat_w[-1] > pump_w
    assert np.all(run.world.state.blocks.pump_w[:2] > 0.0)


def test_margins_tell_of_the_heat_and_everything_closes(course):
    run, _ = course
    results = finish(run)
    assert thermal.margins(results)["margin_k"].min() < 0.0
    assert max(balance.checks(results).values()) <= 1e-9
