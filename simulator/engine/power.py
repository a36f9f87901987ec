"""The connection of the campus: lines and main transformers that leave service and come back."""

from functools import partial

from simulator.components.power.node import TRANSFORMERS
from simulator.engine import generators, hand_back, island, short_import
from simulator.engine.world import World
from simulator.kernels.site_step import STEP_S


def lose_unit(world: World, node: int) -> None:
    """Take one line or main transformer out of service."""
    _set_in_service(world, node, -1)


def return_unit(world: World, node: int) -> None:
    """Put one back."""
    _set_in_service(world, node, +1)


def _set_in_service(world: World, node: int, change: int) -> None:
    state, grid = world.state, world.site.topology.grid
    counts = [world.site.nodes[i].count for i in (0, 1)]
    tree = state.tree
    up = [round(tree.in_service[i] * counts[i]) for i in (0, 1)]
    up[node] = min(max(up[node] + change, 0), counts[node])
    tree.in_service[node] = up[node] / counts[node]
    if node == TRANSFORMERS:
        world.transformers_up.append((world.env.now, up[node]))
    before_w, world.may_import_w = world.may_import_w, grid.available_w(up[0], up[1])
    _follow(world, before_w, world.site.nodes[node].name)
    world.tell_power("supply")


def _follow(world: World, before_w: float, cause: str) -> None:
    """Act on a change of what may be imported."""
    supply, limit_w = world.state.supply, world.may_import_w
    was_w, drawn_w = float(supply.limit_w[0]), float(world.state.tree.charge.asked_w[0])
    supply.limit_w[0] = limit_w if world.back_w is None else min(world.back_w, limit_w)
    lost_w = min(was_w, drawn_w) - min(float(supply.limit_w[0]), drawn_w)
    supply.early_j[0] += max(lost_w, 0.0) * (world.env.now % STEP_S)
    if limit_w == 0.0 and before_w > 0.0:
        world.log("supply_lost", "point of interconnection", cause)
        if world.back_w is not None:  # sources on site have not stopped
            world.back_w = None
            world.forgotten.clear()
            island.settle(world)
            return
        world.supply_lost_s = world.env.now
        generators.call(world)
        world.bus_changed = partial(island.settle, world)
        island.begin(world)
    elif before_w == 0.0 and limit_w > 0.0:
        world.log("supply_returned", "point of interconnection")
        hand_back.begin(world)
    elif limit_w > 0.0 and world.back_w is None:
        short_import.follow(world)
