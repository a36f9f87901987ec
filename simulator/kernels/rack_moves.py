"""Racks that change their load or the share of them in service, at any moment of a step."""

import numpy as np
from numba import njit

from simulator.kernels.compiled import entry, inlined, inner
from simulator.kernels.load_account import flush_load


@njit(cache=True)
def find_racks(start, stop, row_load, load_of, up_frac, wanted, least_up):
    """Return the racks whose load is `wanted` (loads,) and of which at least `least_up` is in
    service, ascending. Rows that belong to one load are passed over as a whole."""
    found = np.empty(load_of.size, np.int64)
    n = 0
    for i in range(start.size):
        if row_load[i] >= 0 and not wanted[row_load[i]]:
            continue
        for r in range(start[i], stop[i]):
            if wanted[load_of[r]] and up_frac[r] >= least_up:
                found[n] = r
                n += 1
    return found[:n].copy()


@entry
def move_racks(chosen, to_load, up_frac, now_s, rows, racks, loads, down_load):
    """Move racks to another load and set the share of each that is in service.

    Parameters
    ----------
    chosen, to_load : int64 (n,)
        Racks and the load each joins.
    up_frac : float64 (n,)
        Accelerators in service over installed, from now on; the rest counts under `down_load`.
    down_load : int64 (racks,)
        The pseudo-load of what is out of service.
    """
    for j in range(chosen.size):
        _move(chosen[j], to_load[j], up_frac[j], now_s, rows, racks, loads, down_load)
    for j in range(chosen.size):
        row = racks.row[chosen[j]]
        if j + 1 < chosen.size and racks.row[chosen[j + 1]] == row:
            continue
        load = racks.load[rows.start[row]]
        racks.row_load[row] = load
        for r in range(rows.start[row], rows.stop[row]):
            if racks.load[r] != load:
                racks.row_load[row] = -1


@inner
def refresh_rack(r, now_s, rows, racks, loads, wear):
    """Bring the share in service of a rack in line with its servers down and the causes that take
    the whole of it out; `wear` as in `strikes.happen`."""
    servers_down, servers, out, down_load = wear
    up_frac = max(1.0 - servers_down[r] / servers[r], 0.0) if out[r] <= 0 else 0.0
    _move(r, racks.load[r], up_frac, now_s, rows, racks, loads, down_load)


@inlined
def _move(r, new, up_frac, now_s, rows, racks, loads, down_load):
    old, down, row = racks.load[r], down_load[r], racks.row[r]
    if min(loads.since_s[old], loads.since_s[new], loads.since_s[down]) < now_s:
        flush_load(loads, old, now_s)
        flush_load(loads, new, now_s)
        flush_load(loads, down, now_s)
    if racks.row_touched[row] == 0:
        _open_row(row, rows, racks)
    up = racks.up_frac[r]
    racks.on_s[r] += up * (loads.on_s[old] - racks.on_joined[r])
    racks.dynamic_s[r] += up * (loads.dynamic_s[old] - racks.dynamic_joined[r])
    racks.on_joined[r] = loads.on_s[new]
    racks.dynamic_joined[r] = loads.dynamic_s[new]
    chips = rows.accelerators[row]
    loads.count[old] -= chips * up
    loads.count[down] -= chips * (1.0 - up)
    loads.count[new] += chips * up_frac
    loads.count[down] += chips * (1.0 - up_frac)
    racks.up_frac[r] = up_frac
    racks.load[r] = new


@inlined
def _open_row(row, rows, racks):
    """Begin a step's history for the racks of a row: all joined their loads at its start."""
    racks.row_touched[row] = 1
    for r in range(rows.start[row], rows.stop[row]):
        racks.on_s[r] = 0.0
        racks.dynamic_s[r] = 0.0
        racks.on_joined[r] = 0.0
        racks.dynamic_joined[r] = 0.0
