"""Failures of racks, and their repairs, each at its exact time and without a decision of the engine.

Failures drawn for the window at hand stand in order of time; repairs under way are a heap by time,
those of one time in the order in which they began. What the engine must decide is handed to it.
"""

import numpy as np

from simulator.kernels import repair
from simulator.kernels.compiled import entry, inlined, inner, shared
from simulator.kernels.rack_moves import refresh_rack

CALM, STRIKE, WAKE = 0, 4, 5
"""Nothing to decide; a failure that the engine must apply; racks are back that someone waits for."""
NOTHING, SERVER, RACK, ASK = 0.0, 1.0, np.inf, -1.0
"""Servers that a failure takes out of a rack; `ASK`: the engine knows."""


@entry
def happen(before_s, queue, shop, rows, racks, loads, wear):
    """Let failures and repairs happen, in order, until the engine must decide or `before_s` is next.

    Parameters
    ----------
    queue : StrikeQueue
    shop : repair.Shop
        Without classes where the scenario has no `operations`.
    wear : (servers_down, servers, out, down_load)
        Per rack: servers out and installed, causes that take it out as a whole, the pseudo-load of
        what is out of service.

    Returns
    -------
    int
        `STRIKE`: the failure before `queue.drawn[0]` is the engine's to apply; `WAKE`: the rack
        that came back last is waited for; `CALM` otherwise.
    """
    while queue.due_s[0] < before_s:
        queue.happened_s[0] = queue.due_s[0]
        i = queue.drawn[0]
        if i < queue.drawn[1] and queue.at_s[i] == queue.due_s[0]:
            queue.drawn[0] += 1
            found = _strike(i, queue, shop, rows, racks, loads, wear)
        else:
            found = _return(queue, rows, racks, loads, wear)
        set_due(queue)
        if found != CALM:
            return found
    return CALM


@entry
def lose_servers(chosen, servers, now_s, back_s, queue, rows, racks, loads, wear):
    """Take so many `servers` (n,) of each of some racks, or `RACK` for all of it, out until
    `back_s`."""
    for j in range(chosen.size):
        _lose(chosen[j], servers[j], now_s, back_s, queue, rows, racks, loads, wear)
    set_due(queue)


@shared
def set_due(queue):
    """Find when the next failure or repair is due."""
    due_s, i = np.inf, queue.drawn[0]
    if i < queue.drawn[1]:
        due_s = queue.at_s[i]
    if queue.under_way[0] > 0:
        due_s = min(due_s, queue.back_s[0])
    queue.due_s[0] = due_s


@inlined
def _strike(i, queue, shop, rows, racks, loads, wear):
    """Apply failure `i`, unless the engine must."""
    rack, servers, at_s = queue.rack[i], queue.servers[i], queue.at_s[i]
    if rack >= 0 and racks.up_frac[rack] == 0.0:
        return CALM  # a rack that is switched off wears nothing out
    if servers < 0.0 or queue.watched[racks.load[rack]] == 1:
        return STRIKE
    queue.applied[i] = 1
    if shop.trade.size > 0:
        key, entity = (queue.key[0], queue.key[1]), (queue.word[i], queue.unit[i], queue.kth[i])
        repair.book(
            shop, queue.cls[i], at_s, queue.transient[i], queue.spread[i], key, entity,
            queue.until_s[i],
        )
    if servers > 0.0:
        lasts_s = queue.until_s[i, repair.BACK] - at_s
        _lose(rack, servers, at_s, at_s + lasts_s, queue, rows, racks, loads, wear)
    return CALM


@inner
def _lose(rack, servers, now_s, back_s, queue, rows, racks, loads, wear):
    _count(rack, servers, 1.0, wear)
    refresh_rack(rack, now_s, rows, racks, loads, wear)
    _push(rack, servers, back_s, queue)


@inlined
def _return(queue, rows, racks, loads, wear):
    """Bring back what is repaired first."""
    now_s, rack, servers = queue.back_s[0], queue.back_rack[0], queue.back_servers[0]
    _pop(queue)
    _count(rack, servers, -1.0, wear)
    refresh_rack(rack, now_s, rows, racks, loads, wear)
    return WAKE if queue.waiting[0] == 1 else CALM


@inlined
def _count(rack, servers, change, wear):
    servers_down, _, out, _ = wear
    if servers == RACK:
        out[rack] += int(change)
    else:
        servers_down[rack] += change * servers


@inlined
def _push(rack, servers, back_s, queue):
    """Add a repair to the heap."""
    at = queue.under_way[0]
    if at == queue.back_s.size:
        raise ValueError("more repairs under way than there is room for: check the failure rates")
    order = queue.under_way[1]
    queue.under_way[0] += 1
    queue.under_way[1] += 1
    while at > 0:
        above = (at - 1) >> 1
        if queue.back_s[above] <= back_s:
            break
        _shift(above, at, queue)
        at = above
    _put(at, back_s, order, rack, servers, queue)


@inlined
def _pop(queue):
    """Take the first repair off the heap."""
    queue.under_way[0] -= 1
    size, at = queue.under_way[0], 0
    back_s, order = queue.back_s[size], queue.back_order[size]
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size and _earlier(child + 1, queue.back_s[child], queue.back_order[child], queue):
            child += 1
        if not _earlier(child, back_s, order, queue):
            break
        _shift(child, at, queue)
        at = child
    _put(at, back_s, order, queue.back_rack[size], queue.back_servers[size], queue)


@inlined
def _earlier(at, back_s, order, queue):
    """Return whether the repair at a place comes before one with this time and order."""
    if queue.back_s[at] != back_s:
        return queue.back_s[at] < back_s
    return queue.back_order[at] < order


@inlined
def _shift(source, target, queue):
    _put(
        target, queue.back_s[source], queue.back_order[source], queue.back_rack[source],
        queue.back_servers[source], queue,
    )


@inlined
def _put(at, back_s, order, rack, servers, queue):
    queue.back_s[at] = back_s
    queue.back_order[at] = order
    queue.back_rack[at] = rack
    queue.back_servers[at] = servers
