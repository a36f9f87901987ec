"""The radial power tree over one step: loads summed upward through part-load losses."""

from simulator.kernels import bridging, generators
from simulator.kernels.compiled import inlined, shared

LINES, TRANSFORMERS = 0, 1
"""Nodes of the tree that stand for all lines and all main transformers."""


@shared
def solve(tree, dt_s):
    """Sum `output_w` of every node upward; return the input of the root and all losses in W.

    On entry `output_w` holds what is connected directly to each node. Nodes stand parents before
    children, so one backward pass is the whole solution: P_in = P_out + P_r (a + b x + c x^2) with
    x = P_out / P_r and P_r the rating of the units in service. What a lineup's UPS carries from its
    batteries is not drawn above it. `indoor_w` receives what of the losses stays in the halls. What is not
    energised loses nothing, but what carried something in a part of the step.

    What most nodes pass on, to the node before them, and the air of the hall at hand are not written
    and read again at once, for which a sum would wait.
    """
    losses_w, passed_w, hall, air_w = 0.0, 0.0, 0, 0.0
    tree.indoor_w[:] = 0.0
    bridged = bridging.called(tree.bridge)
    for i in range(tree.parent.size - 1, -1, -1):
        drawn_w = tree.output_w[i] + passed_w
        tree.output_w[i] = drawn_w
        if i == TRANSFORMERS:
            losses_w += _mesh(tree, dt_s)
            drawn_w = tree.output_w[i]
        output_w = drawn_w + tree.unmetered_w[i]
        loss_w = 0.0
        rating_w = tree.rating_w[i] * tree.in_service[i]
        if rating_w > 0.0 and (tree.live[i] == 1 or (output_w > 0.0 and i > TRANSFORMERS)):
            x = output_w / rating_w
            loss_w = rating_w * (tree.no_load[i] + x * (tree.linear[i] + x * tree.load[i]))
        input_w = output_w + loss_w
        tree.loss_j[tree.stage[i]] += loss_w * dt_s
        losses_w += loss_w
        if tree.indoors[i] > 0.0:
            if tree.warms[i] != hall:
                tree.indoor_w[hall] = air_w
                hall = tree.warms[i]
                air_w = tree.indoor_w[hall]
            air_w += tree.indoors[i] * loss_w
        if output_w > tree.peak_w[i]:
            tree.peak_w[i] = output_w
        if bridged and i > 0:
            row = tree.bridge.of_node[i]
            if row >= 0 and tree.bridge.share[row] > 0.0:
                input_w -= bridging.carry(tree.bridge, row, input_w, dt_s)
        tree.input_w[i] = input_w
        passed_w, parent = 0.0, tree.parent[i]
        if parent == i - 1:
            passed_w = input_w
        else:
            tree.output_w[parent] += input_w
    tree.indoor_w[hall] = air_w
    for h in range(tree.indoor_w.size):
        tree.indoor_j[0] += tree.indoor_w[h] * dt_s
    return tree.input_w[0], losses_w


@inlined
def _mesh(tree, dt_s):
    """Put the draws of the halls through the branches between them and the utility; return the
    losses in W, which join the draw above: of transformers and lines at the lines, of all else at
    the transformers. Without branches nothing happens. What a battery plant charges with comes by all
    lines and main transformers alike.
    """
    mesh, losses_w = tree.mesh, 0.0
    above, halls_w = 1.0, tree.output_w[TRANSFORMERS] - tree.charge.drawn_w[TRANSFORMERS]
    if halls_w > 0.0:
        above += tree.charge.drawn_w[TRANSFORMERS] / halls_w
    for k in range(mesh.rating_w.size):
        flow_w = 0.0
        for h in range(mesh.node.size):
            flow_w += mesh.factor[k, h] * tree.input_w[mesh.node[h]]
        if mesh.stage[k] <= TRANSFORMERS:
            flow_w *= above
        mesh.flow_w[k] = flow_w
        mesh.peak_w[k] = max(mesh.peak_w[k], abs(flow_w))
        x = flow_w / mesh.rating_w[k]
        on = mesh.on[k] * (tree.live[TRANSFORMERS] if mesh.stage[k] <= TRANSFORMERS else 1)
        loss_w = on * mesh.rating_w[k] * (mesh.no_load[k] + mesh.load[k] * x * x)
        tree.loss_j[mesh.stage[k]] += loss_w * dt_s
        tree.output_w[LINES if mesh.stage[k] <= TRANSFORMERS else TRANSFORMERS] += loss_w
        losses_w += loss_w
    return losses_w


@shared
def balance(supply, demand_w, charged, dt_s):
    """Meet `demand_w` at the interconnection from the grid, generators, battery and, with no import
    at all, the batteries of UPS that have no charge of their own, in that order; generators also burn for
    what they carry of lineups (`bridging.carry`). In a step in which import is lost, what came
    before that counts.

    Parameters
    ----------
    charged : float, float
        As `charging.charge` returns: what of the demand batteries draw, and what of that they store.

    Returns
    -------
    import_w, generator_w, stored_w, loss_w : float
        Import, on-site generation, net power into storage (negative: out of it), and the storage
        losses and auxiliary draw.
    """
    eta, drawn_w, stored_w = supply.battery_efficiency, charged[0], charged[1]
    loss_w = supply.battery_auxiliary_w + drawn_w - stored_w
    made_w = supply.bridge.made_w[0]
    need_w = demand_w + supply.battery_auxiliary_w - supply.limit_w[0] - supply.early_j[0] / dt_s
    need_w = max(need_w, 0.0) + made_w
    supply.early_j[0] = 0.0
    supply.deficit_w[0] = 0.0
    ready_w = generators.ready(supply.generators, supply.generator_w[0], dt_s)
    generator_w = generators.burn(supply.generators, min(need_w, ready_w + made_w), dt_s)
    if need_w <= 0.0:
        return demand_w + supply.battery_auxiliary_w, 0.0, stored_w, loss_w
    need_w -= generator_w
    battery_w = min(need_w, supply.battery_power_w[0], supply.battery_j[0] * eta / dt_s)
    supply.battery_j[0] -= battery_w / eta * dt_s
    stored_w -= battery_w / eta
    loss_w += battery_w / eta - battery_w
    need_w -= battery_w
    if need_w > 0.0 and supply.limit_w[0] <= 0.0:
        rode_w = min(need_w, supply.ride_through_j[0] / dt_s)
        supply.ride_through_j[0] -= rode_w * dt_s
        stored_w -= rode_w
        need_w -= rode_w
    supply.deficit_w[0] = max(need_w, 0.0)
    import_w = max(demand_w + made_w - drawn_w + loss_w + stored_w - generator_w, 0.0)  # below only by rounding
    return import_w, generator_w, stored_w, loss_w
