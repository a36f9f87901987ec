"""Power of a synchronous job inside a minute: what each rack does in every sample, through chip, host
and shelf.

A job is a row of spans, each either one optimizer step (walked slot by slot: work, then the wait
behind it) or a constant level. Levels are shares of a chip's power between idle and TDP. Every sample
holds the exact mean of the level over its length, so energy does not depend on the sampling.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from simulator.kernels.smoothing import shave

Floats = np.ndarray
Ints = np.ndarray

(RAW_J, ADDED_J, WITHHELD_J, STORAGE_LOSS_J, STORED_J, CHARGE_LEAST, CHARGE_MOST) = range(7)
ACCOUNTS = 7


class Spans(NamedTuple):
    """What the job does, one after the other; shape (spans,)."""

    start_s: Floats  # from the start of the window
    stop_s: Floats
    stepping: Ints  # 1: a step, 0: a constant level
    place_s: Floats  # of a step: how far it has got at its start, in seconds of a whole nominal step
    stretch: Floats  # of a step: wall time over nominal time
    scale: Floats  # of a step: on the levels of its slots
    level: Floats  # dynamic power at a constant level, and of what is left of a step after its slots
    on: Floats  # 1: chips are powered
    held: Floats  # 1: a power floor holds


class Slots(NamedTuple):
    """The nominal step of each pipeline stage."""

    first: Ints  # (stages + 1,)
    busy_s: Floats  # (slots,) work
    busy_level: Floats
    wait_s: Floats  # (slots,) the wait behind it
    wait_level: Floats


class Members(NamedTuple):
    """Racks that share one power law and one pace; shape (members,)."""

    stage: Ints
    pace: Floats  # time of a piece of work over the mean one; what is faster waits longer
    cap: Floats  # of the rack, on dynamic power
    chips: Floats  # in service
    junction_c: Floats
    coolant_c: Floats
    resistance_k_w: Floats
    heat_capacity_j_k: Floats
    static_w: Floats  # of a chip, at 0 degC
    leakage_w_k: Floats
    dynamic_w: Floats
    host_idle_w: Floats
    host_dynamic_w: Floats
    shelf_fixed_w: Floats
    shelf_linear: Floats
    shelf_load_per_w: Floats


class Tools(NamedTuple):
    """What smooths the draw inside a rack; per chip."""

    floor_w: float  # 0: none
    up_w_s: float  # infinite: none
    down_w_s: float
    store_j: float  # 0: none
    store_w: float
    store_efficiency: float  # one way
    store_memory_s: float


class Lags(NamedTuple):
    """Time constants in s."""

    chip_s: float
    host_s: float


@njit(cache=True)
def draw(dt_s, spans, slots, members, tools, lags, raw_w, smooth_w, account):
    """Fill the input power of all members in W, without and with the tools; shape (samples,) both.

    `account` (ACCOUNTS,) receives the chips' energy without tools, what floor and ramps added to it
    and withheld from it, the loss and the gain of rack storage in J, and the least and the largest
    charge in any rack as a share.
    """
    samples = raw_w.size
    level = np.empty(samples)
    on, held = np.zeros(samples), np.zeros(samples)
    for k in range(spans.start_s.size):
        _add(on, dt_s, spans.start_s[k], spans.stop_s[k], spans.on[k])
        _add(held, dt_s, spans.start_s[k], spans.stop_s[k], spans.held[k])
    raw_w[:] = 0.0
    smooth_w[:] = 0.0
    account[:] = 0.0
    account[CHARGE_LEAST] = 1.0
    for m in range(members.stage.size):
        _levels(dt_s, spans, slots, members.stage[m], members.pace[m], level)
        _chain(dt_s, m, members, tools, lags, level, on, held, raw_w, smooth_w, account)


@njit(cache=True)
def _levels(dt_s, spans, slots, stage, pace, level):
    """Fill the dynamic share of one member's chips, before caps: the mean of every sample."""
    level[:] = 0.0
    for k in range(spans.start_s.size):
        start_s, stop_s = spans.start_s[k], spans.stop_s[k]
        if spans.stepping[k] == 0:
            _add(level, dt_s, start_s, stop_s, spans.level[k])
            continue
        stretch, scale = spans.stretch[k], spans.scale[k]
        at_s = start_s - spans.place_s[k] * stretch
        for i in range(slots.first[stage], slots.first[stage + 1]):
            if at_s >= stop_s:
                break
            whole_s = slots.busy_s[i] + slots.wait_s[i]
            busy_s = min(max(slots.busy_s[i] * pace, 0.0), whole_s)
            turn_s, end_s = at_s + busy_s * stretch, at_s + whole_s * stretch
            if end_s > start_s:
                busy, wait = scale * slots.busy_level[i], scale * slots.wait_level[i]
                _add(level, dt_s, max(at_s, start_s), min(turn_s, stop_s), busy)
                _add(level, dt_s, max(turn_s, start_s), min(end_s, stop_s), wait)
            at_s = end_s
        if at_s < stop_s:
            _add(level, dt_s, max(at_s, start_s), stop_s, spans.level[k])


