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
    batteries is not drawn above it. `indoor_w` receives what of the losses stays in the halls.

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
        if rating_w > 0.0:
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
    the transformers. Without branches nothing happens.
    """
    mesh, losses_w = tree.mesh, 0.0
    for k in range(mesh.rating_w.size):
        flow_w = 0.0
        for h in range(mesh.node.size):
            flow_w += mesh.factor[k, h] * tree.input_w[mesh.node[h]]
        mesh.flow_w[k] = flow_w
        mesh.peak_w[k] = max(mesh.peak_w[k], abs(flow_w))
        x = flow_w / mesh.rating_w[k]
        loss_w = mesh.on[k] * mesh.rating_w[k] * (mesh.no_load[k] + mesh.load[k] * x * x)
        tree.loss_j[mesh.stage[k]] += loss_w * dt_s
        tree.output_w[LINES if mesh.stage[k] <= TRANSFORMERS else TRANSFORMERS] += loss_w
        losses_w += loss_w
    return losses_w


@shared
def balance(supply, demand_w, dt_s):
    """Meet `demand_w` at the interconnection from the grid, generators, battery and, with no import
    at all, the batteries of UPS that have no charge of their own, in that order; recharge when there
    is room. In a step in which import is lost, what came before that counts.

    Returns
    -------
    import_w, generator_w, stored_w, loss_w : float
        Import, on-site generation, net power into storage (negative: out of it), and the storage
        losses and auxiliary draw that the demand does not contain.
    """
    eta = supply.battery_efficiency
    loss_w = supply.battery_auxiliary_w
    need_w = demand_w + loss_w - supply.limit_w[0] - supply.early_j[0] / dt_s
    supply.early_j[0] = 0.0
    supply.deficit_w[0] = 0.0
    ready_w = generators.ready(supply.generators, supply.generator_w[0], dt_s)
    generator_w = generators.burn(supply.generators, min(max(need_w, 0.0), ready_w), dt_s)
    if need_w <= 0.0:
        charge_w, stored_w = _recharge(supply, -need_w, dt_s)
        return demand_w + loss_w + charge_w, 0.0, stored_w, loss_w + charge_w - stored_w
    need_w -= generator_w
    battery_w = min(need_w, supply.battery_power_w[0], supply.battery_j[0] * eta / dt_s)
    supply.battery_j[0] -= battery_w / eta * dt_s
    stored_w = -battery_w / eta
    loss_w += battery_w / eta - battery_w
    need_w -= battery_w
    if need_w > 0.0 and supply.limit_w[0] <= 0.0:
        rode_w = min(need_w, supply.ride_through_j[0] / dt_s)
        supply.ride_through_j[0] -= rode_w * dt_s
        stored_w -= rode_w
        need_w -= rode_w
    supply.deficit_w[0] = max(need_w, 0.0)
    import_w = max(demand_w + loss_w + stored_w - generator_w, 0.0)  # below only by rounding
    return import_w, generator_w, stored_w, loss_w


@inlined
def _recharge(supply, room_w, dt_s):
    """Return the draw and what of it is stored."""
    eta = supply.battery_efficiency
    battery_w = min(
        room_w, supply.battery_recharge_w[0],
        max(supply.battery_capacity_j[0] - supply.battery_j[0], 0.0) / (eta * dt_s),
    )
    supply.battery_j[0] += battery_w * eta * dt_s
    missing_w = max(supply.ride_through_capacity_j[0] - supply.ride_through_j[0], 0.0) / dt_s
    ride_w = min(room_w - battery_w, missing_w, supply.ride_recharge_w[0])
    supply.ride_through_j[0] += ride_w * dt_s
    backup = supply.backup
    backup_w = min(
        room_w - battery_w - ride_w, backup.recharge_w[0],
        max(backup.capacity_j[0] - backup.charge_j[0], 0.0) / (backup.efficiency * dt_s),
    )
    backup.charge_j[0] += backup_w * backup.efficiency * dt_s
    drawn_w = battery_w + ride_w + backup_w
    stored_w = battery_w * eta + ride_w + backup_w * backup.efficiency
    own_w, own_stored_w = bridging.recharge(supply, room_w - drawn_w, dt_s)
    return drawn_w + own_w, stored_w + own_stored_w
