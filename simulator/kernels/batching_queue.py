"""Who may run on a replica: waiting lines by level, and admission."""

import numpy as np

from simulator.kernels import batching_seats as seats
from simulator.kernels import prefix_cache
from simulator.kernels.batching_state import (
    FIRST,
    FRESH,
    GRAIN,
    LAST,
    NEWEST,
    NONE,
    QUEUED,
    REJECTED,
    RUNNING,
    SHED,
    SWAPPED,
)
from simulator.kernels.compiled import inlined, inner


@inlined
def arrive(w, r, i):
    """Put a request into a replica's line, unless it could never fit its memory."""
    request = w.requests[i]
    request.replica = r
    if request.input * GRAIN + request.left * request.rate > w.rules.capacity:
        request.outcome = REJECTED
        w.replicas[r].rejected += 1
        request.finish_s = request.arrival_s
        return False
    level, last = request.level, w.lines[r, request.level, LAST]
    request.next = NONE
    if last == NONE:
        w.lines[r, level, FIRST] = i
    else:
        w.requests[last].next = i
    w.lines[r, level, LAST] = i
    seats.counted(w, r, i, 1)
    return True


@inlined
def head(w, r):
    """Return the first request of the first line that is not empty."""
    for level in range(w.lines.shape[1]):
        if w.lines[r, level, FIRST] != NONE:
            return w.lines[r, level, FIRST]
    return NONE


@inlined
def head_in_turn(w, r):
    """Return the first request of the first line whose first can be admitted to this iteration."""
    if not w.rules.ahead:
        return head(w, r)
    replica = w.replicas[r]
    resting = replica.decodes == 0 and replica.first_chunk == NONE
    for level in range(w.lines.shape[1]):
        i = w.lines[r, level, FIRST]
        if i != NONE and (resting or w.requests[i].turn <= replica.total_iterations + 1):
            return i
    return NONE


@inlined
def anyone_later(w, r):
    """Return whether the first of a line waits for an iteration after this one."""
    if w.rules.ahead:
        for level in range(w.lines.shape[1]):
            i = w.lines[r, level, FIRST]
            if i != NONE and w.requests[i].turn > w.replicas[r].total_iterations + 1:
                return True
    return False


@inlined
def looked_at(w, r, turn):
    """Return the first iteration from `turn` on that takes in what has arrived."""
    if w.rules.poll == 1:
        return turn
    polled = w.replicas[r].polled
    return polled + w.rules.poll * max(-((polled - turn) // w.rules.poll), 0)


@inlined
def held_for(w, r, i):
    """Return how many iterations more a prompt waits for others beside it, if none comes."""
    return w.requests[i].turn + w.rules.hold - (w.replicas[r].total_iterations + 1)


@inlined
def _held(w, r, i):
    """Return whether a prompt still waits until there is one for each group."""
    replica = w.replicas[r]
    if replica.decodes == 0 or replica.chunks > 0 or replica.waiting >= w.rules.groups:
        return False
    return held_for(w, r, i) > 0


@inlined
def _leave_line(w, r, i):
    request = w.requests[i]
    w.lines[r, request.level, FIRST] = request.next
    if request.next == NONE:
        w.lines[r, request.level, LAST] = NONE
    seats.counted(w, r, i, -1)


@inlined
def deadline_s(w, i):
    """Return when a waiting request is given up; what was admitted once never is."""
    request = w.requests[i]
    if request.preemptions > 0:
        return np.inf
    return request.arrival_s + w.rules.patience_s


@inlined
def admit(w, r, budget):
    """Admit from the line while seats, memory and the budget of tokens last."""
    replica = w.replicas[r]
    while replica.waiting > 0 and replica.running < w.rules.max_sequences and budget > 0:
        i = head_in_turn(w, r)
        if i == NONE:
            break
        request = w.requests[i]
        if replica.clock > deadline_s(w, i):
            _leave_line(w, r, i)
            request.outcome, request.finish_s = SHED, replica.clock
            replica.shed += 1
            continue
        if request.kept != FRESH:
            needed = replica.held + replica.growth + request.kv + request.rate
            if budget < w.rules.verified or needed > w.rules.capacity:
                break
            _start(w, r, i)
            _resume(w, r, i)
            budget -= w.rules.verified
            continue
        if w.rules.hold > 0 and _held(w, r, i):
            break
        used = _prompt(w, r, i, budget)
        if used == 0:
            break
        budget -= used


@inlined
def _prompt(w, r, i, budget):
    """Admit a prompt if memory has room for all of it; return the tokens it takes now, 0 if not."""
    replica, request = w.replicas[r], w.requests[i]
    found, used = 0, 0
    if w.rules.block_tokens > 0:
        found, used = prefix_cache.leading(w, r, i)
    done = max(found * w.rules.block_tokens, min(request.given, request.goal - 1))
    chunk = request.goal - done
    if w.rules.chunked:
        chunk = min(chunk, budget, w.rules.max_tokens // w.rules.groups)
    elif chunk > budget and replica.chunks > 0:
        return 0
    need = (request.goal - used * w.rules.block_tokens) * GRAIN
    growth = replica.growth if w.rules.chunked else 0
    if replica.held + growth + need > w.rules.capacity:
        return 0
    _start(w, r, i)
    if request.preemptions == 0:
        request.hit = done
        replica.seen += request.seen
    if w.rules.block_tokens > 0:
        prefix_cache.use(w, r, i, found)
    replica.held += (request.goal - found * w.rules.block_tokens) * GRAIN
    if replica.cached > 0:
        prefix_cache.shrink(w, r, replica.held + growth)
    request.done = done
    request.next = NONE
    if replica.last_chunk == NONE:
        replica.first_chunk = i
    else:
        w.requests[replica.last_chunk].next = i
    replica.last_chunk = i
    replica.queued_tokens += request.goal - done
    seats.take(w, r, i, chunk)
    return chunk


@inlined
def _start(w, r, i):
    """Give a request of the line a seat."""
    replica, request = w.replicas[r], w.requests[i]
    _leave_line(w, r, i)
    if request.outcome == QUEUED:
        request.admitted_s = replica.clock
    request.outcome = RUNNING
    replica.running += 1
    request.before, request.after = w.lines[r, request.level, NEWEST], NONE
    if request.before != NONE:
        w.requests[request.before].after = i
    w.lines[r, request.level, NEWEST] = i


@inner
def _resume(w, r, i):
    """Have a request whose keys and values come from elsewhere decode."""
    replica, request = w.replicas[r], w.requests[i]
    if request.kept == SWAPPED:
        replica.extra_s += w.rules.swap_s * (request.kv / GRAIN)
    elif np.isnan(request.first_s):
        request.first_s = request.arrival_s
    request.kept = FRESH
    request.done = request.goal
    replica.held += request.kv
    if replica.cached > 0:
        prefix_cache.shrink(w, r, replica.held)
    seats.decode(w, r, i)
