"""Support racks whose draw follows a job instead of their own steady utilization."""

import numpy as np
import simpy

from simulator.components.rack import Rack
from simulator.components.sizing import support_w
from simulator.engine.world import World
from simulator.errors import squash
from simulator.kernels.site_step import STEP_S
from simulator.site import Site, Support


def of_type(site: Site, rack: str) -> list[Support]:
    """Return the support racks of one type in every hall, by the type's name or an alias."""
    return [entry for entry in site.support if _named(entry.rack, rack)]


def count(site: Site, rack: str) -> int:
    """Return how many support racks of one type there are."""
    return sum(entry.count for entry in of_type(site, rack))


def in_service(world: World, rack: str) -> float:
    """Return how many support racks of one type work, parts of them counted as parts."""
    down = world.state.support_down
    return sum(
        max(entry.count - float(out) / entry.rack.servers, 0.0)
        for entry, out in zip(world.site.support, down, strict=True) if _named(entry.rack, rack)
    )  # fmt: skip


def lose_servers(world: World, kind: int, servers: float) -> None:
    """Take servers of the support racks of one kind in a hall out of service; a negative number
    brings them back."""
    world.state.support_down[kind] += servers
    world.store.lose_servers(world.site.support[kind].rack, servers)
    changed, world.support_changed = world.support_changed, None
    if changed is not None:
        changed.succeed()


def next_change(world: World) -> simpy.Event:
    """Return an event that fires when servers of support racks go out of service or come back."""
    if world.support_changed is None:
        world.support_changed = world.env.event()
    return world.support_changed


def occupy(world: World, rack: str, utilization: float) -> None:
    """Have the racks of a type draw what they draw at `utilization` from now on."""
    _change(world, rack, utilization, +1.0)


def free(world: World, rack: str, utilization: float) -> None:
    """Have them draw again what they draw by themselves."""
    _change(world, rack, utilization, -1.0)


def follow_storage(world: World) -> None:
    """Have the storage racks draw what their use asks for, where the document says how they serve."""
    store = world.store
    if world.site.topology.storage is None:
        return
    if store.drawn is not None:
        free(world, store.spec.rack, store.drawn)
    store.drawn = store.spec.idle + (1.0 - store.spec.idle) * store.used()
    occupy(world, store.spec.rack, store.drawn)


def _change(world: World, rack: str, utilization: float, sign: float) -> None:
    """Add what the racks draw beyond their steady draw to their blocks, or take it off again.

    Blocks without power draw it once they are fed.
    """
    change_w = np.zeros(len(world.site.block_names))
    for entry in of_type(world.site, rack):
        beyond_w = support_w(entry.rack, utilization) - entry.power_w
        change_w[world.site.support_block(entry.hall)] += sign * entry.count * beyond_w
    world.support.full_w += change_w
    _draw(world, world.support.fed * change_w)


def switch(world: World, block: int) -> None:
    """Let the racks of a block draw from now on as they have power, or none."""
    told, change_w = world.support, np.zeros(len(world.site.block_names))
    change_w[block] = told.full_w[block] if told.fed[block] else -told.full_w[block]
    _draw(world, change_w)


def _draw(world: World, change_w: np.ndarray) -> None:
    """Change what blocks draw from now on. That is told as the mean of the step: the step at hand takes its
    rest of the change, the next one all of it."""
    gone_frac = world.env.now % STEP_S / STEP_S
    draw_w, told = world.state.blocks.support_w, world.support
    draw_w += (1.0 - gone_frac) * change_w

    def settle() -> None:
        draw_w[:] = told.fed * told.full_w

    if gone_frac > 0.0:
        rest = world.env.timeout((1.0 - gone_frac) * STEP_S)
        rest.callbacks.append(lambda _: settle())
    else:
        settle()


def _named(rack: Rack, name: str) -> bool:
    return squash(name) in {squash(known) for known in (rack.name, *rack.aliases)}
