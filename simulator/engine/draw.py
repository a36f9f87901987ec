"""What loads draw at this moment, and what the elements of the power chain would carry: the kernels'
formulas, asked between two steps.

Elements are the nodes of the power tree and, after them, the lines, main transformers and branches of
a medium-voltage network, one by one.
"""

from dataclasses import dataclass

import numpy as np

from simulator.components.power import loading
from simulator.components.power.node import Node
from simulator.engine import bridging, sources
from simulator.engine.world import World
from simulator.kernels import power_tree
from simulator.kernels.columns import TreeState


@dataclass(frozen=True)
class Draw:
    """Power into racks in W by block and load, (blocks, loads)."""

    idle_w: np.ndarray
    """Powered and at rest."""
    dynamic_w: np.ndarray
    """Further, at the work each load does now, held back by heat and by the blocks' own caps but by
    no other."""

    def it_w(self, caps: np.ndarray, part: np.ndarray) -> np.ndarray:
        """Return the power into the racks of each block, (blocks,), under caps of loads (loads,) and
        of loads in blocks (blocks, loads); a cap of 0 is off."""
        factor = caps * part
        rest_w = np.where(factor > 0.0, self.idle_w, 0.0).sum(axis=1)
        total_w: np.ndarray = rest_w + (self.dynamic_w * factor).sum(axis=1)
        return total_w


def draw_of(world: World, up: np.ndarray | None = None, dynamic_frac: np.ndarray | None = None) -> Draw:
    """Return what every load draws, those that are switched off as if they were on; as if so much of each
    rack were in service (racks,), and loads did so much (loads,), where that is given."""
    state, rows = world.state, world.site.rack_rows
    racks, loads, blocks = state.racks, state.loads, state.blocks
    block, load = rows.block, racks.load
    chips, up = rows.accelerators, racks.up_frac if up is None else up
    does = loads.dynamic_frac if dynamic_frac is None else dynamic_frac
    leak_w = rows.leakage_w_k * (racks.junction_c - rows.leakage_ref_c)
    idle_w = up * (chips * (rows.chip_idle_w + leak_w) + rows.host_idle_w)
    part = blocks.load_cap[block, load]
    held = np.minimum(racks.power_cap / np.maximum(part, 1e-9), 1.0)
    full_w = chips * rows.chip_dynamic_w + rows.host_dynamic_w
    busy_w = idle_w + up * full_w * does[load] * held
    at_rest_w, at_work_w = (_input_w(world, w) for w in (idle_w, busy_w))
    shape = (blocks.it_w.size, loads.on.size)
    place = block * shape[1] + load
    sums = [
        np.bincount(place, weights=w, minlength=shape[0] * shape[1]).reshape(shape)
        for w in (at_rest_w, at_work_w - at_rest_w)
    ]
    return Draw(*sums)


def caps_of(world: World) -> tuple[np.ndarray, np.ndarray]:
    """Return the caps in force, of loads (loads,) and of loads in blocks (blocks, loads)."""
    loads = world.state.loads
    return (loads.on > 0.0) * loads.cap, world.state.blocks.load_cap


def _input_w(world: World, dc_w: np.ndarray) -> np.ndarray:
    """Return the input of racks whose shelves deliver `dc_w`."""
    rows = world.site.rack_rows
    rating_w = rows.shelf_rating_w
    fixed_w = np.where(dc_w > 0.0, rating_w * rows.shelf_no_load, 0.0)
    curve = 1.0 + rows.shelf_linear + rows.shelf_load / rating_w * dc_w
    total_w: np.ndarray = fixed_w + dc_w * curve
    return total_w


BELOW_GRID = 2
"""First node below the lines and main transformers, which what is fed in on site relieves."""


def element(world: World, i: int) -> Node:
    """Return what an element is."""
    nodes, mesh = world.site.nodes, world.site.mesh
    if i < len(nodes) or mesh is None:
        return nodes[i]
    return mesh.nodes[i - len(nodes)]


def carried_w(world: World, it_w: np.ndarray) -> np.ndarray:
    """Return what every element would carry, (elements,), if the accelerator racks of each block drew
    `it_w`; support racks, plants and offices as in the last step."""
    tree = _solved(world, it_w)
    return np.concatenate([tree.output_w, np.abs(tree.mesh.flow_w)])


def indoor_w(world: World, it_w: np.ndarray) -> np.ndarray:
    """Return the losses of the power chain that the air of each hall would take, (halls,)."""
    found: np.ndarray = _solved(world, it_w).indoor_w
    return found


def _solved(world: World, it_w: np.ndarray) -> TreeState:
    """Return the power tree under a draw of the accelerator racks of each block."""
    state, halls = world.state, world.site.halls
    direct_w = np.zeros(state.tree.parent.size)
    blocks, bridge = state.blocks, state.tree.bridge
    fed_w = np.where(_on_batteries(world), 0.0, it_w + support_w(world))
    drawn_w = np.repeat(fed_w, np.diff(blocks.feed_first)) * blocks.feed_share
    np.add.at(direct_w, blocks.feed_node, drawn_w)
    np.add.at(direct_w, halls.plant_node, state.plant_w[:, 0] + halls.house_w * state.heat.lit)
    np.add.at(direct_w, halls.pump_node, state.plant_w[:, 1])
    branches = state.tree.mesh.flow_w.size
    tree = state.tree._replace(
        output_w=direct_w, input_w=np.zeros(direct_w.size), peak_w=np.zeros(direct_w.size),
        loss_j=np.zeros(state.tree.loss_j.size), indoor_w=np.zeros(state.tree.indoor_w.size), indoor_j=np.zeros(1),
        mesh=state.tree.mesh._replace(flow_w=np.zeros(branches), peak_w=np.zeros(branches)),
        charge=state.tree.charge._replace(drawn_w=np.zeros(direct_w.size)),
        bridge=bridge._replace(share=bridge.following.copy(), out_w=np.zeros(1), loss_w=np.zeros(1),
                               made_w=np.zeros(1)),
    )
    world.entry(power_tree.solve, tree, 0.0)(tree, 0.0)
    return tree


