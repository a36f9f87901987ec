"""Batteries that charge: how much each takes of what everything between it and the utility leaves it.

Chargers give way: none takes what would load an element above its continuous rating, or the import above
its limit. An element passes on a watt more with b + 2 c x of loss, at most that at its limit; with those
factors what a battery draws is counted upward before the tree is solved with it, so that it stays within
every limit whatever else charges.
"""

from simulator.kernels import power_tree
from simulator.kernels.compiled import inlined, inner, shared

FULL = 1.0 - 1e-9
"""Charge, of a full one, from which a battery counts as full."""


@shared
def charge(tree, limits, blocks, supply, dt_s):
    """Fill the batteries that are not full, and put what they draw on the nodes that feed them; return the
    draw in W and what of it is stored.

    On entry `tree.output_w` holds what is connected to each node, as for `power_tree.solve`. In this order:
    UPS, batteries of racks, the battery plant, whose draw takes the ways that all others then take.
    """
    if not (_wanted(supply) or tree.charge.on[0] == 1):
        return 0.0, 0.0
    return _fill(tree, limits, blocks, supply, dt_s)


@inner
def _fill(tree, limits, blocks, supply, dt_s):
    """As `charge`: the tree is solved without, for what is left."""
    plan = tree.charge
    plan.drawn_w[:] = 0.0
    for i in range(tree.parent.size):
        plan.direct_w[i] = tree.output_w[i]
    bridge = supply.bridge
    out_w, lost_w = bridge.out_w[0], bridge.loss_w[0]  # of batteries of racks, so far
    asked_w, _ = power_tree.solve(tree, 0.0)
    bridge.out_w[0], bridge.loss_w[0], bridge.made_w[0] = out_w, lost_w, 0.0
    for i in range(tree.parent.size):
        limit_w = tree.rating_w[i] * tree.in_service[i] * limits.share[i]
        plan.spare_w[i] = limit_w - tree.output_w[i] if tree.live[i] == 1 else 0.0
    left_w = supply.limit_w[0] - supply.battery_auxiliary_w - asked_w
    plan.spare_w[0] = min(plan.spare_w[0], left_w / _passes(tree, limits, 0))
    drawn_w, stored_w = _ups(tree, limits, supply, dt_s)
    for found in (_racks(tree, limits, blocks, supply, dt_s), _plant(tree, limits, supply, dt_s)):
        drawn_w += found[0]
        stored_w += found[1]
    for i in range(tree.parent.size):
        tree.output_w[i] = plan.direct_w[i] + plan.drawn_w[i]
    plan.on[0] = int(drawn_w > 0.0)
    plan.asked_w[0] = asked_w
    return drawn_w, stored_w


@inlined
def _wanted(supply):
    """Return whether any battery may charge."""
    plant = supply.battery_j[0] < FULL * supply.battery_capacity_j[0]
    ups = supply.ride_through_j[0] < FULL * supply.ride_through_capacity_j[0]
    return supply.limit_w[0] > 0.0 and (plant or ups or supply.bridge.owned[0] > 0)


@inlined
def _plant(tree, limits, supply, dt_s):
    """Fill the battery plant on the medium-voltage bus."""
    eta = supply.battery_efficiency
    missing_w = max(supply.battery_capacity_j[0] - supply.battery_j[0], 0.0) / (eta * dt_s)
    drawn_w = _take(tree, limits, power_tree.TRANSFORMERS, min(supply.battery_recharge_w[0], missing_w))
    supply.battery_j[0] += drawn_w * eta * dt_s
    return drawn_w, drawn_w * eta


@inlined
def _ups(tree, limits, supply, dt_s):
    """Fill the batteries of UPS, each from what feeds it."""
    bridge, rate_w, drawn_w = supply.bridge, supply.ride_recharge_w[0], 0.0
    missing_w = max(supply.ride_through_capacity_j[0] - supply.ride_through_j[0], 0.0) / dt_s
    share = min(missing_w, rate_w) / rate_w if rate_w > 0.0 else 0.0
    for i in range(tree.parent.size):
        row, charger_w = bridge.of_node[i], tree.charge.ups_w[i]
        if row >= 0 and bridge.own[row] == 1:
            drawn_w += _own(tree, limits, supply, row, tree.parent[i], 1.0, dt_s)
            _join(supply, row)
        elif charger_w > 0.0 and share > 0.0:
            taken_w = _take(tree, limits, tree.parent[i], share * charger_w)
            supply.ride_through_j[0] += taken_w * dt_s
            drawn_w += taken_w
    return drawn_w, drawn_w


@inlined
def _racks(tree, limits, blocks, supply, dt_s):
    """Fill the batteries of racks, from all feeds of their block."""
    bridge, drawn_w, stored_w = supply.bridge, 0.0, 0.0
    for b in range(blocks.it_w.size):
        row = bridge.of_block[b]
        if row < 0 or bridge.own[row] == 0:
            continue
        for k in range(blocks.feed_first[b], blocks.feed_first[b + 1]):
            taken_w = _own(tree, limits, supply, row, blocks.feed_node[k], blocks.feed_share[k], dt_s)
            drawn_w += taken_w
            stored_w += taken_w * bridge.one_way[row]
        _join(supply, row)
    return drawn_w, stored_w


