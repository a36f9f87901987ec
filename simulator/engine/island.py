"""Lineups of racks while nothing is imported: which of them the sources on site carry, and from when on.

Sets at lineups carry their own lineup, once they take what it drew. Sets on one bus, and the battery
plant for as long as it has charge, carry all that is no lineup first, and then lineups in their order, each as
a whole. A lineup that nothing carries is out: its own UPS, or the batteries of its racks, bridge it by their
own charge, and what has none left is dark (`feeds.py`) until its turn comes or something is imported again.
"""

import numpy as np

from simulator.components.failure_class import FailureClass
from simulator.engine import bridging, draw, feeds, generators, sources
from simulator.engine.world import REST, World

SLACK = 1e-9
"""Relative; a lineup that fills its source exactly is carried."""

NOTHING_FED = FailureClass.model_validate(
    {"name": "supply", "per": "substation", "rate": "0 /year", "effect": "feed", "repair": "1 h"}
)
"""What happens to a lineup that no source on site carries."""


def begin(world: World) -> None:
    """Part the lineups from the utility that was lost, each battery with the charge that it has."""
    for row in range(world.state.supply.bridge.batteries):
        bridging.take_share(world, row)
    outputs_w = draw.carried_w(world, draw.draw_of(world).it_w(*draw.caps_of(world)))
    in_service, needs_w = world.state.tree.in_service, {}
    for node in world.site.lineups:
        told, output_w = world.site.nodes[node], float(outputs_w[node])
        rating_w = told.rating_w * float(in_service[node])  # a lineup that is out asks for nothing
        needs_w[node] = output_w + told.loss.loss_w(output_w, rating_w) if rating_w > 0.0 else 0.0
    needs_w[REST] = max(draw.poi_w(world, outputs_w) - sum(needs_w.values()), 0.0)
    world.needs_w = needs_w
    world.sets_fed_s.clear()  # lineups on their own sets wait for the utility anew
    settle(world)


def end(world: World) -> None:
    """Feed all lineups again: something is imported. Sets that carry one alone which could be fed stop after a
    while."""
    world.needs_w = {}
    world.forgotten.clear()
    _apply(world, {})
    for hall in sorted({int(world.site.node_hall[node]) for node in world.sets_due}):
        feeds.settle(world, hall, NOTHING_FED, lost=False)


def settle(world: World) -> None:
    """Decide anew which lineups are carried, after the sources on site changed."""
    if world.needs_w:
        _apply(world, _until(world))


def _apply(world: World, off: dict[int, float]) -> None:
    """Let the lineups in `off` be out until a time each, and no others."""
    before, world.off_bus = world.off_bus, off
    changed = [n for n in before.keys() | off.keys() if before.get(n) != off.get(n)]
    if not changed:
        return
    if len(before) != len(off):
        fed = len(world.site.lineups) - len(off)
        world.log("lineups_fed", "point of interconnection", NOTHING_FED.name,
                  detail=f"{fed} of {len(world.site.lineups)}")  # fmt: skip
    later = {n for n in off if off[n] > before.get(n, 0.0)}
    hall_of = world.site.node_hall
    for hall in sorted({int(hall_of[n]) for n in changed}):
        feeds.settle(world, hall, NOTHING_FED, lost=any(hall_of[n] == hall for n in later))


def _until(world: World) -> dict[int, float]:
    """Return the lineups that nothing carries now, and when each is carried as far as is known."""
    now_s, nodes = world.env.now, np.array(world.site.lineups)
    until_s = np.full(nodes.size, now_s + generators.until_import_s(world))
    if world.back_w is not None:
        until_s += sources.ramp_takes_s(world, _needs_w(world).cumsum() + world.needs_w[REST])
    for at_s in sorted(generators.changes_s(world), reverse=True):
        until_s = np.where(_carried(world, at_s), at_s, until_s)
    until_s = np.where(_carried(world, now_s), now_s, until_s)
    return {int(n): float(t) for n, t in zip(nodes, until_s, strict=True) if t > now_s}


def _carried(world: World, at_s: float) -> np.ndarray:
    """Return which lineups the sources carry at a time, now or later: boolean (lineups,)."""
    needs_w, own_w = _needs_w(world), generators.at_lineups_w(world, at_s)
    if own_w is None:
        ready_w = sources.carry_w(world, at_s) - world.needs_w[REST]
        return np.asarray(needs_w.cumsum() <= ready_w * (1.0 + SLACK))
    own = needs_w <= own_w * (1.0 + SLACK)
    if not generators.imports(world, at_s):
        return own
    return np.asarray(own | (np.where(own, 0.0, needs_w).cumsum() <= sources.ramped_w(world, at_s) * (1.0 + SLACK)))


def _needs_w(world: World) -> np.ndarray:
    """Return what each lineup needs, (lineups,); nothing where its racks boot in their turn."""
    return np.array([0.0 if n in world.forgotten else world.needs_w[n] for n in world.site.lineups])


def forget_dark(world: World) -> None:
    """Let lineups whose racks are dark need nothing while import returns: they are fed first, and their racks
    boot in their turn."""
    site, it_w = world.site, world.state.blocks.it_w
    live: set[int] = set()
    for block in np.flatnonzero(it_w > 0.0):
        for k in range(site.feed_first[block], site.feed_first[block + 1]):
            live.update(site.feed_paths[k])
    world.forgotten |= world.off_bus.keys() - live
