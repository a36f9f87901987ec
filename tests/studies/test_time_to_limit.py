"""Seconds to throttle and trip: masses in series against the engine itself, and what the table says."""

import math
from dataclasses import replace

import numpy as np
import pytest
import yaml
from small import ROOT, load_tree, pod_tree

from simulator.components.cooling.course import DARK, Failure, follow
from simulator.components.cooling.course_parts import NEVER
from simulator.components.failure_class import FailureClass
from simulator.components.power import sag
from simulator.engine import effects, sags
from simulator.engine.physics import STEP_S
from simulator.kernels import columns
from simulator.simulation import build
from simulator.studies import time_to_limit
from simulator.studies.time_to_limit_cases import cases
from simulator.studies.time_to_limit_halls import places

AT = "1 h"
APART_K = 0.1
"""Of study and engine once settled: leakage of warmer chips warms their own row in the engine, by a
hundredth of the approach."""


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    """A pod at full work for three hours, without generators."""
    tree = pod_tree()
    tree["period"]["duration"] = "3 h"
    tree["topology"].pop("generators", None)
    tree["workloads"] = [{"kind": "batch", "name": "batch", "backlog": "1e5 h", "power": "95 %"}]
    return load_tree(tree, tmp_path_factory.mktemp("busy"))


@pytest.fixture(scope="module")
def found(busy):
    return time_to_limit.study(busy, time_to_limit.Asked(AT, 60))


@pytest.fixture(scope="module")
def airy(tmp_path_factory):
    """A hall of chips in air beside one of chips on coolant, both at full work."""
    text = (ROOT / "tests" / "broken" / "base" / "pod.yaml").read_text()
    tree = yaml.safe_load(text)["templates"]["pod"]
    tree["period"]["duration"] = "3 h"
    tree["topology"].pop("generators")
    tree["workloads"] = [{"kind": "batch", "name": "batch", "backlog": "1e5 h", "power": "95 %"}]
    return load_tree(tree, tmp_path_factory.mktemp("airy"))


def row(found, failure):
    return found.table.set_index("failure").loc[failure]


def struck(busy, strikes, minutes):
    """Return a run some time after strikes at the first hour."""
    run, at_s = build(busy, disturbed=False), 3600.0
    world = run.world
    for effect, target, unit, lasts_s in strikes:
        cls = FailureClass(name="break", per="block", rate="1 /year", effect=effect, repair="1 h")
        world.env.timeout(at_s).callbacks.append(
            lambda _, e=effect, c=cls, t=target, u=unit, s=lasts_s: effects.EFFECTS[e](world, c, t, u, s))
    run.advance(at_s + 60.0 * minutes)
    return run


def of_engine(busy, strikes, minutes=60):
    """Return when the engine throttles and trips the first chip after some strikes, in s."""
    at_s = 3600.0
    events = struck(busy, strikes, minutes).world.events
    told = [(e[1], e[0] - at_s) for e in events if e[0] >= at_s]
    first = lambda kind: min((t for k, t in told if k == kind), default=math.inf)  # noqa: E731
    return first("throttle"), first("trip")


def test_without_coolant_the_engine_trips_at_the_same_second(busy, found):
    run, _ = time_to_limit.bring(busy, AT)
    block = places(run)[0].block
    throttle_s, trip_s = of_engine(busy, [("flow", block, 0, 7200.0)], 2)
    told = row(found, "one coolant unit")
    assert told["throttle_s"] == pytest.approx(throttle_s, abs=0.5)
    assert told["trip_s"] == pytest.approx(trip_s, abs=0.5)


@pytest.mark.parametrize(("failure", "strikes"), [
    ("all facility pumps", [("loop_pump", 0, unit, 7200.0) for unit in range(3)]),
    ("all dry coolers", [("plant_unit", 0, unit, 7200.0) for unit in range(3)]),
    ("all mechanical substations", [("mechanical", -1, unit, 7200.0) for unit in range(4)]),
])
def test_the_engine_agrees_to_its_step(failure, strikes, busy, found):
    run, _ = time_to_limit.bring(busy, AT)
    node = int(run.world.site.halls.plant_node[0])
    strikes = [(e, node if t < 0 else t, u, s) for e, t, u, s in strikes]
    throttle_s, trip_s = of_engine(busy, strikes)
    told = row(found, failure)
    assert told["throttle_s"] == pytest.approx(throttle_s, abs=STEP_S)
    if math.isfinite(told["trip_s"]):
        assert told["trip_s"] == pytest.approx(trip_s, abs=1.5 * STEP_S)


