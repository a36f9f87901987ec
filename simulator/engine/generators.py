"""Standby generators in a run: start, synchronising, block loading, fuel, failures while running.

Sets at lineups (`Generators.backs`) share one bus with the others, but a lineup whose own sets are not
all on it is not fed as long as nothing is imported: its blocks draw on the lineups that stand in for it.
"""

import math
from collections.abc import Generator
from typing import Any

import numpy as np

from simulator.components.failure_class import FailureClass
from simulator.components.power.generator import LITRES, Generators
from simulator.components.power.node import LINES, TRANSFORMERS
from simulator.engine import feeds, lineup_sets, outage
from simulator.engine.world import World
from simulator.kernels.site_step import STEP_S

WHOLE = 1e-9
"""Rounding in the count of blocks of load that the bus takes."""

ITS_SETS = FailureClass.model_validate(
    {"name": "generator", "per": "substation", "rate": "0 /year", "effect": "feed", "repair": "1 h"}
)
"""What happens to a lineup whose generators did not come up."""


def call(world: World) -> None:
    """Let the plant come up after a loss of supply, and trucks deliver fuel, unless it did already."""
    plant = world.site.topology.generators
    if plant is not None and world.called_s is None:
        world.called_s = world.env.now
        world.env.process(_come_up(world, plant))
        if plant.refuel > 0.0:
            outage.after(world, plant.refuel_after, lambda: _deliver(world, plant))


def stop(world: World) -> None:
    """Take all sets off the bus: supply is back."""
    if world.on_bus:
        world.log("generators_stopped", "generators", "supply")
    world.called_s = None
    world.on_bus.clear()
    _settle(world)


def lose(world: World, unit: int) -> None:
    """Take one set off the bus, if it is there."""
    if world.on_bus.pop(unit, None) is None:
        return
    _settle(world)
    for lineup in _short_of_sets(world):
        if not outage.absent(world, _unfed(lineup)):
            _leave_unfed(world, lineup)


def carries_w(world: World) -> float:
    """Return what the bus can carry in the next step, with the fuel that is left."""
    supply = world.state.supply
    plant, ready_w = supply.generators, float(supply.generator_w[0])
    needed_l = (plant.no_load_l_j * plant.running_w[0] + plant.slope_l_j * ready_w) * STEP_S
    there_l = plant.fuel_l[0] + plant.inflow_l_s[0] * STEP_S
    return ready_w if needed_l <= there_l else ready_w * float(there_l / needed_l)


def changes_s(world: World) -> list[float]:
    """Return the times from now on at which the sets are foreseen to carry more."""
    plant, now_s = world.site.topology.generators, world.env.now
    if plant is None:
        return []
    on_s = _foreseen(world, plant)
    each = math.ceil((1.0 - plant.first_step) / plant.further_step - WHOLE)
    times = {t + plant.recovery * k for t in on_s.values() for k in range(each + 1)}
    return sorted(t for t in times | {_trucks_s(world, plant)} if now_s < t < math.inf)


def bus_w(world: World, at_s: float) -> float:
    """Return what the bus is foreseen to carry at a time, now or later, with the fuel that is left."""
    plant = world.site.topology.generators
    if plant is None:
        return 0.0
    return _ready_w(plant, _foreseen(world, plant), at_s) * _fuelled(world, plant, at_s)


def at_lineups_w(world: World, at_s: float) -> np.ndarray | None:
    """Return what the own sets of each lineup are foreseen to carry at a time, (lineups,); None
    where they have none."""
    plant, counts = world.site.topology.generators, lineup_sets.of_lineups(world.site)
    if plant is None or not counts:
        return None
    on_s, first = _foreseen(world, plant), np.cumsum([0, *counts])
    each = [plant.takes(at_s - on_s[u]) if u in on_s else 0.0 for u in range(int(first[-1]))]
    sums = np.concatenate([[0.0], np.cumsum(each)])
    return plant.rating * (sums[first[1:]] - sums[first[:-1]]) * _fuelled(world, plant, at_s)


def until_import_s(world: World) -> float:
    """Return the time until something can be imported again, as far as repairs are known."""
    now_s = world.env.now
    known = [now_s, *outage.known_back_s(world)]
    return next(t for t in known if imports(world, t)) - now_s


def _foreseen(world: World, plant: Generators) -> dict[int, float]:
    """Return since or from when each set is on the bus; before any started, as if all will that can."""
    if world.on_bus or world.called_s is None or world.env.now >= world.called_s + plant.start:
        return world.on_bus
    sets, began_s = _ready(world, plant), world.called_s + plant.start
    return dict(zip(sets, (began_s + t for t in plant.on_bus_s(len(sets))), strict=True))


def _ready(world: World, plant: Generators) -> list[int]:
    """Return the sets that can be started for the bus."""
    alone = lineup_sets.taken(world)
    return [u for u in range(plant.sets) if u not in alone and not outage.absent(world, ("generator", u))]


def _trucks_s(world: World, plant: Generators) -> float:
    """Return when trucks begin to deliver; infinite if they do not."""
    called_s = world.called_s
    return math.inf if called_s is None or plant.refuel == 0.0 else called_s + plant.refuel_after


def _fuelled(world: World, plant: Generators, at_s: float) -> float:
    """Return the share of the sets' output that the fuel suffices for: now, and later as now until
    trucks come."""
    ready_w, state = float(world.state.supply.generator_w[0]), world.state.supply.generators
    if ready_w <= 0.0 or carries_w(world) >= ready_w:
        return 1.0
    if at_s < _trucks_s(world, plant):
        return carries_w(world) / ready_w
    needed_l_s = state.no_load_l_j * state.running_w[0] + state.slope_l_j * ready_w
    return min(plant.refuel * LITRES / float(needed_l_s), 1.0)


