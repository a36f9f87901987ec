"""What can fail of a hall's cooling, and what of it then works over time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from simulator.components.cooling import in_service
from simulator.components.cooling.course import Failure
from simulator.components.cooling.course_air import AirFailure
from simulator.components.cooling.course_parts import ALWAYS, NEVER, Steps, share_at
from simulator.components.power import sag
from simulator.engine import sags
from simulator.engine.coolant import rack_of
from simulator.engine.heat_limits import hall_air_w
from simulator.engine.plant_power import bridges_s, starts
from simulator.simulation import Run
from simulator.studies.come_back import restarts_s
from simulator.studies.time_to_limit_halls import Place
from simulator.studies.time_to_limit_supply import Unsupplied

Fails = Callable[[Steps, Steps], Failure]
SAG_VOLTAGE, SAG_S = 0.4, 0.2
"""Of the sag that is tried: what is left, and how long; contactors drop out (assumed)."""


@dataclass(frozen=True)
class Case:
    """One failure of one hall."""

    name: str
    element: str
    failure: Failure
    whole_hall: bool = True
    """Whether all blocks of the hall feel it, or one."""
    note: str = ""
    dark_s: float | None = None
    """How long the racks themselves are dark or start, and make no more heat than at rest; infinite: until what
    failed is back. None: they have power."""
    dark_from_s: float = 0.0
    """From when on they are, where `dark_s` is given; until then batteries carry them."""


def cases(run: Run, place: Place) -> list[Case]:
    """Return every failure that cooling can have in a hall, but for that of the whole supply."""
    return [*(_liquid(run, place) if place.liquid else ()), *_air(run, place), *_power(run, place)]


def _liquid(run: Run, place: Place) -> Iterator[Case]:
    """Yield what can fail from the pumps of a coolant unit to a fan of the plant."""
    site = run.world.site
    spec, block = site.topology.cooling.coolant_unit, site.block_names[place.block]
    built = int(site.block_coolant_units[place.block])
    full = np.ones(built - spec.spare_units)
    one = np.sort(np.append(np.ones(built - 1), spec.flow_frac(spec.pumps - 1)))[::-1][: full.size]
    less = np.append(np.ones(built - 1), 0.0)[: full.size]
    yield _block_case(run, place, "one coolant pump", f"{block}/cdu 1/pump 1", one)
    yield _block_case(run, place, "one coolant unit", f"{block}/cdu 1", less)
    if built > 1:
        yield _block_case(run, place, "all coolant units of a block", block, np.zeros(full.size))
    yield from _loop(
        run, int(site.halls.liquid_loop[place.hall]),
        lambda flow, units: Failure(water=flow, plant=units, approach=in_service.by_facility_flow(spec, flow[0][1])),
        "facility",
    )  # fmt: skip


def _block_case(run: Run, place: Place, name: str, element: str, flows: np.ndarray) -> Case:
    """Return the case of a block whose coolant units on duty move these shares of their flow."""
    site = run.world.site
    spec = site.topology.cooling.coolant_unit
    if not flows.any():
        return Case(name, element, Failure(coolant=NEVER, water=NEVER), False)
    if np.all(flows == 1.0):
        return Case(name, element, Failure(), False, "spare takes over")
    plate, pump_w = rack_of(site, place.block).plate, float(site.block_pump_w[place.block])
    load = float(run.world.state.blocks.liquid_w[place.block] / site.block_liquid_w[place.block])
    whole, left = (in_service.at_load(spec, plate, f, pump_w, load) for f in (np.ones(flows.size), flows))
    less = Failure(
        approach=left.approach_k_w / whole.approach_k_w,
        resistance=left.resistance_frac / whole.resistance_frac,
    )
    return Case(name, element, less, False, "the others take its share")


def _loop(run: Run, loop: int, fails: Fails, pump: str, of: str = "") -> Iterator[Case]:
    """Yield what can fail of a loop: its pumps, its plant's fans and units. `fails` makes a failure of (flow,
    share of the units), `pump` and `of` are how its pumps and plant are told apart from others."""
    told, up = run.world.site.loops[loop], float(run.world.state.loops.units_up[loop])
    cooling = run.world.site.topology.cooling
    plant = cooling.warm if told.kind == "warm" else cooling.chilled
    flow = plant.flow_frac(plant.pumps - 1)
    yield Case(f"one {pump} pump", f"{told.name}/pump 1", fails(((0.0, flow),), ALWAYS),
               note="spare takes over" * (flow == 1.0))  # fmt: skip
    yield Case(f"all {pump} pumps", f"{told.name}/pumps", fails(NEVER, ALWAYS))
    if plant.fans:
        yield Case(f"one {plant.fan_is}{of}", f"{told.name}/unit 1/fan 1", fails(ALWAYS, _less(1.0 / plant.fans, up)))
    yield Case(f"one {plant.unit_is}{of}", f"{told.name}/unit 1", fails(ALWAYS, _less(1.0, up)))
    yield Case(f"all {plant.unit_is}s{of}", f"{told.name}/units", fails(ALWAYS, NEVER))


def _less(lost: float, up: float) -> Steps:
    """Return the share of a plant's units that is left once so many of those in service are lost."""
    return ((0.0, max(1.0 - lost / up, 0.0)),)


