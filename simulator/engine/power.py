"""The connection of the campus: lines and main transformers that leave service and come back."""

from functools import partial

from simulator.components.power.node import TRANSFORMERS
from simulator.engine import generators, island
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
    before_w = float(state.supply.limit_w[0])
    state.supply.limit_w[0] = grid.available_w(up[0], up[1])
    if state.supply.limit_w[0] == 0.0 and before_w > 0.0:
        world.supply_lost_s = world.env.now
        world.log("supply_lost", "point of interconnection", world.site.nodes[node].name)
        drawn_w = min(before_w, float(tree.input_w[0]))
        state.supply.early_j[0] += drawn_w * (world.env.now % STEP_S)
        generators.call(world)
        world.bus_changed = partial(island.settle, world)
        island.begin(world)
    elif before_w == 0.0 and state.supply.limit_w[0] > 0.0:
        world.supply_lost_s = None
        world.log("supply_returned", "point of interconnection")
        world.bus_changed = None
        generators.stop(world)
        island.end(world)
    world.tell_power("supply")