@njit(cache=True)
def _add(samples, dt_s, start_s, stop_s, value):
    """Add a value held from `start_s` to `stop_s` to the means of the samples it touches."""
    low_s, high_s = max(start_s, 0.0), min(stop_s, samples.size * dt_s)
    if high_s <= low_s or value == 0.0:
        return
    first, last = int(low_s / dt_s), min(int(high_s / dt_s), samples.size - 1)
    if first == last:
        samples[first] += value * (high_s - low_s) / dt_s
        return
    samples[first] += value * ((first + 1) * dt_s - low_s) / dt_s
    for j in range(first + 1, last):
        samples[j] += value
    samples[last] += value * (high_s - last * dt_s) / dt_s


@njit(cache=True)
def _chain(dt_s, m, members, tools, lags, level, on, held, raw_w, smooth_w, account):
    """Add the input power of one member.

    Chip: idle, leakage by its own temperature (C dT/dt = P - (T - T_coolant)/R), dynamic power
    behind a first-order lag. Host: the same share behind a lag of its own. Shelf: P_in = a + (1 + b)
    P + c P^2. The tools act on what the chip asks for: a floor, then limits on its rise and fall;
    storage at the shelf then holds the peaks of the draw down.
    """
    chips, cap, dynamic_w = members.chips[m], members.cap[m], members.dynamic_w[m]
    static_w, leak_w_k = members.static_w[m], members.leakage_w_k[m]
    warm = dt_s / members.heat_capacity_j_k[m]
    chip_step, host_step = -math.expm1(-dt_s / lags.chip_s), -math.expm1(-dt_s / lags.host_s)
    mean = 0.0
    for j in range(level.size):
        mean += level[j]
    host = mean / level.size * cap
    hot_c = members.junction_c[m]
    first_w = on[0] * (static_w + leak_w_k * hot_c) + level[0] * cap * dynamic_w
    plain_w, held_w = first_w, max(first_w, tools.floor_w * held[0])
    asked_w = held_w
    rack = np.empty(level.size)
    smoothing = tools.floor_w > 0.0 or tools.up_w_s < math.inf or tools.down_w_s < math.inf
    for j in range(level.size):
        base_w = on[j] * (static_w + leak_w_k * hot_c)
        wanted_w = base_w + level[j] * cap * dynamic_w
        plain_w += chip_step * (wanted_w - plain_w)
        host += host_step * (level[j] * cap - host)
        host_w = on[j] * members.host_idle_w[m] + host * members.host_dynamic_w[m]
        hot_c += warm * (plain_w - (hot_c - members.coolant_c[m]) / members.resistance_k_w[m])
        rack_w = _shelf(m, members, chips * plain_w + host_w)
        raw_w[j] += rack_w
        account[RAW_J] += chips * plain_w * dt_s
        if smoothing:
            given_w = max(wanted_w, tools.floor_w * held[j])
            least_w, most_w = asked_w - tools.down_w_s * dt_s, asked_w + tools.up_w_s * dt_s
            asked_w = min(max(given_w, least_w), most_w)
            held_w += chip_step * (asked_w - held_w)
            rack_w = _shelf(m, members, chips * held_w + host_w)
            account[ADDED_J] += chips * max(held_w - plain_w, 0.0) * dt_s
            account[WITHHELD_J] += chips * max(plain_w - held_w, 0.0) * dt_s
        rack[j] = rack_w
    if tools.store_j > 0.0:
        _store(dt_s, chips, tools, rack, account)
    for j in range(level.size):
        smooth_w[j] += rack[j]


@njit(cache=True)
def _store(dt_s, chips, tools, rack_w, account):
    """Replace the draw of one member by what is seen of it behind its storage."""
    capacity_j = tools.store_j * chips
    if capacity_j <= 0.0:
        return
    charge_j = np.empty(rack_w.size)
    first_j, loss_j = shave(
        rack_w.copy(), dt_s, (chips * tools.store_w, capacity_j, tools.store_efficiency),
        tools.store_memory_s, rack_w, charge_j,
    )
    account[STORED_J] += charge_j[-1] - first_j
    account[STORAGE_LOSS_J] += loss_j
    account[CHARGE_LEAST] = min(account[CHARGE_LEAST], charge_j.min() / capacity_j)
    account[CHARGE_MOST] = max(account[CHARGE_MOST], charge_j.max() / capacity_j)


@njit(cache=True, inline="always")
def _shelf(m, members, out_w):
    """Return what the power shelves take for an output."""
    fixed_w = members.shelf_fixed_w[m] if out_w > 0.0 else 0.0
    return fixed_w + out_w * (members.shelf_linear[m] + members.shelf_load_per_w[m] * out_w)