def _air(run: Run, place: Place) -> Iterator[Case]:
    """Yield what can fail of a hall's air side, from one fan wall to a fan of the chilled plant."""
    site, h, air = run.world.site, place.hall, run.world.site.topology.cooling.fan_wall
    design_w, name = float(site.halls.fan_design_heat_w[h]), site.hall_names[h]
    left = air.moves(design_w, int(site.hall_walls[h]) - 1)
    enough = left * float(run.world.state.heat.air_full[h]) >= hall_air_w(run.world, h) / design_w
    yield Case("one air unit", f"{name}/air unit 1", Failure(air=AirFailure(fans=((0.0, left),))),
               note="the others speed up" * enough)  # fmt: skip
    yield Case("all air units", f"{name}/air units", Failure(air=AirFailure(fans=NEVER)))
    words = ("chilled", " of the chilled plant") if place.liquid else ("facility", "")
    yield from _loop(
        run, int(site.halls.air_loop[h]),
        lambda flow, units: Failure(air=AirFailure(water=flow, plant=units)), *words,
    )  # fmt: skip


def _power(run: Run, place: Place) -> Iterator[Case]:
    """Yield what can fail of the power of a hall's plants and pumps."""
    site, h = run.world.site, place.hall
    cooling, mechanical = site.topology.cooling, site.nodes[site.halls.plant_node[h]]
    yield Case("one mechanical substation", f"{mechanical.name}/1",
               Failure() if mechanical.count > 1 else _dark(run, place), note="the others carry it")  # fmt: skip
    yield Case("all mechanical substations", mechanical.name, _dark(run, place))
    pumps = site.nodes[site.halls.pump_node[h]]
    stands = Failure(
        coolant=NEVER if place.liquid and cooling.pumps_on_ups else ALWAYS,
        water=NEVER if cooling.loop_pumps_on_ups or (place.liquid and cooling.pumps_on_ups) else ALWAYS,
        air=AirFailure(water=NEVER if cooling.loop_pumps_on_ups else ALWAYS),
    )
    yield Case("pump UPS", pumps.name, stands)
    yield from _sag(run, place)


def _sag(run: Run, place: Place) -> Iterator[Case]:
    """Yield the voltage sag, where contactors drop out in it."""
    told, row = run.world.site.topology.ride_through, sag.sags(SAG_VOLTAGE, SAG_S)
    if sag.through_machines(row, told).served:
        return
    rides = sags.bears(run.world, place.hall, row)
    does = "racks ride through" if rides else "racks go dark, and boot and restart by themselves"
    mine = np.unique(run.world.state.racks.load[run.world.site.rack_hall == place.hall])
    works_s = SAG_S + told.boot + float(restarts_s(run)[mine].max())
    yield Case("voltage sag", "point of interconnection", _dark(run, place, SAG_S),
               note=f"{1e3 * SAG_S:g} ms, leaving {100 * SAG_VOLTAGE:g} % of the voltage; {does}",
               dark_s=None if rides else works_s)  # fmt: skip