@pytest.mark.parametrize(("failure", "effect", "cooling", "warms_k"), [
    ("one coolant unit", "flow", {"coolant_unit": {"unit": "500 kW"}}, 5.0),
    ("one coolant unit", "flow", {"coolant_unit": {"unit": "500 kW", "flow": "by_load"}}, 5.0),
    ("one coolant unit", "flow", {"coolant_unit": {"unit": "250 kW"}}, 2.0),
    ("one coolant pump", "pump", {"coolant_unit": {"unit": "1.3 MW", "spare_pumps": 0}}, 3.0),
    ("one facility pump", "loop_pump", {"warm": {"spare_pumps": 0}}, 0.8),
], ids=["one of two units", "following the load", "one of three units", "half a unit's flow", "loop flow 2/3"])
def test_flow_that_is_partly_lost_warms_the_chips_as_in_the_engine(failure, effect, cooling, warms_k, tmp_path):
    """Coolant and junction, settled, where no chip throttles."""
    tree = pod_tree()
    tree["period"]["duration"] = "2 h"
    tree["topology"].pop("generators", None)
    for kind, keys in cooling.items():
        tree["topology"]["cooling"][kind] |= keys
    tree["workloads"] = [{"kind": "batch", "name": "batch", "backlog": "1e5 h", "power": "70 %"}]
    scenario = load_tree(tree, tmp_path)
    run, _ = time_to_limit.bring(scenario, AT)
    place = places(run)[0]
    case = next(c for c in cases(run, place) if c.name == failure)
    course = follow(place.path, case.failure, 1200.0)
    target = 0 if effect == "loop_pump" else place.block
    after = struck(scenario, [(effect, target, 0, 7200.0)], 20).world.state
    engine_c = float(after.racks.junction_c.max())
    assert engine_c > course.chip_c[0] + warms_k
    assert course.chip_c[-1] == pytest.approx(engine_c, abs=APART_K)
    assert course.coolant_c[-1] == pytest.approx(after.blocks.coolant_c[place.block], abs=APART_K)


@pytest.mark.parametrize("after_s", [0.0, 17.0, 43.0])
def test_rows_whose_water_stands_meet_their_limits_in_a_run_as_in_the_study(after_s, busy, found):
    """At any second of a minute: chips slow inside it, and what they give to their row with them."""
    run = build(busy, disturbed=False)
    for unit in range(3):
        cls = FailureClass(name="break", per="block", rate="1 /year", effect="loop_pump", repair="2 h")
        run.world.env.timeout(3600.0 + after_s).callbacks.append(
            lambda _, u=unit, c=cls: effects.EFFECTS["loop_pump"](run.world, c, 0, u, 7200.0))
    run.advance(3600.0 + 360.0)
    at_s = {e[1]: e[0] - 3600.0 - after_s for e in reversed(run.world.events) if e[0] >= 3600.0}
    told = row(found, "all facility pumps")
    assert at_s["throttle"] == pytest.approx(told["throttle_s"], abs=2.0)
    assert at_s["trip"] == pytest.approx(told["trip_s"], abs=4.0)
    hottest_c = run.records.site[:, columns.JUNCTION_MAX_C].max()
    assert hottest_c <= run.world.site.chips[0].shutdown + 0.5


def test_a_chip_of_the_engine_stays_below_its_shutdown_while_rows_warm(busy):
    run = build(busy, disturbed=False)
    for unit in range(3):
        cls = FailureClass(name="break", per="block", rate="1 /year", effect="loop_pump", repair="1 h")
        run.world.env.timeout(3600.0).callbacks.append(
            lambda _, u=unit: effects.EFFECTS["loop_pump"](run.world, cls, 0, u, 600.0))
    run.advance(3660.0)
    assert run.world.state.racks.junction_c.max() <= run.world.site.chips[0].shutdown + 0.5


def test_the_table_is_whole_and_in_order(found):
    table = found.table
    assert list(table.columns) == list(time_to_limit.COLUMNS)
    assert np.all(table["throttle_s"] <= table["trip_s"])
    assert np.all(table["trip_s"] <= table["trip_with_caps_s"] + 0.5)
    named = set(table["failure"])
    assert {"one coolant pump", "one coolant unit", "all facility pumps", "one fan", "all dry coolers",
            "all mechanical substations", "pump UPS", "voltage sag", "whole supply"} <= named
    spare = row(found, "one coolant pump")
    assert spare["avoided_by"] == "no trip in 60 min" and math.isinf(spare["throttle_s"])
    lost = row(found, "one coolant unit")
    assert lost["avoided_by"] == "nothing" and lost["trip_s"] < found.told["caps_hold_s"]


