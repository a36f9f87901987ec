"""What loads draw at this moment, and what the power tree would carry: the kernels' formulas, asked
between two steps."""

from dataclasses import dataclass

import numpy as np

from simulator.engine.world import World
from simulator.kernels import power_tree


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


def draw_of(world: World) -> Draw:
    """Return what every load draws, those that are switched off as if they were on."""
    state, rows, of = world.state, world.site.rows, world.site.rack_row
    racks, loads, blocks = state.racks, state.loads, state.blocks
    block, load = rows.block[of], racks.load
    chips, up = rows.accelerators[of], racks.up_frac
    leak_w = rows.leakage_w_k[of] * (racks.junction_c - rows.leakage_ref_c[of])
    idle_w = up * (chips * (rows.chip_idle_w[of] + leak_w) + rows.host_idle_w[of])
    part = blocks.load_cap[block, load]
    held = np.minimum(racks.power_cap / np.maximum(part, 1e-9), 1.0)
    full_w = chips * rows.chip_dynamic_w[of] + rows.host_dynamic_w[of]
    busy_w = idle_w + up * full_w * loads.dynamic_frac[load] * held
    at_rest_w, at_work_w = (_input_w(world, w) for w in (idle_w, busy_w))
    shape = (blocks.it_w.size, loads.on.size)
    place = block * shape[1] + load
    sums = [
        np.bincount(place, weights=w, minlength=shape[0] * shape[1]).reshape(shape)
        for w in (at_rest_w, at_work_w - at_rest_w)
    ]
    return Draw(*sums)


def _input_w(world: World, dc_w: np.ndarray) -> np.ndarray:
    """Return the input of racks whose shelves deliver `dc_w`."""
    rows, of = world.site.rows, world.site.rack_row
    rating_w = rows.shelf_rating_w[of]
    fixed_w = np.where(dc_w > 0.0, rating_w * rows.shelf_no_load[of], 0.0)
    curve = 1.0 + rows.shelf_linear[of] + rows.shelf_load[of] / rating_w * dc_w
    total_w: np.ndarray = fixed_w + dc_w * curve
    return total_w


def outputs_w(world: World, it_w: np.ndarray) -> np.ndarray:
    """Return what every node of the power tree would deliver, (nodes,), if the accelerator racks of
    each block drew `it_w`; support racks, plants and offices as in the last step."""
    state, halls = world.state, world.site.halls
    direct_w = np.zeros(state.tree.parent.size)
    blocks = state.blocks
    drawn_w = np.repeat(it_w + blocks.support_w, np.diff(blocks.feed_first)) * blocks.feed_share
    np.add.at(direct_w, blocks.feed_node, drawn_w)
    np.add.at(direct_w, halls.plant_node, state.plant_w[:, 0] + halls.house_w * state.heat.lit)
    np.add.at(direct_w, halls.pump_node, state.plant_w[:, 1])
    tree = state.tree._replace(
        output_w=direct_w, input_w=np.zeros(direct_w.size), peak_w=np.zeros(direct_w.size),
        loss_j=np.zeros(state.tree.loss_j.size),
        mesh=state.tree.mesh._replace(
            flow_w=np.zeros(state.tree.mesh.flow_w.size), peak_w=np.zeros(state.tree.mesh.flow_w.size)
        ),
    )
    world.entry(power_tree.solve, tree, 0.0)(tree, 0.0)
    return tree.output_w


def poi_w(world: World, outputs: np.ndarray) -> float:
    """Return the demand at the interconnection in W that belongs to these outputs."""
    node, tree = world.site.nodes[0], world.state.tree
    rating_w = node.rating_w * float(tree.in_service[0])
    loss_w = node.loss.loss_w(float(outputs[0]), rating_w) if rating_w > 0.0 else 0.0
    return float(outputs[0]) + loss_w


def limits_w(world: World) -> np.ndarray:
    """Return the continuous limit of every node with the units that are in service, (nodes,)."""
    tree = world.state.tree
    limit_w: np.ndarray = tree.rating_w * tree.in_service * world.state.limits.share
    return limit_w


def reaches(world: World) -> np.ndarray:
    """Return the share of each block's draw that comes through each node: (nodes, blocks)."""
    tree, blocks = world.state.tree, world.state.blocks
    share = np.zeros((tree.parent.size, blocks.it_w.size))
    for block in range(blocks.it_w.size):
        for k in range(blocks.feed_first[block], blocks.feed_first[block + 1]):
            node = blocks.feed_node[k]
            while node >= 0 and blocks.feed_share[k] > 0.0:
                share[node, block] += blocks.feed_share[k]
                node = tree.parent[node]
    return share