def tell_fuel(world: World, at_s: float) -> bool:
    """Log when the fuel does not suffice any more, which loses lineups that their own sets carry, and when it does
    again; return whether that changed."""
    short = bool(world.state.supply.generators.share[0] < 1.0)
    if short == world.fuel_short:
        return False
    world.fuel_short = short
    world.log("fuel_out" if short else "fuel_back", "generators", "fuel", at_s=at_s)
    if short:
        outage.after(world, at_s - world.env.now, lambda: _run_dry(world))
    return True


def _run_dry(world: World) -> None:
    """Let lineups go that their own sets carried, as far as no battery is left to them."""
    lost = lineup_sets.run_dry(world)
    for hall in sorted({int(world.site.node_hall[node]) for node in lost}):
        feeds.settle(world, hall, ITS_SETS)
    if lost and world.supply_changed is not None:
        world.supply_changed()


def _come_up(world: World, plant: Generators) -> Generator[Any, Any, None]:
    """Start the sets that are not under repair, put them on the bus one after another, load them in
    steps, and let those that run fail."""
    called_s = world.called_s
    yield world.env.timeout(plant.start)
    if world.called_s != called_s:
        return
    stream = world.stream("generator start")
    began_s, demand = world.env.now, int(world.env.now)
    started = [u for u in _ready(world, plant) if stream.uniform(u, demand) >= plant.fail_to_start]
    world.log("generators_started", "generators", detail=f"{len(started)} of {plant.sets}")
    world.on_bus = dict(zip(started, (began_s + t for t in plant.on_bus_s(len(started))), strict=True))
    _settle(world)
    for lineup in _short_of_sets(world):
        _leave_unfed(world, lineup)
    for after_s, _ in plant.steps(len(started))[1:]:
        world.env.process(_step(world, called_s, after_s))
    if plant.fail_running == 0.0:
        return
    runs = sorted((-math.log(stream.uniform(u, demand, 1)) / plant.fail_running, u) for u in started)
    for run_s, unit in runs:
        yield world.env.timeout(began_s + run_s - world.env.now)
        if world.called_s != called_s:
            return
        if unit in world.on_bus:
            lose(world, unit)  # tells its lineup, if it has one
            world.log("generator_failed", "generators", "generator", detail="while running")


def _short_of_sets(world: World) -> list[int]:
    """Return the lineups whose own sets are not all on the bus, by their substations."""
    first, short = 0, []
    for node, count in zip(world.site.lineups, lineup_sets.of_lineups(world.site), strict=False):
        alone = lineup_sets.called(world, node)
        if not alone and any(unit not in world.on_bus for unit in range(first, first + count)):
            short.append(node)
        first += count
    return short


def _unfed(lineup: int) -> tuple[str, int]:
    """Return the key, in `World.absent`, of a lineup that its sets do not feed."""
    return "unfed", lineup


def _leave_unfed(world: World, lineup: int) -> None:
    """Let a lineup be out until something is imported again, as far as repairs are known."""
    lasts_s = until_import_s(world)
    if lasts_s <= 0.0:
        return
    outage.lose(world, _unfed(lineup), lasts_s)
    world.log("generator_missing", world.site.nodes[lineup].name, "generator", lasts_s)
    feeds.lose(world, ITS_SETS, lineup, lasts_s)
    if world.supply_changed is not None:
        world.supply_changed()
    outage.after(world, lasts_s, lambda: _leave_unfed(world, lineup))  # another line may be out by then


def imports(world: World, at_s: float | None = None) -> bool:
    """Return whether a line and a main transformer are in service, now or at a time; now is when the connection
    has been told of it, which a medium-voltage network is before."""
    return (at_s is not None or world.may_import_w > 0.0) and all(
        outage.absent(world, ("bank", node), at_s) < world.site.nodes[node].count
        for node in (LINES, TRANSFORMERS)
    )


def _step(world: World, called_s: float | None, after_s: float) -> Generator[Any, Any, None]:
    """Let the sets take their next step of load."""
    yield world.env.timeout(after_s)
    if world.called_s == called_s:
        _settle(world)


def _settle(world: World) -> None:
    """Set what the bus can carry from now on; what comes late in a step counts for its rest only."""
    plant, supply, now_s = world.site.topology.generators, world.state.supply, world.env.now
    if plant is None:
        return
    into_s = now_s % STEP_S
    ready_w = _ready_w(plant, world.on_bus, now_s)
    running_w = plant.rating * (len(world.on_bus) + len(lineup_sets.running(world)))
    state = supply.generators
    state.late_j[0] += (ready_w - supply.generator_w[0]) * into_s
    state.running_late_j[0] += (running_w - state.running_w[0]) * into_s
    supply.generator_w[0], state.running_w[0] = ready_w, running_w
    world.tell_power("generators")
    if world.bus_changed is not None:
        world.bus_changed()


def _ready_w(plant: Generators, on_s: dict[int, float], at_s: float) -> float:
    """Return what the sets carry at a time, each on the bus since a time."""
    ready_w = plant.rating * math.fsum(plant.takes(at_s - s) for s in on_s.values())
    if plant.block is None:
        return ready_w
    # What is switched on as one waits until the bus takes all of it.
    return plant.block * math.floor(ready_w / plant.block + WHOLE)


def _deliver(world: World, plant: Generators) -> None:
    """Let trucks fill the tanks."""
    state = world.state.supply.generators
    if state.fuel_l[0] < state.capacity_l:
        state.inflow_l_s[0] = plant.refuel * LITRES
        world.log("refuelling", "generators", "fuel")
