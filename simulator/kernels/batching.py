"""Iteration-level continuous batching of a replica, ahead from event to event.

Between two events (an arrival that may start, a chunk, the end of a request, memory full) the same
sequences decode, each context grows evenly, and iteration times are an arithmetic series: their sum
and the iteration that a moment falls into have closed forms. `batching_reference` says the same one
iteration after the other.
"""

import math

import numpy as np

from simulator.kernels import batching_queue as queue
from simulator.kernels import calendar, prefix_cache
from simulator.kernels.batching_state import (
    BATCH_S,
    BUSY_S,
    CONTEXT,
    DYNAMIC_S,
    GRAIN,
    KV_TOKEN_S,
    LIMITED,
    NONE,
    PAIR,
    PROMPTS,
    SEQUENCE,
    SERVED,
)
from simulator.kernels.compiled import inlined, inner


@inlined
def enqueue(w, r, i):
    """Have a request arrive at a replica; iterations planned too far ahead are given back."""
    replica, request = w.replicas[r], w.requests[i]
    if not queue.arrive(w, r, i):
        return
    if replica.end == np.inf:
        replica.end = request.arrival_s
    elif replica.iterations > 1 and queue.head(w, r) == i:
        if _may_start(w, r, i):
            _cut(replica, request.arrival_s)
        elif w.rules.patience_s < np.inf:
            _cut(replica, queue.deadline_s(w, i))


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
    iterations = _iterations_to(replica, until_s)
    if _elapsed_s(replica, iterations) > until_s - replica.clock:
        iterations -= 1
    if iterations == replica.iterations:
        complete(w, r)
    elif iterations > 0:
        _account(w, r, iterations)


@inlined
def begin(w, r):
    """Plan a replica's next iterations: who takes part, how long they take, how many alike."""
    replica = w.replicas[r]
    replica.chunks = replica.chunk_tokens = 0
    replica.pairs = replica.extra_s = 0.0
    for k in range(w.cost.limits.size):
        w.limited_pairs[r, k] = 0.0
    if w.rules.chunked:
        pressed = queue.make_room(w, r)
        budget = w.rules.max_tokens - replica.decodes * w.rules.verified
        if replica.cached > 0:
            prefix_cache.shrink(w, r, replica.held + replica.growth)
        budget = _go_on(w, r, budget)
        if not pressed:
            queue.admit(w, r, budget)
        replica.decoding = replica.decodes
    else:
        queue.admit(w, r, w.rules.max_tokens)
        pressed = replica.chunks == 0 and queue.make_room(w, r)
        replica.decoding = replica.decodes if replica.chunks == 0 else 0
    if replica.decoding == 0 and replica.chunks == 0:
        replica.end, replica.iterations = np.inf, 0
        return
    _price(w, r)
    replica.iterations = 1
    if replica.chunks == 0 and not pressed and replica.extra_s == 0.0:
        replica.iterations = _alike(w, r)
    replica.end = replica.clock + _elapsed_s(replica, replica.iterations)
    if replica.iterations > 1 and replica.waiting > 0:
        _cut(replica, queue.deadline_s(w, queue.head(w, r)))


@inlined
def _go_on(w, r, budget):
    """Give prompts under way their next chunks, in the order they were admitted."""
    i = w.replicas[r].first_chunk
    while i != NONE and budget > 0:
        request = w.requests[i]
        chunk = min(request.goal - request.done, budget)
        queue.take(w, r, i, chunk)
        budget -= chunk
        i = request.next
    return budget


