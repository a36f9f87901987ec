"""What of the power chain is energised: reached from the utility or sources on site, or from a battery that
carries its lineup. The rest loses nothing."""

import numpy as np

from simulator.components.power.node import FEEDERS, LINES, TRANSFORMERS
from simulator.engine import bridging, generators, medium_voltage, sources
from simulator.engine.world import World


def settle(world: World) -> None:
    """Mark what is energised after something in the power chain changed. Main transformers are from the
    utility alone: sources on site feed the medium voltage below them with their breakers open."""
    site, tree = world.site, world.state.tree
    imports = generators.imports(world)
    fed = imports or sources.on_site_w(world) > 0.0
    on = tree.in_service > 0.0
    for i in range(tree.parent.size):
        if tree.stage[i] in (LINES, TRANSFORMERS):
            above = imports
        elif tree.stage[i] == FEEDERS:
            above = fed and medium_voltage.reached(world, int(site.node_hall[i]))
        else:
            above = bool(tree.live[tree.parent[i]]) or bridging.carries(world, int(tree.bridge.of_node[i]))
        tree.live[i] = np.int64(above and bool(on[i]))
