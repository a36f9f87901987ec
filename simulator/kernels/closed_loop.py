"""Users who each send their next request when the last one is answered, on replicas or on two pools.

Requests are numbered in the order they are sent, pass a gate one after the other (their text is made
tokens), and go to replicas in turn. Of two pools the first computes prompts and the second decodes; keys
and values stay in the first's memory until the second has a seat and room for them, so that a full
second pool holds up the first. Users wait endlessly. `closed_loop_reference` says the same in plain
words.
"""

import numpy as np

from simulator.kernels import batching
from simulator.kernels.batching_state import GRAIN, NEWEST, NONE, REJECTED
from simulator.kernels.compiled import entry, inlined, inner


@entry
def serve_users(w, starts_s, gate_s, sent_s):
    """Serve all requests of a world on replicas that do both, prompts and decoding.

    `starts_s` is when users send their first, ascending; shape (users,). `gate_s` is how long the
    gate takes for each request; `sent_s` is written; shape (requests,).
    """
    sent, arrived, started = 0, 0, 0
    while True:
        r = _first_to_end(w)
        comes_s = w.requests[arrived].arrival_s if arrived < sent else np.inf
        starts = starts_s[started] if started < starts_s.size else np.inf
        now_s = min(w.replicas[r].end, comes_s, starts)
        if now_s == np.inf:
            return
        if starts == now_s:
            started += 1
            sent = _send(w, sent, 1, now_s, gate_s, sent_s)
        elif comes_s == now_s:
            lost = _arrive(w, arrived)
            arrived += 1
            sent = _send(w, sent, lost, now_s, gate_s, sent_s)
        else:
            batching.complete(w, r)
            sent = _send(w, sent, _answered(w, r), now_s, gate_s, sent_s)
            batching.begin(w, r)


@entry
def serve_users_apart(p, d, starts_s, gate_s, way_s, sent_s):
    """Serve all requests of two worlds, prompts in `p` and the rest in `d`.

    Both have the same requests: in `p` without decode steps, in `d` ready. `way_s` is how long keys
    and values of each travel, the others as in `serve_users`; shape (requests,).
    """
    sent, arrived, started = 0, 0, 0
    coming = NONE
    while True:
        r, q = _first_to_end(p), _first_to_end(d)
        comes_s = p.requests[arrived].arrival_s if arrived < sent else np.inf
        moves_s = d.requests[coming].arrival_s if coming != NONE else np.inf
        starts = starts_s[started] if started < starts_s.size else np.inf
        now_s = min(p.replicas[r].end, d.replicas[q].end, comes_s, moves_s, starts)
        if now_s == np.inf:
            return
        if starts == now_s:
            started += 1
            sent = _send(p, sent, 1, now_s, gate_s, sent_s)
        elif comes_s == now_s:
            lost = _arrive(p, arrived)
            arrived += 1
            sent = _send(p, sent, lost, now_s, gate_s, sent_s)
        elif moves_s == now_s:
            i, coming = coming, d.requests[coming].next
            batching.enqueue(d, i % d.replicas.size, i)
        elif d.replicas[q].end == now_s:
            batching.complete(d, q)
            sent = _send(p, sent, _answered(d, q), now_s, gate_s, sent_s)
            batching.begin(d, q)
            _let_go(p, d, q)
        else:
            batching.complete(p, r)
            coming = _hand_over(p, d, r, coming, way_s)
            batching.begin(p, r)


@inlined
def _first_to_end(w):
    """Return the replica whose planned iterations end first."""
    first = 0
    for r in range(1, w.replicas.size):
        if w.replicas[r].end < w.replicas[first].end:
            first = r
    return first


@inlined
def _answered(w, r):
    """Return how many requests a replica has answered since it was asked last."""
    count, i = 0, w.replicas[r].ended
    while i != NONE:
        count += 1
        i = w.requests[i].next
    w.replicas[r].ended = NONE
    return count


@inner
def _send(w, sent, count, now_s, gate_s, sent_s):
    """Send the next `count` requests through the gate; return how many are sent in all."""
    for _ in range(min(count, w.requests.size - sent)):
        free_s = w.requests[sent - 1].arrival_s if sent > 0 else 0.0
        sent_s[sent] = now_s
        w.requests[sent].arrival_s = max(free_s, now_s) + gate_s[sent]
        sent += 1
    return sent


@inner
def _arrive(w, i):
    """Have a request arrive at its replica; return 1 if it could never fit and is lost, else 0."""
    batching.enqueue(w, i % w.replicas.size, i)
    return 1 if w.requests[i].outcome == REJECTED else 0


@inner
def _hand_over(p, d, r, coming, way_s):
    """Put prompts that a replica has computed on their way, in the order they will come.

    They stay in its memory. Return the first of all that are on their way.
    """
    i = p.replicas[r].ended
    p.replicas[r].ended = NONE
    while i != NONE:
        following = p.requests[i].next
        p.replicas[r].held += p.requests[i].kv
        d.requests[i].arrival_s = p.requests[i].first_s + way_s[i]
        coming = _insert(d, coming, i)
        i = following
    return coming


@inlined
def _insert(d, coming, i):
    """Put a request into the list of those that come, by time and number; return its first."""
    before, at = NONE, coming
    while at != NONE and not _sooner(d, i, at):
        before, at = at, d.requests[at].next
    d.requests[i].next = at
    if before == NONE:
        return i
    d.requests[before].next = i
    return coming


@inlined
def _sooner(d, i, j):
    """Return whether a request comes before another."""
    first_s, second_s = d.requests[i].arrival_s, d.requests[j].arrival_s
    return first_s < second_s or (first_s == second_s and i < j)


@inner
def _let_go(p, d, q):
    """Free the memory in which prompts waited that have just got a seat; wake who waits for it."""
    for level in range(d.lines.shape[1]):
        i = d.lines[q, level, NEWEST]
        while i != NONE and d.requests[i].admitted_s == d.replicas[q].clock:
            if d.requests[i].hit == 0:
                d.requests[i].hit = d.requests[i].goal
                r = p.requests[i].replica
                p.replicas[r].held -= p.requests[i].goal * GRAIN
                if p.replicas[r].end == np.inf and p.replicas[r].waiting > 0:
                    p.replicas[r].end = d.replicas[q].clock
            i = d.requests[i].before
