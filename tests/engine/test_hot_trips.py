"""Racks that heat switched off stay off until something cools them."""

import numpy as np
import pytest
from small import load_tree, pod_tree
from test_heat_received import _air

from simulator.engine import held, hot_trips, plant_power
from simulator.engine.outage_log import STAGES
from simulator.metrics import balance, thermal
from simulator.simulation import build, finish

HOUR_S = 3600.0


def hot_pod(folder, hours, flow, **cooling):
    tree = pod_tree()
    tree["topology"]["cooling"] |= cooling
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


def test_an_inspection_lasts_as_long_as_the_document_says(tmp_path):
    run = hot_pod(tmp_path, 4, "constant", inspection="30 min")
    for unit in range(run.world.site.loops[0].units):
        run.world.env.timeout(HOUR_S).callbacks.append(
            lambda _, unit=unit: plant_power.lose_unit(run.world, 0, unit, HOUR_S / 2.0))
    run.advance(4.0 * HOUR_S)
    ends = [e[0] + e[4] for e in run.world.events if e[1] == "trip"]
    starts = [e[0] for e in run.world.events if e[1] == "trip"]
    assert starts and max(starts) < 1.5 * HOUR_S
    for start, end in zip(starts, ends, strict=True):
        assert 0.5 * HOUR_S <= end - start <= 0.5 * HOUR_S + hot_trips.LOOK_S
    assert up(run) == 1.0


def test_racks_that_heat_switched_off_boot_before_they_work(course):
    run, _ = course
    told = run.world.site.topology.ride_through
    boots = [end - start for start, end, repair in zip(
        run.world.outages.start_s, run.world.outages.end_s, run.world.outages.repair, strict=True)
        if repair.stages[-1] == STAGES.index("boot")]  # fmt: skip
    assert boots == pytest.approx([told.boot + told.restart + held.AHEAD_S] * 2)  # by block
    assert sum(kind == "racks_back" for _, kind, *_ in run.world.events) == 2


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


def told(run, kind):
    return [e for e in run.world.events if e[1] == kind]


def test_a_trip_lasts_as_long_as_its_racks_are_off(course):
    run, (hours, in_service, _, _) = course
    for at_s, _, _, _, lasts_s, _ in told(run, "trip"):
        back_h = (at_s + lasts_s) / HOUR_S
        assert 8.0 < back_h <= 9.0 and lasts_s > 6 * HOUR_S
        assert np.all(in_service[(hours > at_s / HOUR_S + 0.1) & (hours < back_h)] == 0.0)


def test_coolant_too_warm_for_cold_plates_is_told_once(course):
    """From 45 degC on, until the racks are off."""
    run, _ = course
    (event,) = told(run, "warm_coolant")
    trip_s = max(e[0] for e in told(run, "trip"))
    assert HOUR_S < event[0] < event[0] + event[4] <= trip_s + 120.0
    assert event[2] == "pod" and event[5].endswith("45 degC at most")


@pytest.fixture(scope="module")
def dry_air(tmp_path_factory):
    """Return a run of a hall of chips in air beside one on coolant whose chilled plants stand from the first to the
    tenth hour, and by half-hour both halls' air and chilled loops and what is in service."""
    tree = _air()
    tree["topology"].pop("generators", None)
    tree["period"]["duration"] = "13 h"
    tree["workloads"] = [{"kind": "batch", "name": "batch", "backlog": "1e5 h", "power": "80 %"}]
    run = build(load_tree(tree, tmp_path_factory.mktemp("dry")), disturbed=False)
    chilled = run.world.site.halls.air_loop
    for loop in map(int, chilled):
        for unit in range(run.world.site.loops[loop].units):
            run.world.env.timeout(HOUR_S).callbacks.append(
                lambda _, loop=loop, unit=unit: plant_power.lose_unit(run.world, loop, unit, 9 * HOUR_S))
    state, found = run.world.state, []
    for half in range(1, 27):
        run.advance(half * HOUR_S / 2.0)
        found.append((half / 2.0, up(run), *state.hall_air_c, *state.loops.supply_c[chilled]))
    return run, np.array(found).T


def test_chips_in_air_trip_in_hot_air_as_those_on_coolant_do(dry_air):
    run, _ = dry_air
    trips = told(run, "trip")
    assert {e[5] for e in trips} == {"hot air"} and len(trips) == len(np.unique(run.world.site.rack_block))
    assert {run.world.site.hall_names[run.world.site.block_hall[run.world.site.block_names.index(e[2])]]
            for e in trips} == set(run.world.site.hall_names)  # fmt: skip
    assert run.world.site.rows.liquid_cooled.tolist().count(0) == 1


def test_nothing_heats_a_loop_that_nothing_cools(dry_air):
    """Fans and chilled pumps stand; racks are back once the plants are, and everything closes."""
    run, (hours, in_service, *_, first_c, second_c) = dry_air
    off, on = told(run, "air_off"), told(run, "air_on")
    assert len(off) == len(on) == 2
    stands = (hours * HOUR_S > max(e[0] for e in off)) & (hours <= 10.0)
    assert stands.sum() > 5
    for loop_c in (first_c, second_c):
        assert np.ptp(loop_c[stands]) < 1e-6
    assert all(10.0 <= e[0] / HOUR_S < 10.2 for e in on)
    assert np.all(in_service[stands] == 0.0) and in_service[-1] == 1.0
    slowed = [e for e in told(run, "throttle") if e[0] > max(t[0] for t in told(run, "trip")) and e[0] < 10 * HOUR_S]
    assert slowed == []  # dead chips are not told
    assert max(balance.checks(finish(run)).values()) <= 1e-9
