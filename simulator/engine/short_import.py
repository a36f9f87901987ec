"""Generators that also run while import is possible, but less than the campus draws (`Generators.starts`)."""

import numpy as np

from simulator.engine import draw, generators
from simulator.engine.world import World


def follow(world: World) -> None:
    """Start the plant if lines and main transformers in service let too little be imported and it is for that, and
    stop it otherwise; while nothing is imported it is `engine/power.py` that calls it."""
    if generators.imports(world) and not short(world):
        if world.called_s is not None:
            generators.stop(world)
    elif generators.imports(world):
        generators.call(world)


def short(world: World) -> bool:
    """Return whether a line or main transformer is out and the campus asks for more than the others let in."""
    plant = world.site.topology.generators
    if plant is None or plant.starts != "short" or world.state.tree.in_service[: draw.BELOW_GRID].min() == 1.0:
        return False
    loads, blocks = world.state.loads, world.state.blocks
    it_w = draw.draw_of(world).it_w(np.ones(loads.on.size), np.ones(blocks.load_cap.shape))
    return draw.poi_w(world, draw.carried_w(world, it_w)) > world.may_import_w * (1.0 - world.state.supply.margin)
