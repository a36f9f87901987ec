"""Who runs on a replica: waiting lines by level, admission, preemption of the last admitted."""

import numpy as np

from simulator.kernels import calendar, prefix_cache
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
        request.finish_s = request.arrival_s
        return False
    level, last = request.level, w.lines[r, request.level, LAST]
    request.next = NONE
    if last == NONE:
        w.lines[r, level, FIRST] = i
    else:
        w.requests[last].next = i
    w.lines[r, level, LAST] = i
    _counted(w, r, i, 1)
    return True


@inlined
def _counted(w, r, i, sign):
    """Count a request in or out of the line."""
    w.replicas[r].waiting += sign
    if w.requests[i].kept == FRESH:
        w.replicas[r].queued_tokens += sign * w.requests[i].goal


@inlined
def head(w, r):
    """Return the first request of the first line that is not empty."""
    for level in range(w.lines.shape[1]):
        if w.lines[r, level, FIRST] != NONE:
            return w.lines[r, level, FIRST]
    return NONE


@inlined
def _leave_line(w, r, i):
    request = w.requests[i]
    w.lines[r, request.level, FIRST] = request.next
    if request.next == NONE:
        w.lines[r, request.level, LAST] = NONE
    _counted(w, r, i, -1)


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
        i = head(w, r)
        request = w.requests[i]
        if replica.clock > deadline_s(w, i):
            _leave_line(w, r, i)
            request.outcome, request.finish_s = SHED, replica.clock
            continue
        if request.kept != FRESH:
            needed = replica.held + replica.growth + request.kv + request.rate
            if budget < w.rules.verified or needed > w.rules.capacity:
                break
            _start(w, r, i)
            _resume(w, r, i)
            budget -= w.rules.verified
            continue
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
    if chunk > budget:
        if w.rules.chunked:
            chunk = budget
        elif replica.chunks > 0:
            return 0
    need = (request.goal - used * w.rules.block_tokens) * GRAIN
    growth = replica.growth if w.rules.chunked else 0
    if replica.held + growth + need > w.rules.capacity:
        return 0
    _start(w, r, i)
    if request.preemptions == 0:
        request.hit = done
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
    take(w, r, i, chunk)
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
    decode(w, r, i)


@inlined
def take(w, r, i, chunk):
    """Have a prompt bring `chunk` tokens to the iteration."""
    replica, request = w.replicas[r], w.requests[i]
    request.chunk = chunk
    replica.chunks += 1
    replica.chunk_tokens += chunk
    replica.pairs += pairs(chunk, request.done, np.inf)
    for k in range(w.cost.limits.size):
        w.limited_pairs[r, k] += pairs(chunk, request.done, w.cost.limits[k])


@inlined
def pairs(tokens, cached, limit):
    """Return the pairs of query and key of `tokens` behind `cached`, each seeing `limit` at most."""
    whole = float(tokens)
    if limit >= cached + tokens:
        return whole * cached + 0.5 * whole * (whole + 1.0)
    growing = max(limit - cached, 0.0)
    return growing * cached + 0.5 * growing * (growing + 1.0) + (whole - growing) * limit


@inlined
def decode(w, r, i):
    """Add a running request with `kv` units to those that decode."""
    replica, request = w.replicas[r], w.requests[i]
    request.since = replica.step
    replica.decodes += 1
    replica.context += request.kv
    replica.growth += request.rate
    ending = calendar.entry(replica.step + request.left, 0, i)
    calendar.push(w.calendar, r, replica.events, ending)
    replica.events += 1
    request.growing = 0
    for k in range(w.cost.limits.size):
        limit = w.cost.limits[k] * GRAIN
        steps = (limit - request.kv) // request.rate
        if steps <= 0:
            w.limited[r, k, 0] += limit
            continue
        request.growing |= 1 << k
        w.limited[r, k, 0] += request.kv
        w.limited[r, k, 1] += request.rate
        if steps < request.left:
            crossing = calendar.entry(replica.step + steps, k + 1, i)
            calendar.push(w.calendar, r, replica.events, crossing)
            replica.events += 1


@inlined
def cached_now(w, r, i):
    """Return the units that a decoding request holds."""
    request = w.requests[i]
    return request.kv + (w.replicas[r].step - request.since) * request.rate


@inner
def cross(w, r, i, k):
    """Have a decoding request reach limit k: its attention there grows no more."""
    request = w.requests[i]
    request.growing &= ~(1 << k)
    w.limited[r, k, 0] += w.cost.limits[k] * GRAIN - cached_now(w, r, i)
    w.limited[r, k, 1] -= request.rate


@inlined
def stop_decoding(w, r, i):
    """Take a request off those that decode; return the units it holds."""
    replica, request = w.replicas[r], w.requests[i]
    units = cached_now(w, r, i)
    replica.decodes -= 1
    replica.context -= units
    replica.growth -= request.rate
    for k in range(w.cost.limits.size):
        if request.growing & (1 << k):
            w.limited[r, k, 0] -= units
            w.limited[r, k, 1] -= request.rate
        else:
            w.limited[r, k, 0] -= w.cost.limits[k] * GRAIN
    return units


@inlined
def leave(w, r, i, units):
    """Free the seat of a request and the `units` it holds; shared blocks stay cached."""
    replica, request = w.replicas[r], w.requests[i]
    replica.running -= 1
    replica.held -= units - request.shared * w.rules.block_tokens * GRAIN
    if request.shared > 0:
        prefix_cache.release(w, r, i)
    if request.before != NONE:
        w.requests[request.before].after = request.after
    if request.after != NONE:
        w.requests[request.after].before = request.before
    else:
        w.lines[r, request.level, NEWEST] = request.before


@inlined
def make_room(w, r):
    """Preempt until the next tokens of the decoding sequences fit; return whether any had to go."""
    replica = w.replicas[r]
    pressed = False
    while replica.held + replica.growth > w.rules.capacity:
        for level in range(w.lines.shape[1] - 1, -1, -1):
            if w.lines[r, level, NEWEST] != NONE:
                _preempt(w, r, w.lines[r, level, NEWEST])
                break
        pressed = True
    return pressed


@inner
def _preempt(w, r, i):
    """Send a running request back to the head of its line."""
    replica, request = w.replicas[r], w.requests[i]
    replica.preemptions += 1
    request.preemptions += 1
    if request.done < request.goal:
        _leave_prefill(w, r, i)
        leave(w, r, i, request.goal * GRAIN)
    else:
        done = replica.step - request.since
        units = stop_decoding(w, r, i)
        replica.events = calendar.strike(w.calendar, r, replica.events, i)
        leave(w, r, i, units)
        request.left -= done
        if w.rules.swap:
            request.kept, request.kv = SWAPPED, units
            replica.extra_s += w.rules.swap_s * (units / GRAIN)
        else:
            request.goal = units // GRAIN + 1
            request.done = 0
            request.left -= 1
    request.next = w.lines[r, request.level, FIRST]
    w.lines[r, request.level, FIRST] = i
    if request.next == NONE:
        w.lines[r, request.level, LAST] = i
    _counted(w, r, i, 1)


@inner
def _leave_prefill(w, r, i):
    """Take a request out of the prefilling ones; what it has done is lost."""
    replica, request = w.replicas[r], w.requests[i]
    before = NONE
    at = replica.first_chunk
    while at != i:
        before, at = at, w.requests[at].next
    if before == NONE:
        replica.first_chunk = request.next
    else:
        w.requests[before].next = request.next
    if request.next == NONE:
        replica.last_chunk = before
    replica.queued_tokens -= request.goal - request.done
    request.done = 0