@inlined
def _own(tree, limits, supply, row, node, share, dt_s):
    """Fill a battery with a charge of its own that carries nothing any more by `share` of its charger, from a
    node, for what is left of the step; return the mean draw in W."""
    bridge = supply.bridge
    if bridge.following[row] > 0.0:
        return 0.0
    eta, share = bridge.one_way[row], share * (1.0 - bridge.share[row])
    missing_w = max(bridge.full_j[row] - bridge.charge_j[row], 0.0) / (eta * dt_s)
    taken_w = _take(tree, limits, node, min(share * bridge.recharge_w[row], missing_w))
    bridge.charge_j[row] += taken_w * eta * dt_s
    return taken_w


@inlined
def _join(supply, row):
    """Put a battery that is full and carries nothing with its charge into the common store of its kind."""
    bridge = supply.bridge
    if bridge.share[row] > 0.0 or bridge.charge_j[row] < FULL * bridge.full_j[row]:
        return
    if row < bridge.ups:
        supply.ride_through_j[0] += bridge.charge_j[row]
        supply.ride_through_capacity_j[0] += bridge.full_j[row]
        supply.ride_recharge_w[0] += bridge.recharge_w[row]
    else:
        backup = supply.backup
        backup.charge_j[0] += bridge.charge_j[row]
        backup.capacity_j[0] += bridge.full_j[row]
    bridge.charge_j[row] = 0.0
    bridge.own[row] = 0
    bridge.owned[0] -= 1


@inner
def _take(tree, limits, node, wanted_w):
    """Draw up to `wanted_w` at a node, as far as all above it goes; return the draw in W."""
    spare_w, most_w, factor, i = tree.charge.spare_w, wanted_w, 1.0, node
    while i >= 0:
        most_w = min(most_w, spare_w[i] / factor)
        factor *= _passes(tree, limits, i)
        if _enters(tree, node, i):
            most_w, more = _through_mesh(tree, i, most_w, factor)
            factor *= more
        i = tree.parent[i]
    if most_w <= 0.0:
        return 0.0
    factor, i = 1.0, node
    while i >= 0:
        spare_w[i] -= most_w * factor
        factor *= _passes(tree, limits, i)
        if _enters(tree, node, i):
            factor *= _load_mesh(tree, i, most_w * factor)
        i = tree.parent[i]
    tree.charge.drawn_w[node] += most_w
    return most_w


@inlined
def _passes(tree, limits, i):
    """Return by how much at most the input of an element within its limit grows a watt of output."""
    return 1.0 + tree.linear[i] + 2.0 * tree.load[i] * limits.share[i]


@inlined
def _enters(tree, node, i):
    """Return whether what is drawn at a node comes to an element by the branches of a medium-voltage network:
    to the feeders of its hall, or of the battery plant, to the bus at the main transformers."""
    return tree.parent[i] == power_tree.TRANSFORMERS or i == node == power_tree.TRANSFORMERS


@inlined
def _way(tree, i, k):
    """Return the flow in a branch per watt drawn at the feeders of a hall, or (at most) at the main transformers:
    by all lines and main transformers as the rest."""
    mesh, way, halls_w = tree.mesh, 0.0, 0.0
    if i == power_tree.TRANSFORMERS:
        for h in range(mesh.node.size):
            halls_w += tree.input_w[mesh.node[h]]  # without what charges below them
        return mesh.flow_w[k] / halls_w if mesh.stage[k] <= power_tree.TRANSFORMERS and halls_w > 0.0 else 0.0
    for h in range(mesh.node.size):
        way += mesh.factor[k, h] if mesh.node[h] == i else 0.0
    return way


@inlined
def _through_mesh(tree, i, most_w, factor):
    """Return what of a draw that comes to `factor` as much at an element the branches between it and the
    utility carry, and by how much at most their losses let a watt grow."""
    mesh, more = tree.mesh, 1.0
    for k in range(mesh.rating_w.size):
        way = _way(tree, i, k)
        if way != 0.0:
            flow_w = mesh.flow_w[k] if way > 0.0 else -mesh.flow_w[k]
            most_w = min(most_w, (mesh.rating_w[k] - flow_w) / (abs(way) * factor))
            more += 2.0 * mesh.load[k] * abs(way)
    return most_w, more


@inlined
def _load_mesh(tree, i, drawn_w):
    """Count a draw at an element in the flows of the branches; return by how much at most their losses let it
    grow."""
    mesh, more = tree.mesh, 1.0
    for k in range(mesh.rating_w.size):
        way = _way(tree, i, k)
        mesh.flow_w[k] += way * drawn_w
        more += 2.0 * mesh.load[k] * abs(way)
    return more
