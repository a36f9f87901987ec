"""Who carries the racks without accelerators of a hall: network, storage and CPU racks, block by block.

Without supply above it the UPS of a block carries it until its batteries are empty; then it draws nothing, and
the accelerator racks whose switches stand in it are out until they have power and have booted. While nothing
is imported, and while its return is held by a ramp, sources carry such blocks before all else, one hall after
another; without import the batteries of the others are one store, which the pumps on UPS share.
"""

from functools import partial

import numpy as np

from simulator.engine import generators, medium_voltage, outage, power_loss, sides, sources, support
from simulator.engine.world import World
from simulator.kernels.limits import SLACK
from simulator.kernels.site_step import STEP_S

EMPTY_S = 1.0
"""Time left at which batteries count as empty; also the least time between looks."""
UNKNOWN_S = 3600.0
"""Until it is looked again whether blocks have power whose return nothing foretells."""


def changed(world: World, cause: str) -> None:
    """Look which support racks are fed after something in the power chain changed."""
    told, tree = world.support, world.state.tree
    input_w = tree.input_w[told.entry] - tree.charge.drawn_w[told.entry]
    told.needs_w[:] = np.where(np.isnan(told.cut_s) & (input_w > 0.0), input_w, told.needs_w)
    for block in told.blocks.tolist():
        fed, cut = carried(world, block), not np.isnan(told.cut_s[block])
        if cut and fed:
            _feed(world, block, cause)
        elif not (cut or fed):
            _cut(world, block, cause)


def carried(world: World, block: int, at_s: float | None = None) -> bool:
    """Return whether utility or sources on site carry a block, now or at a later time as far as is known."""
    hall = int(world.site.block_hall[block])
    if not (sides.feeding(world, block, at_s).any() and medium_voltage.reached(world, hall, at_s)):
        return False
    if at_s is None and world.support.fed[block] and generators.imports(world):
        return True
    return _needs_w(world, block) <= sources.carry_w(world, at_s) * (1.0 + SLACK)


def _needs_w(world: World, block: int) -> float:
    """Return what a block draws, and those before it."""
    told = world.support
    return float(told.needs_w[told.blocks[told.blocks <= block]].sum())


def on_batteries_w(world: World) -> float:
    """Return what blocks draw whose UPS carry them."""
    told = world.support
    return float(told.needs_w[~np.isnan(told.cut_s) & (told.fed > 0.0)].sum())


def _cut(world: World, block: int, cause: str) -> None:
    """Leave a block to its batteries."""
    told, site = world.support, world.site
    told.cut_s[block] = world.env.now
    left_s = _left_s(world, block)
    if left_s <= 0.0:
        _darken(world, block, cause)
        return
    if generators.imports(world):
        world.log("on_battery", site.nodes[sides.nodes(site, block)[1]].name, cause, left_s)
    _look_after(world, block, left_s, cause)


def _look_after(world: World, block: int, left_s: float, cause: str) -> None:
    """Look again when batteries are empty as far as is known; what shares a store may draw less or more."""
    known_s = left_s if generators.imports(world) else min(left_s, STEP_S)
    outage.after(world, max(known_s, EMPTY_S), partial(_look, world, block, float(world.support.cut_s[block]), cause))


def _look(world: World, block: int, since_s: float, cause: str) -> None:
    """See whether the batteries of a block are empty, unless it was fed since it was cut off."""
    if world.support.cut_s[block] != since_s or not world.support.fed[block]:
        return
    left_s = _left_s(world, block)
    if left_s > EMPTY_S:
        _look_after(world, block, left_s, cause)
    else:
        _darken(world, block, cause)


def _left_s(world: World, block: int) -> float:
    """Return how long the batteries of a block carry it from now on: of its own UPS, full when it was cut
    off, or, while nothing is imported, of all that hang on theirs, which carry what the campus still draws."""
    told, alone_s = world.support, sides.carries_s(world, block)
    since_s = float(told.cut_s[block])
    if generators.imports(world) or alone_s <= 0.0:
        return since_s + alone_s - world.env.now
    there, now_s = world.state.supply, world.env.now
    into_s = now_s % STEP_S
    if now_s - into_s <= since_s:  # no step ended yet in which this holds
        into_s = now_s - since_s
        drain_w = on_batteries_w(world)
    else:
        drain_w = float(world.state.tree.input_w[0]) - sources.on_site_w(world)
    drain_w += float(world.state.plant_w[world.state.heat.bridged == 1, 1].sum())
    return float(there.ride_through_j[0]) / max(drain_w, float(told.needs_w[block])) - into_s


def _darken(world: World, block: int, cause: str) -> None:
    """Let a block draw nothing, and take out the racks that it switches."""
    world.support.fed[block] = 0.0
    support.switch(world, block)
    world.log("support_dark", world.site.block_names[block], cause, _until_fed_s(world, block))
    _hold(world, block, cause)


def _hold(world: World, block: int, cause: str) -> None:
    """Keep the racks out that have no switches, until these have power as far as is known, and anew as long
    as they have not."""
    racks = sides.behind_switches(world.site, block)
    if world.support.fed[block] or carried(world, block) or not racks.size:
        return
    lasts_s = _until_fed_s(world, block)
    waiting = world.starts.fed_s[racks] >= world.env.now + lasts_s
    power_loss.take_out(world, racks[~waiting], cause, lasts_s)
    outage.after(world, lasts_s, partial(_hold, world, block, cause))


def _feed(world: World, block: int, cause: str) -> None:
    """Let a block draw again, and its batteries rest."""
    told, was_dark = world.support, not world.support.fed[block]
    told.cut_s[block], told.fed[block] = np.nan, 1.0
    if was_dark:
        support.switch(world, block)
        world.log("support_fed", world.site.block_names[block], cause)


def _until_fed_s(world: World, block: int) -> float:
    """Return the time until a block is carried again, as far as repairs and generators are known."""
    now_s = world.env.now
    known = {*outage.known_back_s(world), *generators.changes_s(world)}
    ramp_s = float(sources.ramp_takes_s(world, np.array(_needs_w(world, block))))
    known.add(now_s + generators.until_import_s(world) + ramp_s)
    return next((t - now_s for t in sorted(known) if t > now_s and carried(world, block, t)), UNKNOWN_S)