def whole_supply(run: Run, place: Place, lost: Unsupplied) -> Case:
    """Return the loss of all import: racks run on as far as sets on site, or batteries of their own or of
    their lineup, carry them."""
    site, h = run.world.site, place.hall
    plan, bridge = site.hall_spec[h].distribution, run.world.state.tree.bridge
    backed = bool(bridge.of_block[place.block] >= 0) or (plan is not None and plan.ups is not None)
    dark_from_s = lost.dark_s.get(place.block) if backed else 0.0
    failure = _dark(run, place, lost.fed_s.get(h)) if h in lost.stopped else Failure()
    note = f"{_racks_told(backed, dark_from_s)}{_elsewhere(run, place, lost)}; {_plants_told(run, h, lost)}"
    return Case("whole supply", "point of interconnection", failure, note=note,
                dark_s=None if dark_from_s is None else math.inf, dark_from_s=dark_from_s or 0.0)  # fmt: skip


def _racks_told(backed: bool, dark_from_s: float | None) -> str:
    if not backed:
        return "racks go dark: they have no batteries"
    if dark_from_s is None:
        return "batteries and what runs on site carry the racks"
    return f"racks dark after {dark_from_s:.0f} s: batteries empty, nothing on site carries them"


def _elsewhere(run: Run, place: Place, lost: Unsupplied) -> str:
    """Return what is told of the blocks of accelerator racks in a hall's group that go dark."""
    site = run.world.site
    spec = site.hall_spec[place.hall]
    with_racks = np.unique(site.rack_block).tolist()
    mine = [b for b in with_racks if site.hall_spec[site.block_hall[b]] == spec]
    dark = [b for b in mine if b in lost.dark_s]
    if not dark:
        return ""
    first = min(dark, key=lambda b: lost.dark_s[b])
    return (f"; {len(dark)} of {len(mine)} blocks of its group of halls go dark, the first "
            f"{site.block_names[first]} after {lost.dark_s[first]:.0f} s")  # fmt: skip


def _plants_told(run: Run, hall: int, lost: Unsupplied) -> str:
    if hall not in lost.stopped:
        return "plants run on"
    if hall in lost.fed_s:
        return f"plants fed after {lost.fed_s[hall]:.0f} s"
    plant = run.world.site.topology.generators
    return "no generators" if plant is None or plant.sets == 0 else "plants not fed meanwhile"


def _dark(run: Run, place: Place, back_s: float | None = None) -> Failure:
    """Return what works where machines lose power now and have it again after some time, or never:
    pumps behind a UPS run on its batteries, the rest starts one after another."""
    site, cooling, hall = run.world.site, run.world.site.topology.cooling, place.hall
    chilled = _started(run, int(site.halls.air_loop[hall]), back_s)
    bridge_s, moving, bridged = bridges_s(run.world, hall), [(0.0, 0.0)], [(0.0, 1.0)]
    if back_s is None or back_s > bridge_s:
        bridged.append((bridge_s, 0.0))
    if back_s is not None:
        moving.append((back_s + starts(run.world)[0][0], 1.0))
        bridged += [(back_s, 1.0)] * (back_s > bridge_s)
    coolant: Steps = tuple(bridged if cooling.pumps_on_ups else moving)
    water: Steps = tuple(bridged if cooling.loop_pumps_on_ups else moving)
    fans: Steps = ALWAYS if cooling.fan_wall.passive else tuple(moving)
    air = AirFailure(fans=fans, water=water, plant=chilled)
    if not place.liquid:
        return Failure(air=air)
    warm = _started(run, int(site.halls.liquid_loop[hall]), back_s)
    return Failure(coolant=coolant, water=_both(water, coolant), plant=warm, air=air)


def _started(run: Run, loop: int, back_s: float | None) -> Steps:
    """Return the share of a loop's plant that runs where power is lost now and back after some time."""
    if back_s is None:
        return NEVER
    return ((0.0, 0.0), *((back_s + after_s, share) for after_s, share in starts(run.world, loop)))


def _both(one: Steps, other: Steps) -> Steps:
    """Return the lower of two shares over time."""
    times = sorted({t for t, _ in (*one, *other)})
    return tuple((t, min(share_at(one, t), share_at(other, t))) for t in times)
