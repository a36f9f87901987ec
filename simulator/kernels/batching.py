"""Iteration-level continuous batching of a replica, ahead from event to event.

Between two events (an arrival that may start, a chunk, the end of a request, memory full) the same
sequences decode, each context grows evenly, and iteration times are an arithmetic series: their sum
and the iteration that a moment falls into have closed forms. `batching_reference` says the same one
iteration after the other.
"""

import numpy as np

from simulator.kernels import batching_price as pricing
from simulator.kernels import batching_queue as queue
from simulator.kernels import batching_seats as seats
from simulator.kernels import calendar, prefix_cache
from simulator.kernels.batching_state import FRESH, GRAIN, NONE, SERVED
from simulator.kernels.compiled import inlined, inner


@inlined
def enqueue(w, r, i):
    """Have a request arrive at a replica; iterations planned too far ahead are given back."""
    replica, request = w.replicas[r], w.requests[i]
    if not queue.arrive(w, r, i):
        return
    if replica.end == np.inf:
        replica.end = request.arrival_s
        replica.polled = replica.total_iterations + 1
        return
    begun = 0
    if w.rules.ahead and request.kept == FRESH and replica.iterations > 0:
        begun = pricing.iterations_to(replica, request.arrival_s)
        request.turn = queue.looked_at(w, r, replica.total_iterations + begun + 2)
    if replica.iterations <= 1:
        return
    if w.rules.hold > 0 and replica.waiting == w.rules.groups:
        # Prompts held for others wait no longer, be it an iteration before this one may start.
        pricing.cut(replica, request.arrival_s, 0)
    elif queue.head(w, r) == i:
        if _may_start(w, r, i):
            pricing.cut(replica, request.arrival_s, 1 if begun else 0)
        elif w.rules.patience_s < np.inf:
            pricing.cut(replica, queue.deadline_s(w, i), 0)


@inlined
def _may_start(w, r, i):
    """Return whether a request at the head of the line may start while the same ones decode."""
    replica, request = w.replicas[r], w.requests[i]
    if replica.running == w.rules.max_sequences:
        return False
    return w.rules.block_tokens > 0 or replica.held + request.goal * GRAIN <= w.rules.capacity


@inner
def advance(w, r, until_s):
    """Carry out everything that ends before a moment."""
    replica = w.replicas[r]
    while replica.end < until_s:
        complete(w, r)
        begin(w, r)


@inner
def stop(w, r, until_s):
    """Carry out what ends by a moment, and the whole iterations of what is under way then."""
    replica = w.replicas[r]
    advance(w, r, until_s)
    if replica.end == np.inf or replica.iterations == 0:
        return
    iterations = pricing.iterations_to(replica, until_s)
    if pricing.series_s(replica, iterations) > until_s - replica.clock:
        iterations -= 1
    if iterations == replica.iterations:
        complete(w, r)
    elif iterations > 0:
        pricing.account(w, r, iterations)


@inlined
def begin(w, r):
    """Plan a replica's next iterations: who takes part, how long they take, how many alike."""
    replica = w.replicas[r]
    replica.chunks = replica.chunk_tokens = replica.longest = replica.seen = 0
    replica.pairs = replica.extra_s = 0.0
    for k in range(w.cost.limits.size):
        w.limited_pairs[r, k] = 0.0
    if w.rules.chunked:
        pressed = seats.make_room(w, r)
        budget = w.rules.max_tokens - replica.decodes * w.rules.verified
        if replica.cached > 0:
            prefix_cache.shrink(w, r, replica.held + replica.growth)
        budget = _go_on(w, r, budget)
        if not pressed:
            queue.admit(w, r, budget)
        replica.decoding = replica.decodes
    else:
        queue.admit(w, r, w.rules.max_tokens)
        pressed = replica.chunks == 0 and seats.make_room(w, r)
        replica.decoding = replica.decodes if replica.chunks == 0 else 0
    if replica.decoding == 0 and replica.chunks == 0:
        replica.end, replica.iterations = np.inf, 0
        return
    pricing.price(w, r)
    replica.iterations = 1
    alike = replica.chunks == 0 and not pressed and replica.extra_s == 0.0
    if alike and not queue.anyone_later(w, r):
        replica.iterations = _alike(w, r)
    replica.end = replica.clock + pricing.series_s(replica, replica.iterations)
    if replica.iterations > 1 and replica.waiting > 0:
        pricing.cut(replica, queue.deadline_s(w, queue.head(w, r)), 0)


