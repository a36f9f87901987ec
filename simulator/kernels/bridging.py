"""Batteries of lineups and racks, and generators of lineups, over one step: what they carry."""

from simulator.kernels.compiled import inlined


@inlined
def clear(bridge):
    """Start a new step."""
    bridge.out_w[0] = 0.0
    bridge.loss_w[0] = 0.0
    bridge.made_w[0] = 0.0


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
    taken out; with a `dt_s` of 0 nothing changes. Generators of a lineup burn fuel instead
    (`power_tree.balance`)."""
    eta = bridge.one_way[row]
    carried_w = min(wanted_w, bridge.power_w[row]) * bridge.share[row]
    if row >= bridge.batteries:
        bridge.made_w[0] += carried_w
        if dt_s > 0.0:
            bridge.share[row] = bridge.following[row]
        return carried_w
    if dt_s > 0.0:
        carried_w = min(carried_w, bridge.charge_j[row] * eta / dt_s)
        bridge.charge_j[row] = max(bridge.charge_j[row] - carried_w / eta * dt_s, 0.0)
        bridge.share[row] = bridge.following[row]
        bridge.wanted_w[row] = wanted_w
    bridge.out_w[0] += carried_w / eta
    bridge.loss_w[0] += carried_w / eta - carried_w
    return carried_w
