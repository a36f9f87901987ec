"""Planned work: maintenance of every element in turn, and upgrades that roll through the racks.

Both are announced: a job above what is taken out saved just before, and loses nothing but time.
"""

from collections.abc import Generator
from typing import Any, Literal

import numpy as np

from simulator.components.failure_class import FailureClass
from simulator.components.operations import Maintenance, Operations, Upgrade
from simulator.engine import effects, outage
from simulator.engine.alarm import Alarm
from simulator.engine.elements import elements
from simulator.engine.outage_log import OWN, STAGES, Repair
from simulator.engine.world import World
from simulator.site import Site

POSTPONED_S = 3600.0
"""How soon work is tried again for which too much is out already (assumed)."""
EFFECT_OF = {
    "server": "server", "rack": "rack", "block": "block", "leaf_switch": "switch",
    "spine_switch": "switch", "core_switch": "switch", "liquid_plant_unit": "plant_unit",
    "air_plant_unit": "plant_unit", "coolant_unit": "flow", "line": "line",
    "transformer": "transformer", "feeder": "feeder", "ups_module": "ups", "generator": "generator",
    "substation": "feed", "busway": "feed", "mv_section": "feed",
}
"""What taking an element out for work on it does."""
GROUP_OF = {
    "flow": "coolant unit", "feeder": "feeder", "ups": "ups", "generator": "generator", "feed": "feed",
}
"""What the groups of `World.absent` begin with, by effect."""
EMPTIED = ("server", "rack", "block", "leaf_switch")
"""Elements that carry work, which takes time to drain."""

Process = Generator[Any, Any, None]


def schedule(world: World, operations: Operations) -> None:
    """Start a process for everything that is planned."""
    for plan in operations.maintenance:
        world.env.process(_maintain(world, plan, operations.drain))
    for upgrade in operations.upgrades:
        world.env.process(_upgrade(world, upgrade, operations.drain))


def turns(site: Site, plan: Maintenance) -> list[list[tuple[int, int]]]:
    """Return (target, unit) of the elements that are out together, in order of their turns."""
    found = list(elements(site, class_of(plan)).values())
    if plan.on == "server":
        found = [(r, s) for r, _ in found for s in range(int(site.rack_servers[r]))]
    return [found[i : i + plan.at_once] for i in range(0, len(found), plan.at_once)]


def class_of(plan: Maintenance) -> FailureClass:
    """Return planned work as a class of failures that never happens by chance."""
    given = {
        "name": plan.name, "per": plan.on, "rate": 0.0, "effect": EFFECT_OF[plan.on],
        "repair": plan.lasts,
    }
    return FailureClass.model_validate(given, context={"si": True})


def _maintain(world: World, plan: Maintenance, drain_s: float) -> Process:
    """Take every element out in turn, evenly spread over the time between two turns of one."""
    env, cls, order = world.env, class_of(plan), turns(world.site, plan)
    drain_s = drain_of(plan, drain_s)
    k = 0
    while order:
        due_s = plan.first + k * plan.every / len(order)
        yield env.timeout(max(due_s - env.now, 0.0))
        group = order[k % len(order)]
        while not all(_whole(world, cls.effect, target) for target, _ in group):
            yield env.timeout(POSTPONED_S)
        for target, unit in group:
            work = planned_work(env.now, drain_s, plan.lasts, "maintenance")
            effects.inflict(world, cls, target, unit, work, "planned")
        k += 1


def drain_of(plan: Maintenance, drain_s: float) -> float:
    """Return how long it takes to empty an element; nothing where it carries no work."""
    return drain_s if plan.on in EMPTIED else 0.0


def _whole(world: World, effect: str, target: int) -> bool:
    """Return whether none is out of the units that stand in for each other."""
    if effect == "plant_unit":
        return bool(world.state.loops.units_up[target] >= world.site.loops[target].units)
    if effect in ("line", "transformer"):
        return bool(world.state.tree.in_service[target] >= 1.0)
    alike = [g for g in world.absent if isinstance(g, tuple) and g[0] == GROUP_OF.get(effect)]
    members = next((g for g in world.site.stand_ins if g[0] == target), (target,))
    mine = alike if effect == "generator" else [g for g in alike if g[1] in members]
    return not any(outage.absent(world, group) for group in mine)


def _upgrade(world: World, plan: Upgrade, drain_s: float) -> Process:
    """Take wave after wave out, with time between to see whether the upgrade holds."""
    yield world.env.timeout(plan.at)
    for racks, servers in waves(world.site, plan):
        lasts_s = drain_s + plan.lasts
        work = planned_work(world.env.now, drain_s, plan.lasts, "upgrade")
        if plan.on == "rack":
            outage.take_out(world, racks, plan.name, lasts_s, OWN, work)
        else:
            held = world.state.racks.load[racks].copy()
            outage.servers_out(world, racks, servers, plan.name, lasts_s, work)
            for load in np.unique(held):
                alarm = Alarm(plan.name, racks[held == load], transient=False, planned=True)
                world.alarm(int(load), alarm)
        wave = f"wave of {int(servers.sum())} {plan.on}s from here on"
        world.log("upgrade", world.rack_name(int(racks[0])), plan.name, lasts_s, wave)
        yield world.env.timeout(lasts_s + plan.soak)


def waves(site: Site, plan: Upgrade) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the racks of each wave, and how many of it each holds (racks: one)."""
    named = np.array([not plan.halls or hall.name in plan.halls for hall in site.hall_spec])
    racks = np.flatnonzero(named[site.rack_hall])
    each = site.rack_servers[racks].astype(np.int64) if plan.on == "server" else 1
    units = np.repeat(racks, each)
    found = []
    for i in range(0, units.size, plan.wave):
        chosen, count = np.unique(units[i : i + plan.wave], return_counts=True)
        found.append((chosen, count.astype(float)))
    return found


def planned_work(
    now_s: float, drain_s: float, lasts_s: float, stage: Literal["maintenance", "upgrade"]
) -> Repair:
    """Return work that begins when what it takes is emptied, and is announced."""
    stages = (STAGES.index("drain"), STAGES.index(stage))
    return Repair(stages, (now_s + drain_s, now_s + drain_s + lasts_s), planned=True)
