"""What planned iterations take: their series in closed form, what they draw, the record over time."""

import math

from simulator.kernels.batching_state import (
    BATCH_S,
    BUSY_S,
    CONTEXT,
    DYNAMIC_S,
    GRAIN,
    KV_TOKEN_S,
    LIMITED,
    PAIR,
    PROMPTS,
    SEQUENCE,
)
from simulator.kernels.compiled import inlined, inner


@inlined
def price(w, r):
    """Set time and draw of the first planned iteration, and what each further one adds."""
    replica = w.replicas[r]
    replica.first_s, replica.more_s = _form(w, r, 0)
    replica.drawn_s, replica.drawn_more_s = _form(w, r, 1)
    replica.first_s += replica.extra_s
    if replica.seen > 0:
        replica.first_s += replica.seen * w.rules.image_s
        replica.drawn_s += replica.seen * w.rules.image_drawn_s


@inlined
def _by_tokens(table, tokens, form):
    """Return an entry of a table; beyond its end in proportion."""
    last = table.shape[0] - 1
    return table[tokens, form] if tokens <= last else table[last, form] * (tokens / last)


@inlined
def _form(w, r, form):
    """Return one form of the cost of an iteration: of the first, and what each adds to the last."""
    replica, each, table = w.replicas[r], w.cost.each, w.cost.table
    tokens = replica.decoding * w.rules.verified + replica.chunk_tokens
    first = _by_tokens(table, tokens, form)
    first += each[SEQUENCE, form] * (replica.decoding + replica.chunks)
    more, stretch = 0.0, 1.0
    if w.rules.groups > 1 and replica.chunks > 0:
        busiest = max(replica.longest * w.rules.groups, replica.chunk_tokens)
        stretch = busiest / replica.chunk_tokens
        as_if = tokens + busiest - replica.chunk_tokens
        first += _by_tokens(w.cost.local, as_if, form) - _by_tokens(w.cost.local, tokens, form)
    if replica.chunks > 0:
        first += each[PROMPTS, form] + each[PAIR, form] * replica.pairs * stretch
    if replica.decoding > 0:
        first += each[CONTEXT, form] * ((replica.context + replica.growth) / GRAIN)
        more += each[CONTEXT, form] * (replica.growth / GRAIN)
    for k in range(w.cost.limits.size):
        row = LIMITED + 2 * k
        first += each[row + 1, form] * w.limited_pairs[r, k] * stretch
        if replica.decoding > 0:
            grown = w.limited[r, k, 1] / GRAIN
            first += each[row, form] * (w.limited[r, k, 0] / GRAIN + grown)
            more += each[row, form] * grown
    return first, more


@inlined
def series_s(replica, iterations):
    """Return the time of so many of the planned iterations: an arithmetic series."""
    return iterations * replica.first_s + replica.more_s * (0.5 * iterations * (iterations - 1.0))


@inlined
def iterations_to(replica, moment_s):
    """Return the fewest planned iterations that end no sooner than a moment, one at least."""
    left_s = moment_s - replica.clock
    if series_s(replica, replica.iterations) <= left_s:
        return replica.iterations
    half = replica.first_s - 0.5 * replica.more_s
    root = half + math.sqrt(max(half * half + 2.0 * replica.more_s * max(left_s, 0.0), 0.0))
    count = max(int(2.0 * max(left_s, 0.0) / root), 1)
    while series_s(replica, count) < left_s:
        count += 1
    while count > 1 and series_s(replica, count - 1) >= left_s:
        count -= 1
    return count


@inlined
def cut(replica, moment_s, more):
    """Give back the iterations that would begin at a moment or later, but for `more` of them."""
    if moment_s < replica.end:
        replica.iterations = min(iterations_to(replica, moment_s) + more, replica.iterations)
        replica.end = replica.clock + series_s(replica, replica.iterations)


@inlined
def account(w, r, iterations):
    """Add time, draw and state of planned iterations to the sums."""
    replica = w.replicas[r]
    steps = 0.5 * iterations * (iterations - 1.0)
    elapsed_s = series_s(replica, iterations)
    drawn_s = iterations * replica.drawn_s + steps * replica.drawn_more_s
    replica.busy_s += elapsed_s
    replica.dynamic_s += drawn_s
    replica.total_iterations += iterations
    grown = iterations * replica.growth if replica.decoding > 0 else 0
    replica.peak = max(replica.peak, replica.held + grown)
    if elapsed_s <= 0.0:
        return
    batch = float(replica.decoding + replica.chunks)
    mean = replica.held / GRAIN
    if replica.decoding > 0:
        mean += 0.5 * (iterations - 1.0) * replica.growth / GRAIN
    _record(w, replica.clock, elapsed_s, batch, mean, drawn_s / elapsed_s)


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
