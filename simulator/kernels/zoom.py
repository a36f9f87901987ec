"""Every accelerator of one hall, minute by minute: junction, memory, clock, power.

A rack at a time over all minutes, so that its chips stay in the nearest cache; the loops over chips
hold no branch and run on vector instructions.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from simulator.kernels import philox
from simulator.kernels.rack_control import kept_clock

Floats = np.ndarray
SAMPLE = 10
"""Minutes between two samples of the distribution of junctions."""
SETTLE = 30
"""Passes that bring a rack to rest at the first minute of the window."""


class Hall(NamedTuple):
    """What the plan run says, (minutes, racks): of racks in service, before heat slows their chips."""

    on: Floats
    dynamic: Floats
    up_frac: Floats
    coolant_c: Floats
    resistance_frac: Floats


class Chip(NamedTuple):
    """Constants that all chips and racks of the hall share."""

    static_w: float  # idle less leakage at 0 degC
    leakage_w_k: float
    dynamic_w: float
    heat_capacity_j_k: float
    exponent: float
    junction_limits_c: tuple[float, float, float]
    hbm_limits_c: tuple[float, float, float]
    hysteresis_k: float
    hbm_rise: float
    preheat_k_w: float  # coolant of the next chip in the path over this one's, per W
    host_idle_w: float  # of a rack
    host_dynamic_w: float
    shelf_fixed_w: float
    shelf_linear: float
    shelf_load_per_w: float


class Found(NamedTuple):
    """What is kept; `chips` are (racks, positions, branches)."""

    power_w: Floats  # (minutes, racks)
    hot_c: Floats  # (minutes, racks) hottest junction
    peak_c: Floats  # chips
    peak_minute: Floats  # chips
    hbm_peak_c: Floats  # chips
    slowed_s: Floats  # chips: time below full clock
    lost_s: Floats  # chips: that time weighted by what the clock lost
    counts: Floats  # (bins,) samples by junction


@njit(cache=True)
def normals(key0, key1, word, racks, chips):
    """Return a standard normal, cut at three sigma, for every chip of racks by number."""
    drawn = np.empty((racks.size, chips))
    for i in range(racks.size):
        for k in range(chips):
            z = philox.normal(key0, key1, word, racks[i], k, 0)
            drawn[i, k] = min(max(z, -3.0), 3.0)
    return drawn


@njit(cache=True)
def run(hall, chip, resistance_k_w, found, first_c, bin_k, dt_s):
    """Fill `found`. `resistance_k_w` (racks, positions, branches) of each chip's own; coolant meets
    position 0 of a branch first. `first_c` and `bin_k` are the bins of the distribution.

    C dT/dt = P - (T - T_in)/R is solved exactly for a minute; T_in is the rack's coolant, warmed by
    the chips before. Power follows the temperature at the start of the minute, as in the plan.
    """
    racks, positions, branches = resistance_k_w.shape
    shape = (positions, branches)
    junction_c, clock, dynamic = np.empty(shape), np.ones(shape), np.ones(shape)
    inlet_c, pull, line = np.empty(shape), np.empty(shape), np.empty((4, branches))
    for r in range(racks):
        clock[:, :], dynamic[:, :] = 1.0, 1.0
        junction_c[:, :] = hall.coolant_c[0, r]
        frac, slow = 0.0, False
        for k in range(-SETTLE, hall.on.shape[0]):
            minute = max(k, 0)
            if hall.resistance_frac[minute, r] != frac:
                frac = hall.resistance_frac[minute, r]
                _pulls(pull, resistance_k_w[r], frac * chip.heat_capacity_j_k, dt_s)
            hot_c, hbm_c, rack_w = _minute(
                minute, r, hall, chip, resistance_k_w, junction_c, inlet_c, dynamic, pull, line
            )
            if k >= 0:
                found.power_w[k, r], found.hot_c[k, r] = rack_w, hot_c
                _note(k, r, hall, chip, junction_c, inlet_c, clock, slow, found, dt_s)
                if k % SAMPLE == 0 and hall.up_frac[k, r] > 0.0:
                    _count(junction_c, found.counts, first_c, bin_k)
            past_k = max(hot_c - chip.junction_limits_c[0], hbm_c - chip.hbm_limits_c[0])
            slow = past_k > 0.0 or (slow and clock.min() < 1.0)
            if slow:
                _control(minute, r, hall, chip, resistance_k_w, junction_c, clock, dynamic)
            else:
                clock[:, :], dynamic[:, :] = 1.0, 1.0


@njit(cache=True)
def _pulls(pull, resistance_k_w, capacity_j_k, dt_s):
    """Set the share of the way to rest that each chip covers in a step."""
    for p in range(pull.shape[0]):
        for j in range(pull.shape[1]):
            pull[p, j] = -math.expm1(-dt_s / (resistance_k_w[p, j] * capacity_j_k))


@njit(cache=True)
def _minute(k, r, hall, chip, resistance_k_w, junction_c, inlet_c, dynamic, pull, line):
    """Advance the chips of a rack; return its hottest junction and memory, and its input power."""
    warmed_w, active, hot, hbm = line[0], line[1], line[2], line[3]
    on, level, around_c = hall.on[k, r], hall.dynamic[k, r], hall.coolant_c[k, r]
    frac = hall.resistance_frac[k, r]
    base_w, leak_w_k = on * chip.static_w, on * chip.leakage_w_k
    work_w, preheat, rise = level * chip.dynamic_w, chip.preheat_k_w, chip.hbm_rise
    warmed_w[:], active[:], hot[:], hbm[:] = 0.0, 0.0, -273.15, -273.15
    positions, branches = junction_c.shape
    for p in range(positions):
        at_c, own, speed = junction_c[p], resistance_k_w[r, p], dynamic[p]
        part, inlet = pull[p], inlet_c[p]
        for j in range(branches):
            in_c = around_c + preheat * warmed_w[j]
            chip_w = base_w + leak_w_k * at_c[j] + work_w * speed[j]
            after_c = at_c[j] + part[j] * (in_c + frac * own[j] * chip_w - at_c[j])
            at_c[j], inlet[j] = after_c, in_c
            warmed_w[j] += chip_w
            active[j] += speed[j]
            hot[j] = max(hot[j], after_c)
            hbm[j] = max(hbm[j], in_c + rise * (after_c - in_c))
    chips_w, share = warmed_w.sum(), active.sum() / (positions * branches)
    host_w = on * chip.host_idle_w + level * share * chip.host_dynamic_w
    out_w = hall.up_frac[k, r] * (chips_w + host_w)
    fixed_w = chip.shelf_fixed_w if out_w > 0.0 else 0.0
    return hot.max(), hbm.max(), fixed_w + out_w * (chip.shelf_linear + chip.shelf_load_per_w * out_w)


@njit(cache=True)
def _control(k, r, hall, chip, resistance_k_w, junction_c, clock, dynamic):
    """Set the clock of every chip of a rack for the next minute (`rack_control.kept_clock`)."""
    positions, branches = junction_c.shape
    limits = (chip.junction_limits_c, chip.hbm_limits_c, chip.hysteresis_k)
    full_w = hall.dynamic[k, r] * chip.dynamic_w
    for j in range(branches):
        in_c = hall.coolant_c[k, r]
        for p in range(positions):
            static_w = hall.on[k, r] * (chip.static_w + chip.leakage_w_k * junction_c[p, j])
            own_k_w = hall.resistance_frac[k, r] * resistance_k_w[r, p, j]
            clock[p, j] = kept_clock(
                clock[p, j], in_c, own_k_w, chip.hbm_rise * own_k_w, (static_w, full_w),
                chip.exponent, limits,
            )
            dynamic[p, j] = clock[p, j] ** chip.exponent
            in_c += chip.preheat_k_w * (static_w + full_w * dynamic[p, j])


@njit(cache=True)
def _note(k, r, hall, chip, junction_c, inlet_c, clock, slow, found, dt_s):
    """Keep the peaks of a rack's chips, and the time they run below full clock."""
    up_s = hall.up_frac[k, r] * dt_s
    for p in range(junction_c.shape[0]):
        at_c, inlet, peak_c = junction_c[p], inlet_c[p], found.peak_c[r, p]
        minute, hbm_peak_c = found.peak_minute[r, p], found.hbm_peak_c[r, p]
        for j in range(at_c.size):
            hotter = at_c[j] > peak_c[j]
            peak_c[j] = at_c[j] if hotter else peak_c[j]
            minute[j] = float(k) if hotter else minute[j]
            hbm_peak_c[j] = max(hbm_peak_c[j], inlet[j] + chip.hbm_rise * (at_c[j] - inlet[j]))
    if slow:
        for p in range(clock.shape[0]):
            for j in range(clock.shape[1]):
                found.slowed_s[r, p, j] += up_s if clock[p, j] < 1.0 else 0.0
                found.lost_s[r, p, j] += up_s * (1.0 - clock[p, j])


@njit(cache=True)
def _count(junction_c, counts, first_c, bin_k):
    """Add the junctions of a rack to the distribution; what lies beyond counts in the end bins."""
    for p in range(junction_c.shape[0]):
        for j in range(junction_c.shape[1]):
            b = int((junction_c[p, j] - first_c) / bin_k)
            counts[min(max(b, 0), counts.size - 1)] += 1
