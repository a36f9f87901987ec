"""Batteries of lineups and racks over one step: what they carry, how they are filled again."""

from simulator.kernels.compiled import inlined

FULL = 1.0 - 1e-9
"""Charge, of a full one, from which a battery counts as full."""


@inlined
def clear(bridge):
    """Start a new step."""
    bridge.out_w[0] = 0.0
    bridge.loss_w[0] = 0.0


@inlined
def called(bridge):
    """Return whether any battery is called upon in the current step."""
    found = 0.0
    for row in range(bridge.share.size):
        found = max(found, bridge.share[row])
    return found > 0.0


@inlined
def carry(bridge, row, wanted_w, dt_s):
    """Return the mean power in W that a battery carries of `wanted_w` over the step: all of it for the
    share of the step that it is called upon, as far as its power and its charge go. The charge is
    taken out; with a `dt_s` of 0 nothing changes."""
    eta = bridge.one_way[row]
    carried_w = min(wanted_w, bridge.power_w[row]) * bridge.share[row]
    if dt_s > 0.0:
        carried_w = min(carried_w, bridge.charge_j[row] * eta / dt_s)
        bridge.charge_j[row] = max(bridge.charge_j[row] - carried_w / eta * dt_s, 0.0)
        bridge.share[row] = bridge.following[row]
        bridge.wanted_w[row] = wanted_w
    bridge.out_w[0] += carried_w / eta
    bridge.loss_w[0] += carried_w / eta - carried_w
    return carried_w


@inlined
def recharge(supply, room_w, dt_s):
    """Fill the batteries that have a charge of their own and carry nothing, one after the other; return
    the draw in W and what of it is stored. Those that are full join the common store."""
    bridge, drawn_w, stored_w = supply.bridge, 0.0, 0.0
    if bridge.owned[0] == 0:
        return drawn_w, stored_w
    for row in range(bridge.own.size):
        if bridge.own[row] == 0 or bridge.share[row] > 0.0:
            continue
        eta = bridge.one_way[row]
        missing_w = max(bridge.full_j[row] - bridge.charge_j[row], 0.0) / (eta * dt_s)
        taken_w = min(room_w - drawn_w, bridge.recharge_w[row], missing_w)
        bridge.charge_j[row] += taken_w * eta * dt_s
        drawn_w += taken_w
        stored_w += taken_w * eta
        if bridge.charge_j[row] >= FULL * bridge.full_j[row]:
            _join(supply, row)
    return drawn_w, stored_w


@inlined
def _join(supply, row):
    """Put a battery with its charge into the common store of its kind."""
    bridge = supply.bridge
    if row < bridge.ups:
        supply.ride_through_j[0] += bridge.charge_j[row]
        supply.ride_through_capacity_j[0] += bridge.full_j[row]
        supply.ride_recharge_w[0] += bridge.recharge_w[row]
    else:
        backup = supply.backup
        backup.charge_j[0] += bridge.charge_j[row]
        backup.capacity_j[0] += bridge.full_j[row]
        backup.power_w[0] += bridge.power_w[row]
        backup.recharge_w[0] += bridge.recharge_w[row]
    bridge.charge_j[row] = 0.0
    bridge.own[row] = 0
    bridge.owned[0] -= 1