@inlined
def _go_on(w, r, budget):
    """Give prompts under way their next chunks, in the order they were admitted."""
    i = w.replicas[r].first_chunk
    while i != NONE and budget > 0:
        request = w.requests[i]
        chunk = min(request.goal - request.done, budget, w.rules.max_tokens // w.rules.groups)
        seats.take(w, r, i, chunk)
        budget -= chunk
        i = request.next
    return budget


@inlined
def _alike(w, r):
    """Return after how many iterations a request ends, or memory is full."""
    replica = w.replicas[r]
    due = (w.calendar[r, 0] >> calendar.STEP_SHIFT) - replica.step
    count = min(due, (w.rules.capacity - replica.held) // replica.growth)
    if w.rules.hold > 0 and replica.waiting > 0:
        left = queue.held_for(w, r, queue.head(w, r))
        count = min(count, left) if left > 0 else count
    return count


@inlined
def complete(w, r):
    """Carry out the planned iterations of a replica."""
    replica = w.replicas[r]
    iterations = replica.iterations
    if iterations > 0:
        pricing.account(w, r, iterations)
    replica.clock = replica.end
    if replica.decoding > 0 and iterations > 0:
        _grow(w, r, iterations)
    if replica.chunks > 0:
        _end_chunks(w, r)


@inlined
def _grow(w, r, iterations):
    """Move decoding sequences on, and end those that are through."""
    replica = w.replicas[r]
    replica.step += iterations
    replica.held += iterations * replica.growth
    replica.context += iterations * replica.growth
    for k in range(w.cost.limits.size):
        w.limited[r, k, 0] += iterations * w.limited[r, k, 1]
    if replica.cached > 0:
        prefix_cache.shrink(w, r, replica.held)
    while replica.events > 0 and w.calendar[r, 0] >> calendar.STEP_SHIFT <= replica.step:
        kind = (w.calendar[r, 0] >> calendar.KIND_SHIFT) & 15
        i = w.calendar[r, 0] & (calendar.REQUESTS - 1)
        calendar.pop(w.calendar, r, replica.events)
        replica.events -= 1
        if kind > 0:
            seats.cross(w, r, i, kind - 1)
        else:
            _finish(w, r, i, seats.stop_decoding(w, r, i))


@inlined
def _end_chunks(w, r):
    """Count the chunks as done; prompts that are complete give a token and decode."""
    replica = w.replicas[r]
    before, i = NONE, replica.first_chunk
    for _ in range(replica.chunks):
        request, following = w.requests[i], w.requests[i].next
        request.done += request.chunk
        replica.queued_tokens -= request.chunk
        if request.done < request.goal:
            before = i
        else:
            if before == NONE:
                replica.first_chunk = following
            else:
                w.requests[before].next = following
            if following == NONE:
                replica.last_chunk = before
            _emit(w, r, i)
        i = following
    replica.chunks = 0


@inlined
def _emit(w, r, i):
    """Have a request whose prompt is computed give its next token."""
    request = w.requests[i]
    if np.isnan(request.first_s):
        request.first_s = w.replicas[r].clock
    if w.rules.block_tokens > 0:
        prefix_cache.keep(w, r, i)
    request.kv = request.goal * GRAIN
    if request.left == 0:
        _finish(w, r, i, request.kv)
    else:
        seats.decode(w, r, i)


@inlined
def _finish(w, r, i, units):
    request = w.requests[i]
    seats.leave(w, r, i, units)
    request.finish_s = w.replicas[r].clock
    request.outcome = SERVED
    w.replicas[r].served += 1
    request.next, w.replicas[r].ended = w.replicas[r].ended, i
