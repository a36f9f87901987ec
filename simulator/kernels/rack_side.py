"""What stands between racks and facility water over one step: pumps that follow the load, tanks."""

import math

from simulator.kernels.compiled import entry, inlined, shared

APPROACH, PUMP, RESISTANCE = range(3)
"""Rows of `BlockState.by_load`."""


@shared
def follow_load(blocks, load_step):
    """Set approach, pump power and the chips' resistance of every block for the flow that its heat
    asks for; `load_step` is the grid's, of heat over design heat."""
    most = blocks.by_load.shape[2] - 1
    for b in range(blocks.it_w.size):
        if blocks.design_w[b] <= 0.0 or blocks.flow[b] < 1.0:
            continue
        x = min(max(blocks.liquid_w[b] / blocks.design_w[b] / load_step, 0.0), float(most))
        j = min(int(x), most - 1)
        w = x - j
        table = blocks.by_load[b]
        blocks.approach_k_w[b] = table[APPROACH, j] * (1.0 - w) + table[APPROACH, j + 1] * w
        blocks.pump_w[b] = table[PUMP, j] * (1.0 - w) + table[PUMP, j + 1] * w
        blocks.resistance_frac[b] = table[RESISTANCE, j] * (1.0 - w) + table[RESISTANCE, j + 1] * w


@entry
def leave_tank(b, blocks, facility_c, flows_s, dt_s):
    """Return the heat in W, mean of a step, that the tank of a block gives to facility water which
    flows for `flows_s` of it; pumps warm the tank, and the rest waits in it."""
    pump_w = blocks.pump_w[b] * blocks.flow[b]
    heat_w, approach = blocks.liquid_w[b] + pump_w, blocks.approach_k_w[b]
    given_w = 0.0
    if flows_s > 0.0:
        given_w += exchange(blocks, b, heat_w, facility_c, approach, flows_s) * flows_s / dt_s
    if flows_s < dt_s:
        exchange(blocks, b, heat_w, facility_c, math.inf, dt_s - flows_s)
    return given_w


@shared
def exchange(blocks, b, heat_w, facility_c, approach, dt_s):
    """Advance the tank of a block for a while under its heat; return the heat in W that its
    exchanger of `approach` K/W gives to the facility's water.

    Oil: C dT/dt = Q - (T - T_facility) / a, solved exactly at any step. A fluid that boils stays at
    its boiling point while the condenser, whose coil then carries no more than Q, and the vapour
    space take the heat: dV/dt = Q - (T_boiling - T_facility) / a for 0 <= V <= V_full. Beyond that
    it warms as oil does, and gives the warmth back first. Without flow the exchanger takes nothing.
    """
    mass_j_k, boiling_c, full_j = blocks.mass_j_k[b], blocks.boiling_c[b], blocks.latent_j[b]
    before_c, before_j = blocks.coolant_c[b], blocks.vapour_j[b]
    after_c, vapour_j = before_c, before_j
    left_s = dt_s
    if before_c > boiling_c:
        after_c, left_s = _warm(before_c, heat_w, facility_c, approach, mass_j_k, boiling_c, dt_s)
    if left_s > 0.0:  # at the boiling point
        taken_w = (boiling_c - facility_c) / approach if approach < math.inf else 0.0
        rate_w = heat_w - max(taken_w, 0.0)
        after_c = boiling_c
        vapour_j += rate_w * left_s
        if vapour_j > full_j:
            over_s = (vapour_j - full_j) / rate_w
            vapour_j = full_j
            after_c, _ = _warm(boiling_c, heat_w, facility_c, approach, mass_j_k, boiling_c, over_s)
        vapour_j = max(vapour_j, 0.0)
    blocks.coolant_c[b], blocks.vapour_j[b] = after_c, vapour_j
    kept_j = mass_j_k * (after_c - before_c) + vapour_j - before_j
    given_w = heat_w - kept_j / dt_s
    blocks.received_j[b] += heat_w * dt_s
    blocks.given_j[b] += given_w * dt_s
    return given_w


@inlined
def _warm(before_c, heat_w, facility_c, approach, mass_j_k, least_c, dt_s):
    """Return the temperature of a lumped mass after a step, and what is left of the step once it has
    cooled down to `least_c`."""
    if approach == math.inf:
        return before_c + heat_w * dt_s / mass_j_k, 0.0
    end_c, tau_s = facility_c + heat_w * approach, approach * mass_j_k
    after_c = end_c + (before_c - end_c) * math.exp(-dt_s / tau_s)
    if after_c >= least_c:
        return after_c, 0.0
    reached_s = tau_s * math.log((before_c - end_c) / (least_c - end_c))
    return least_c, dt_s - reached_s