def test_published_minutes_of_lost_cooling(found):
    """A failure of direct liquid cooling forces shutdown in under a minute; five minutes of tank warm
    by about 10 K."""
    assert 5.0 < row(found, "pump UPS")["trip_s"] < 60.0
    tank = row(found, "all dry coolers")
    assert 240.0 < tank["rise_10k_s"] < 900.0


def test_what_is_shed_before_the_limit_is_load_that_works(found, busy):
    run, _ = time_to_limit.bring(busy, AT)
    place = places(run)[0]
    told = row(found, "all dry coolers")
    assert told["sheddable_w"] == pytest.approx(place.working_w)
    assert 0.0 < place.block_working_w < place.working_w < found.told["it_w"]
    shed = follow(place.path, Failure(plant=NEVER).shed(42.0), 3600.0)
    assert shed.trip_s == told["trip_with_caps_s"]


def test_the_hottest_hour_is_that_of_the_weather(busy):
    _, clock = time_to_limit.bring(busy, time_to_limit.HOTTEST)
    assert 1 <= (clock - busy.spec.period.start).total_seconds() / 3600.0 <= 3
    with pytest.raises(time_to_limit.StudyError, match="--at"):
        time_to_limit.bring(busy, "9 h")


def test_chips_in_hot_air_throttle_as_the_engine_has_it(airy):
    """Fan walls stop: the hall warms at Q / C, and its chips follow."""
    table = time_to_limit.study(airy, time_to_limit.Asked(AT, 60)).table
    assert list(dict.fromkeys(table["hall"])) == ["liquid", "air"]
    told = table[table["hall"] == "air"].set_index("failure").loc["all air units"]
    run, _ = time_to_limit.bring(airy, AT)
    walls = int(run.world.site.hall_walls[1])
    throttle_s, trip_s = of_engine(airy, [("air_unit", 1, unit, 7200.0) for unit in range(walls)])
    assert 60.0 < told["throttle_s"] < 3600.0
    assert told["throttle_s"] == pytest.approx(throttle_s, abs=1.5 * STEP_S)
    if math.isfinite(told["trip_s"]):
        assert told["trip_s"] == pytest.approx(trip_s, abs=2.0 * STEP_S)
    lost = told["rise_10k_s"] / 60.0
    assert 1.0 <= 10.0 / lost <= 5.0  # published: a hall warms by 1-5 K a minute


TANKS = {"single_phase_immersion": {"unit": "200 kW"}, "two_phase_immersion": {"unit": "200 kW", "vapour": "20 s"}}


@pytest.fixture(scope="module", params=TANKS)
def bathed(request, tmp_path_factory):
    """A pod of servers in tanks at full work."""
    tree = pod_tree()
    tree["period"]["duration"] = "2 h"
    tree["topology"].pop("generators", None)
    tree["topology"]["cooling"]["coolant_unit"] = {"kind": request.param} | TANKS[request.param]
    tree["topology"]["halls"][0] |= {"rack": "HGX-H100-8-IMMERSION", "racks_per_block": 20}
    tree["workloads"] = [{"kind": "batch", "name": "batch", "backlog": "1e5 h", "power": "95 %"}]
    return load_tree(tree, tmp_path_factory.mktemp(request.param))


@pytest.mark.parametrize(("failure", "strikes"), [
    ("all facility pumps", [("loop_pump", 0, unit, 7200.0) for unit in range(3)]),
    ("one coolant unit", [("flow", -1, 0, 7200.0)]),  # the only one
])
def test_a_tank_warms_as_in_the_engine(failure, strikes, bathed):
    """Fluid and junction after ten minutes, and the time to the limit where one is met."""
    run, _ = time_to_limit.bring(bathed, AT)
    place = places(run)[0]
    strikes = [(e, place.block if t < 0 else t, u, s) for e, t, u, s in strikes]
    case = next(c for c in cases(run, place) if c.name == failure)
    course = follow(place.path, case.failure, 600.0)
    after = struck(bathed, strikes, 10).world
    engine_c = float(after.state.blocks.coolant_c[place.block])
    assert engine_c > course.coolant_c[0] + 5.0
    throttle_s, trip_s = of_engine(bathed, strikes, 20)
    whole = follow(place.path, case.failure, 1200.0)
    assert whole.throttle_s == pytest.approx(throttle_s, abs=1.5 * STEP_S)  # slowed at once, it meets its limit later
    start_c = course.coolant_c[0]
    assert course.coolant_c[-1] - start_c == pytest.approx(engine_c - start_c, rel=0.05)  # clocks lag a minute there
    if math.isfinite(whole.trip_s):
        assert whole.trip_s == pytest.approx(trip_s, abs=2.0 * STEP_S)