def support_w(world: World) -> np.ndarray:
    """Return what the racks without accelerators of each block draw, less those that hot air keeps off, and
    the racks that start: (blocks,)."""
    blocks = world.state.blocks
    drawn_w: np.ndarray = blocks.support_w * blocks.support_share + blocks.starting_w.sum(axis=1)
    return drawn_w


def _on_batteries(world: World) -> np.ndarray:
    """Return the blocks that the batteries of their racks carry: boolean (blocks,)."""
    bridge = world.state.tree.bridge
    return np.asarray(np.append(bridge.following, 0.0)[bridge.of_block] > 0.0)  # -1: it has none


def poi_w(world: World, outputs: np.ndarray) -> float:
    """Return the demand at the interconnection in W that belongs to these outputs."""
    node, tree = world.site.nodes[0], world.state.tree
    rating_w = node.rating_w * float(tree.in_service[0])
    loss_w = node.loss.loss_w(float(outputs[0]), rating_w) if rating_w > 0.0 else 0.0
    return float(outputs[0]) + loss_w


def relieved(world: World, carried_w: np.ndarray, relief_w: float) -> np.ndarray:
    """Return what elements carry when so much is fed in on site, below lines and main transformers."""
    tree, left_w = world.state.tree, carried_w.copy()
    left_w[:BELOW_GRID] -= relief_w
    above = np.flatnonzero(tree.mesh.stage < BELOW_GRID) + tree.parent.size
    demand_w = poi_w(world, carried_w)
    left_w[above] *= 1.0 - relief_w / demand_w if demand_w > 0.0 else 1.0
    return left_w


def foretold_w(world: World, it_w: np.ndarray) -> np.ndarray:
    """Return what every element would carry, as `carried_w`, less what generators and the battery give
    to meet demand beyond the import in service."""
    return relieved_on_site(world, carried_w(world, it_w))


def relieved_on_site(world: World, carried: np.ndarray) -> np.ndarray:
    """Return what every element carries less what generators and the battery give to meet demand beyond
    the import in service."""
    there = world.state.supply
    short_w = max(poi_w(world, carried) - float(there.limit_w[0]), 0.0)
    return relieved(world, carried, min(short_w, sources.on_site_w(world)))


def ratings_w(world: World) -> np.ndarray:
    """Return the real power at rated current of every element with the units that are in service, (elements,)."""
    tree = world.state.tree
    return np.concatenate([tree.rating_w * tree.in_service, tree.mesh.rating_w])


def loadings(world: World, carried_w: np.ndarray, rating_w: np.ndarray | None = None) -> np.ndarray:
    """Return the current in every element that carries so much, over the rated one, (elements,): of the units that
    are in service, or of `rating_w` in real power; zero where that is zero."""
    rating_w = ratings_w(world) if rating_w is None else rating_w
    share = np.divide(carried_w, rating_w, np.zeros(rating_w.size), where=rating_w > 0.0)
    return loading.current(share, world.state.limits.sag)


def limits_w(world: World) -> np.ndarray:
    """Return the most real power that every element with the units that are in service carries for ever,
    (elements,)."""
    tree = world.state.tree
    return np.concatenate([
        tree.rating_w * tree.in_service * world.state.limits.share, tree.mesh.rating_w
    ])


def reaches(world: World) -> np.ndarray:
    """Return how much each element carries of each block's draw: (elements, blocks). What batteries
    carry comes through nothing above them; where less draw would mean more flow, there is none."""
    tree, blocks = world.state.tree, world.state.blocks
    share = np.zeros((tree.parent.size, blocks.it_w.size))
    on_batteries = _on_batteries(world)
    for block in range(blocks.it_w.size):
        for k in range(blocks.feed_first[block], blocks.feed_first[block + 1]):
            node = blocks.feed_node[k]
            while node >= 0 and blocks.feed_share[k] > 0.0 and not on_batteries[block]:
                share[node, block] += blocks.feed_share[k]
                bridged = bridging.carries(world, int(tree.bridge.of_node[node]))
                node = -1 if bridged else tree.parent[node]
    return np.concatenate([share, _helps(world)[:, blocks.hall] * share[tree.mesh.node][blocks.hall,
                           np.arange(blocks.it_w.size)]])


def _helps(world: World) -> np.ndarray:
    """Return the flow that each hall puts through each branch the way it flows, over its draw:
    (branches, halls)."""
    mesh = world.state.tree.mesh
    way = np.sign(mesh.factor @ world.state.tree.input_w[mesh.node])
    return np.maximum(way[:, None] * mesh.factor, 0.0)


def hall_share(world: World, i: int) -> np.ndarray:
    """Return how much an element carries of what the plants and offices of each hall draw, and of its
    pumps: (2, halls)."""
    halls, nodes = world.site.halls, world.state.tree.parent.size
    if i >= nodes:
        return np.tile(_helps(world)[i - nodes], (2, 1))
    return np.array([[float(_is_below(world, int(node), i)) for node in of]
                     for of in (halls.plant_node, halls.pump_node)])  # fmt: skip


def _is_below(world: World, node: int, above: int) -> bool:
    while node > above:
        node = int(world.state.tree.parent[node])
    return node == above