@inlined
def _alike(w, r):
    """Return after how many iterations a request ends, or memory is full."""
    replica = w.replicas[r]
    due = (w.calendar[r, 0] >> calendar.STEP_SHIFT) - replica.step
    return min(due, (w.rules.capacity - replica.held) // replica.growth)


@inlined
def _price(w, r):
    """Set the time and work of the first planned iteration, and what each further one adds."""
    replica = w.replicas[r]
    replica.first_s, replica.more_s = _form(w, r, 0)
    replica.matrix_s, replica.matrix_more_s = _form(w, r, 1)
    replica.memory_s, replica.memory_more_s = _form(w, r, 2)
    replica.first_s += replica.extra_s


@inlined
def _form(w, r, form):
    """Return one form of the cost of an iteration: of the first, and what each adds to the last."""
    replica, each, table = w.replicas[r], w.cost.each, w.cost.table
    tokens = replica.decoding * w.rules.verified + replica.chunk_tokens
    last = table.shape[0] - 1
    first = table[tokens, form] if tokens <= last else table[last, form] * (tokens / last)
    first += each[SEQUENCE, form] * (replica.decoding + replica.chunks)
    more = 0.0
    if replica.chunks > 0:
        first += each[PROMPTS, form] + each[PAIR, form] * replica.pairs
    if replica.decoding > 0:
        first += each[CONTEXT, form] * ((replica.context + replica.growth) / GRAIN)
        more += each[CONTEXT, form] * (replica.growth / GRAIN)
    for k in range(w.cost.limits.size):
        row = LIMITED + 2 * k
        first += each[row + 1, form] * w.limited_pairs[r, k]
        if replica.decoding > 0:
            grown = w.limited[r, k, 1] / GRAIN
            first += each[row, form] * (w.limited[r, k, 0] / GRAIN + grown)
            more += each[row, form] * grown
    return first, more


@inlined
def _elapsed_s(replica, iterations):
    """Return the time of so many of the planned iterations: an arithmetic series."""
    return iterations * replica.first_s + replica.more_s * (0.5 * iterations * (iterations - 1.0))


@inlined
def _iterations_to(replica, moment_s):
    """Return the fewest planned iterations that end no sooner than a moment, one at least."""
    left_s = moment_s - replica.clock
    if _elapsed_s(replica, replica.iterations) <= left_s:
        return replica.iterations
    half = replica.first_s - 0.5 * replica.more_s
    root = half + math.sqrt(max(half * half + 2.0 * replica.more_s * max(left_s, 0.0), 0.0))
    count = max(int(2.0 * max(left_s, 0.0) / root), 1)
    while _elapsed_s(replica, count) < left_s:
        count += 1
    while count > 1 and _elapsed_s(replica, count - 1) >= left_s:
        count -= 1
    return count


@inlined
def _cut(replica, moment_s):
    """Give back the iterations that would begin at a moment or later."""
    if moment_s < replica.end:
        replica.iterations = _iterations_to(replica, moment_s)
        replica.end = replica.clock + _elapsed_s(replica, replica.iterations)


@inlined
def complete(w, r):
    """Carry out the planned iterations of a replica."""
    replica = w.replicas[r]
    iterations = replica.iterations
    if iterations > 0:
        _account(w, r, iterations)
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
            queue.cross(w, r, i, kind - 1)
        else:
            _finish(w, r, i, queue.stop_decoding(w, r, i))


@inlined
def _end_chunks(w, r):
    """Count the chunks as done; prompts that are complete give a token and decode."""
    replica = w.replicas[r]
    i = replica.first_chunk
    for _ in range(replica.chunks):
        request, following = w.requests[i], w.requests[i].next
        request.done += request.chunk
        replica.queued_tokens -= request.chunk
        if request.done == request.goal:
            replica.first_chunk = following
            if following == NONE:
                replica.last_chunk = NONE
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
        queue.decode(w, r, i)


@inlined
def _finish(w, r, i, units):
    request = w.requests[i]
    queue.leave(w, r, i, units)
    request.finish_s = w.replicas[r].clock
    request.outcome = SERVED


@inlined
def _account(w, r, iterations):
    """Add time, work and state of planned iterations to the sums."""
    replica = w.replicas[r]
    steps = 0.5 * iterations * (iterations - 1.0)
    elapsed_s = _elapsed_s(replica, iterations)
    matrix_s = iterations * replica.matrix_s + steps * replica.matrix_more_s
    memory_s = iterations * replica.memory_s + steps * replica.memory_more_s
    replica.busy_s += elapsed_s
    replica.matrix_total_s += matrix_s
    replica.memory_total_s += memory_s
    replica.total_iterations += iterations
    grown = iterations * replica.growth if replica.decoding > 0 else 0
    replica.peak = max(replica.peak, replica.held + grown)
    if elapsed_s <= 0.0:
        return
    frac = power_frac(w.rules, matrix_s / elapsed_s, memory_s / elapsed_s)
    replica.dynamic_s += frac * elapsed_s
    batch = float(replica.decoding + replica.chunks)
    mean = replica.held / GRAIN
    if replica.decoding > 0:
        mean += 0.5 * (iterations - 1.0) * replica.growth / GRAIN
    _record(w, replica.clock, elapsed_s, batch, mean, frac)


@inlined
def power_frac(rules, matrix_busy, memory_busy):
    """Return chip power between idle (0) and TDP (1), as `performance.chip.utilised_power_frac`."""
    matrix = rules.matrix_power * min(matrix_busy, 1.0)
    memory = rules.memory_power * min(memory_busy, 1.0)
    return -math.expm1(-matrix - memory)


@inlined
def _record(w, start_s, elapsed_s, batch, kv_tokens, frac):
    """Add a stretch of time to the bins it lies in."""
    while start_s + elapsed_s > w.series.shape[0] * w.bin_s[0]:
        _fold(w)
    width_s = w.bin_s[0]
    at = int(start_s / width_s)
    while elapsed_s > 0.0 and at < w.series.shape[0]:
        part_s = min(elapsed_s, max((at + 1) * width_s - start_s, 0.0))
        w.series[at, BUSY_S] += part_s
        w.series[at, BATCH_S] += part_s * batch
        w.series[at, KV_TOKEN_S] += part_s * kv_tokens
        w.series[at, DYNAMIC_S] += part_s * frac
        elapsed_s -= part_s
        start_s += part_s
        at += 1


@inner
def _fold(w):
    """Join each two bins, so that the record reaches twice as far."""
    half = w.series.shape[0] // 2
    for column in range(w.series.shape[1]):
        for at in range(half):
            w.series[at, column] = w.series[2 * at, column] + w.series[2 * at + 1, column]
        for at in range(half, 2 * half):
            w.series[at, column] = 0.0
    w.bin_s[0] *= 2.0