def test_the_table_of_tanks_is_whole(bathed):
    table = time_to_limit.study(bathed, time_to_limit.Asked(AT, 5)).table.set_index("failure")
    assert {"one coolant pump", "one coolant unit", "pump UPS", "all dry coolers"} <= set(table.index)
    water = table.loc["all facility pumps"]
    assert water["throttle_s"] > 60.0  # fluid and vapour hold minutes where cold plates have seconds


def test_memory_binds_where_it_is_the_tighter_limit(busy):
    """The same chips with memory that may only reach 88 degC."""
    run, _ = time_to_limit.bring(busy, AT)
    place = places(run)[0]
    case = next(c for c in cases(run, place) if c.name == "all facility pumps")
    memory = replace(place.path.hottest.memory, throttle_c=88.0, slowdown_c=90.0, shutdown_c=92.0)
    tight = replace(place.path, hottest=replace(place.path.hottest, memory=memory))
    by_chip, by_memory = (follow(path, case.failure, 600.0) for path in (place.path, tight))
    assert (by_chip.throttled_by, by_chip.tripped_by) == ("junction", "junction")
    assert (by_memory.throttled_by, by_memory.tripped_by) == ("memory", "memory")
    assert by_memory.throttle_s < by_chip.throttle_s and by_memory.trip_s < by_chip.trip_s
    at = int(np.searchsorted(by_memory.time_s, by_memory.throttle_s))
    coolant_c = by_memory.coolant_c[at]
    hbm_c = coolant_c + memory.rise * (by_memory.chip_c[at] - coolant_c)
    assert hbm_c == pytest.approx(88.0, abs=0.5)


@pytest.mark.parametrize(("failure", "strikes", "minutes"), [
    ("all air units", [("air_unit", 0, 0, 7200.0)], 20),
    ("all chilled pumps", [("loop_pump", 1, unit, 7200.0) for unit in range(3)], 20),
    ("all chillers of the chilled plant", [("plant_unit", 1, unit, 7200.0) for unit in range(2)], 65),
])
def test_hot_air_takes_a_hall_on_coolant_as_in_the_engine(failure, strikes, minutes, busy, found):
    """The engine looks once a minute, half a minute ahead, and acts a minute later; support racks slow first."""
    told, events = row(found, failure), struck(busy, strikes, minutes).world.events
    since = {(kind, detail): at_s - 3600.0 for at_s, kind, _, _, _, detail in reversed(events) if at_s >= 3600.0}
    slowed_s = min(at_s for (kind, _), at_s in since.items() if kind == "support_hot")
    assert (told["throttled_by"], told["tripped_by"]) == ("intake", "intake")
    assert slowed_s == pytest.approx(told["throttle_s"], abs=STEP_S)
    assert 0.0 <= since["trip", "hot air"] - told["trip_s"] <= 2.0 * STEP_S


@pytest.mark.parametrize(("failure", "cooling", "strike", "warms_k"), [
    ("one air unit", {"fan_wall": {"kind": "crah", "unit": "110 kW", "margin": "0 %"}}, ("air_unit", 0), 10.0),
    ("one air unit", {"fan_wall": {"kind": "crah", "unit": "55 kW", "margin": "0 %"}}, ("air_unit", 0), 1.5),
    ("one chilled pump", {"chilled": {"spare_pumps": 0}}, ("loop_pump", 1), 0.5),
], ids=["1 of 2", "3 of 4", "short of a pump"])
def test_air_that_is_partly_cooled_warms_as_in_the_engine(failure, cooling, strike, warms_k, tmp_path):
    """Minute by minute: exhaust mixed in, and coils of which each carries more, or gets less water."""
    tree = pod_tree()
    tree["period"]["duration"] = "2 h"
    tree["topology"].pop("generators", None)
    for kind, keys in cooling.items():
        tree["topology"]["cooling"][kind] = tree["topology"]["cooling"].get(kind, {}) | keys
    tree["workloads"] = [{"kind": "batch", "name": "batch", "backlog": "1e5 h", "power": "95 %"}]
    scenario = load_tree(tree, tmp_path)
    run, _ = time_to_limit.bring(scenario, AT)
    place = places(run)[0]
    case = next(c for c in cases(run, place) if c.name == failure)
    course = follow(place.path, case.failure, 1800.0)
    run = struck(scenario, [(*strike, 0, 7200.0)], 0)
    heat, engine_c = run.world.state.heat, []
    for minute in range(1, 31):
        run.advance(3600.0 + 60.0 * minute)
        engine_c.append(float(heat.air_set_c[0] + heat.air_j[0] / heat.air_j_k[0]))
    at = np.searchsorted(course.time_s, 60.0 * np.arange(1, 31) - 1e-6)
    assert np.array(course.air_c)[at] == pytest.approx(engine_c, abs=APART_K)
    assert engine_c[-1] > course.air_c[0] + warms_k and max(np.diff(engine_c)) < 4.0


