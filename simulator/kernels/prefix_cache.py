"""Prefix cache of a replica: blocks of prompts by number, the unused ones evicted oldest first.

A block that running requests use is part of the replica's memory in use; one that nobody uses
stays until the room is needed. Nodes of blocks are found through an open hash table with linear
probing; a removed entry's followers move up, so no tombstones pile up.
"""

import numpy as np

from simulator.kernels.batching_state import GRAIN, NONE
from simulator.kernels.compiled import inner

# Knuth's multiplicative hash: 2^32 over the golden ratio (TAOCP 3, 6.4).
GOLDEN = 2654435761


@inner
def home(block, mask):
    """Return the slot at which the search for a block begins."""
    return ((np.int64(block) * GOLDEN) >> 16) & mask


@inner
def find(w, r, block):
    """Return the node of a block, or NONE."""
    table, nodes = w.cache.table[r], w.cache.nodes[r]
    mask = table.size - 1
    slot = home(block, mask)
    while table[slot] != NONE:
        if nodes[table[slot]].block == block:
            return table[slot]
        slot = (slot + 1) & mask
    return NONE


@inner
def leading(w, r, i):
    """Return how many leading blocks of a request are cached, and how many of them are in use.

    The last token of a prompt is always computed, for it gives the next one.
    """
    request = w.requests[i]
    size = w.rules.block_tokens
    first = w.cache.start[i]
    most = min(whole_blocks(w, i), (request.goal - 1) // size)
    used = 0
    for k in range(most):
        node = find(w, r, w.cache.blocks[first + k])
        if node == NONE:
            return k, used
        used += w.cache.nodes[r, node].users > 0
    return most, used


@inner
def whole_blocks(w, i):
    """Return the blocks that a request's prompt fills."""
    listed = w.cache.start[i + 1] - w.cache.start[i]
    return min(listed, w.requests[i].input // w.rules.block_tokens)


@inner
def use(w, r, i, count):
    """Have a request use its first `count` blocks, all cached."""
    replica, request = w.replicas[r], w.requests[i]
    units = w.rules.block_tokens * GRAIN
    for k in range(w.cache.start[i], w.cache.start[i] + count):
        at = find(w, r, w.cache.blocks[k])
        node = w.cache.nodes[r, at]
        if node.users == 0:
            _leave(w, r, at)
            replica.cached -= units
            replica.held += units
        node.users += 1
    request.shared = count


@inner
def keep(w, r, i):
    """Put the blocks of a prefilled prompt into the cache; those that others put there are shared."""
    replica, request = w.replicas[r], w.requests[i]
    units = w.rules.block_tokens * GRAIN
    count = whole_blocks(w, i)
    for k in range(request.shared, count):
        block = w.cache.blocks[w.cache.start[i] + k]
        at = find(w, r, block)
        if at == NONE:
            at = _insert(w, r, block)
        else:
            replica.held -= units
            if w.cache.nodes[r, at].users == 0:
                _leave(w, r, at)
                replica.cached -= units
                replica.held += units
        w.cache.nodes[r, at].users += 1
    request.shared = max(request.shared, count)


@inner
def release(w, r, i):
    """End a request's use of its blocks, the last one first: it is the first to be evicted."""
    replica, request = w.replicas[r], w.requests[i]
    units = w.rules.block_tokens * GRAIN
    first = w.cache.start[i]
    for k in range(first + request.shared - 1, first - 1, -1):
        at = find(w, r, w.cache.blocks[k])
        node = w.cache.nodes[r, at]
        node.users -= 1
        if node.users == 0:
            replica.held -= units
            replica.cached += units
            _join(w, r, at)
    request.shared = 0


@inner
def shrink(w, r, needed):
    """Evict unused blocks, oldest first, until `needed` units fit beside the rest."""
    replica = w.replicas[r]
    while replica.cached > 0 and needed + replica.cached > w.rules.capacity:
        at = replica.oldest
        _leave(w, r, at)
        _remove(w, r, at)
        replica.cached -= w.rules.block_tokens * GRAIN


@inner
def _join(w, r, at):
    replica, nodes = w.replicas[r], w.cache.nodes[r]
    nodes[at].before, nodes[at].after = replica.latest, NONE
    if replica.latest == NONE:
        replica.oldest = at
    else:
        nodes[replica.latest].after = at
    replica.latest = at


@inner
def _leave(w, r, at):
    replica, nodes = w.replicas[r], w.cache.nodes[r]
    before, after = nodes[at].before, nodes[at].after
    if before == NONE:
        replica.oldest = after
    else:
        nodes[before].after = after
    if after == NONE:
        replica.latest = before
    else:
        nodes[after].before = before


@inner
def _insert(w, r, block):
    """Return a new node that nobody uses yet."""
    replica, table, nodes = w.replicas[r], w.cache.table[r], w.cache.nodes[r]
    at = replica.free_node
    replica.free_node = nodes[at].after
    nodes[at].block, nodes[at].users = block, 0
    mask = table.size - 1
    slot = home(block, mask)
    while table[slot] != NONE:
        slot = (slot + 1) & mask
    table[slot] = at
    return at


@inner
def _remove(w, r, at):
    """Take a node out of the table and close the gap behind it."""
    replica, table, nodes = w.replicas[r], w.cache.table[r], w.cache.nodes[r]
    mask = table.size - 1
    gap = home(nodes[at].block, mask)
    while table[gap] != at:
        gap = (gap + 1) & mask
    slot = (gap + 1) & mask
    while table[slot] != NONE:
        wanted = home(nodes[table[slot]].block, mask)
        if ((slot - wanted) & mask) >= ((slot - gap) & mask):
            table[gap] = table[slot]
            gap = slot
        slot = (slot + 1) & mask
    table[gap] = NONE
    nodes[at].after = replica.free_node
    replica.free_node = at
