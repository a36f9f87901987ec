"""Requests to replicas: dispatch policies, and replicas carried ahead in the order of events.

Replicas meet only where a policy looks at them, so a policy says what it looks at: nothing (the
replicas then run one after the other), two of them, or the least loaded of all, which a tournament
keeps at hand while another brings the replicas' ends forth in order.
"""

import numpy as np

from simulator.kernels import batching, philox, prefix_cache
from simulator.kernels.compiled import entry, inlined, inner

ROUND_ROBIN, LEAST_TOKENS, SHORTEST, TWO_CHOICES, AFFINITY = range(5)
POLICIES = ("round-robin", "least-tokens", "shortest-queue", "two-choices", "prefix-affinity")

# A prompt goes where at least this share of it is cached, unless the replica has so many requests
# more than the least loaded one and so many times as many (cache-aware policy of SGLang's router, its
# defaults). Vendor.
CACHED_LEAST, PASS_OVER_MORE, PASS_OVER_TIMES = 0.3, 64, 1.5


@entry
def serve_assigned(w, order, start, first, last, until_s):
    """Serve `order[start[r]:start[r + 1]]` on each replica r from `first` to before `last`."""
    for r in range(first, last):
        for k in range(start[r], start[r + 1]):
            i = order[k]
            if w.requests[i].arrival_s > until_s:
                break
            batching.advance(w, r, w.requests[i].arrival_s)
            batching.enqueue(w, r, i)
        batching.stop(w, r, until_s)


@entry
def serve_chosen(w, policy, key0, key1, until_s, ends, loads):
    """Serve all requests in the order of events, each on the replica that the policy chooses.

    `ends` and `loads` are new tournaments of as many entries as there are replicas.
    """
    count = w.replicas.size
    for i in range(w.requests.size):
        now_s = w.requests[i].arrival_s
        if now_s > until_s:
            break
        if policy == TWO_CHOICES:
            r = _two_choices(w, i, key0, key1)
            batching.enqueue(w, r, i)
            continue
        _catch_up(w, policy, ends, loads, now_s)
        r = _affine(w, i, int(loads[1, 0])) if policy == AFFINITY else int(loads[1, 0])
        batching.enqueue(w, r, i)
        _play(ends, r, w.replicas[r].end)
        _play(loads, r, load(w.replicas[r], policy))
    for r in range(count):
        batching.stop(w, r, until_s)


@inlined
def load(replica, policy):
    """Return what a policy compares: tokens that wait for prefill, or requests in the replica."""
    if policy == LEAST_TOKENS:
        return float(replica.queued_tokens)
    return float(replica.waiting + replica.running)


@inner
def _two_choices(w, i, key0, key1):
    """Return the shorter queued of two replicas drawn for the request, the first if equal."""
    count = w.replicas.size
    first = int(philox.uniform(key0, key1, i, 0, 0, 0) * count)
    other = int(philox.uniform(key0, key1, i, 1, 0, 0) * count)
    batching.advance(w, first, w.requests[i].arrival_s)
    batching.advance(w, other, w.requests[i].arrival_s)
    shorter = load(w.replicas[other], SHORTEST) < load(w.replicas[first], SHORTEST)
    return other if shorter else first


@inner
def _affine(w, i, least):
    """Return the replica that has most of a prompt cached, or the least loaded if that is wiser."""
    request, size = w.requests[i], w.rules.block_tokens
    best, most = least, 0
    if size > 0:
        for r in range(w.replicas.size):
            found, _ = prefix_cache.leading(w, r, i)
            if found > most:
                best, most = r, found
    if most * size < CACHED_LEAST * request.input:
        return least
    mine, others = load(w.replicas[best], AFFINITY), load(w.replicas[least], AFFINITY)
    crowded = mine > others + PASS_OVER_MORE and mine > others * PASS_OVER_TIMES
    return least if crowded else best


@inner
def _catch_up(w, policy, ends, loads, now_s):
    """Carry out all that ends before now, replica by replica in order."""
    while True:
        r = int(ends[1, 0])
        if w.replicas[r].end >= now_s:
            return
        batching.advance(w, r, now_s)
        _play(ends, r, w.replicas[r].end)
        _play(loads, r, load(w.replicas[r], policy))


def tournament(count: int, value: float) -> np.ndarray:
    """Return a tree whose root (row 1) names the first of the least values; leaves come last."""
    leaves = 1
    while leaves < count:
        leaves *= 2
    tree = np.empty((2 * leaves, 2))
    for k in range(leaves):
        tree[leaves + k, 0] = k
        tree[leaves + k, 1] = value if k < count else np.inf
    for at in range(leaves - 1, 0, -1):
        tree[at] = tree[2 * at + 1] if tree[2 * at + 1, 1] < tree[2 * at, 1] else tree[2 * at]
    return tree


@inlined
def _play(tree, k, value):
    """Give entry k a new value."""
    at = tree.shape[0] // 2 + k
    tree[at, 1] = value
    while at > 1:
        at //= 2
        winner = 2 * at + 1 if tree[2 * at + 1, 1] < tree[2 * at, 1] else 2 * at
        tree[at, 0], tree[at, 1] = tree[winner, 0], tree[winner, 1]