def test_what_is_left_of_an_air_side_keeps_racks_in_service(found):
    """Two chillers of which one carries the pod, and a spare pump."""
    for failure in ("one chilled pump", "one chiller of the chilled plant", "one tower cell of the chilled plant"):
        assert math.isinf(row(found, failure)["trip_s"]) and math.isinf(row(found, failure)["throttle_s"])
    assert row(found, "one air unit")["trip_s"] == row(found, "all air units")["trip_s"]  # its only one


def test_racks_without_batteries_are_dark_in_a_sag_and_without_supply(busy, found, tmp_path):
    """As the engine takes them out; with batteries of their own they run on until these are empty."""
    dark = found.table.set_index("failure").loc[["voltage sag", "whole supply"]]
    run, _ = time_to_limit.bring(busy, AT)
    assert run.world.site.rack_types[0].battery_backup is None and not sags.bears(run.world, 0, sag.sags(0.4, 0.2))
    assert (dark["avoided_by"] == DARK).all() and (dark["sheddable_w"] == 0.0).all()
    assert np.isinf(dark[["throttle_s", "trip_s"]].to_numpy(float)).all()
    assert math.isfinite(dark.loc["voltage sag", "recovered_s"])
    tree = yaml.safe_load(yaml.safe_dump(pod_tree()))
    tree["topology"]["halls"][0]["battery_backup"] = {"power": "150 kW", "recharge": "5 kW"}
    tree["period"]["duration"] = "2 h"
    tree["workloads"] = [{"kind": "batch", "name": "batch", "backlog": "1e5 h", "power": "95 %"}]
    tree["topology"].pop("generators", None)
    backed = time_to_limit.study(load_tree(tree, tmp_path), time_to_limit.Asked(AT, 10)).table.set_index("failure")
    assert backed.loc["voltage sag", "avoided_by"] != DARK
    emptied = backed.loc["whole supply"]  # nothing carries the racks once their 90 s of 150 kW are used up
    assert emptied["avoided_by"] == DARK and emptied["sheddable_w"] > 0.0
    assert 90.0 <= float(emptied["note"].split("racks dark after ")[1].split()[0]) < 180.0


@pytest.mark.parametrize("rating", ["0.5 MW", "2.5 MW"])
def test_without_import_racks_and_plants_fare_as_in_a_run(rating, tmp_path):
    """Sets too small for any lineup, and sets that carry some: a run with both lines out says the same seconds."""
    tree = yaml.safe_load((ROOT / "scenarios" / "ring-hall.yaml").read_text())
    tree["topology"]["generators"]["rating"], tree["period"]["duration"] = rating, "2 h"
    tree["incidents"] = [{"cause": "line", "element": f"lines/{n}", "at": AT, "lasts": "50 min"} for n in (1, 2)]
    ring = load_tree(tree, tmp_path)
    run = build(ring, disturbed=False)
    run.advance(3600.0 + 15 * STEP_S)
    told = {(kind, of): at_s - 3600.0 for at_s, kind, of, *_ in reversed(run.world.events)}
    found = time_to_limit.study(ring, time_to_limit.Asked(AT, 15)).table.set_index("failure").loc["whole supply"]
    assert f"plants fed after {told['plants_fed', found['hall']]:.0f} s" in found["note"]
    dark = {of: at_s for (kind, of), at_s in told.items() if kind == "dark"}
    assert f"{min(dark, key=dark.get)} after {min(dark.values()):.0f} s" in found["note"]
    assert f"{len(dark)} of 6 blocks" in found["note"]
    if rating == "0.5 MW":
        assert found["avoided_by"] == DARK and found["note"].startswith("racks dark after 61") and len(dark) == 6
