"""Running requests of a replica: chunks of prompts, decoding, and the last admitted giving way."""

import numpy as np

from simulator.kernels import calendar, prefix_cache
from simulator.kernels.batching_state import FIRST, FRESH, GRAIN, LAST, NEWEST, NONE, SWAPPED
from simulator.kernels.compiled import inlined, inner


@inlined
def counted(w, r, i, sign):
    """Count a request in or out of the line."""
    w.replicas[r].waiting += sign
    if w.requests[i].kept == FRESH:
        w.replicas[r].queued_tokens += sign * w.requests[i].goal


@inlined
def take(w, r, i, chunk):
    """Have a prompt bring `chunk` tokens to the iteration."""
    replica, request = w.replicas[r], w.requests[i]
    request.chunk = chunk
    replica.chunks += 1
    replica.chunk_tokens += chunk
    replica.longest = max(replica.longest, chunk)
    replica.polled = replica.total_iterations + 2
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
    request.turn = 0
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
    counted(w, r, i, 1)


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
