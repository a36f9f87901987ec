"""Requests to replicas in plain words: whatever ends first happens first. See `dispatch`."""

import math

from simulator.kernels import dispatch, philox
from simulator.kernels.batching_reference import Replica, Request
from simulator.kernels.batching_state import GRAIN, Cost, Rules, Trace


def requests_of(trace: Trace, blocks: list[list[int]] | None) -> list[Request]:
    """Return the requests of a trace, before they arrive."""
    return [
        Request(
            i, float(trace.arrival_s[i]), int(trace.input_tokens[i]), int(trace.steps[i]),
            int(trace.rate[i]), int(trace.level[i]), int(trace.given[i]),
            blocks[i] if blocks else [], trace.ready, int(trace.input_tokens[i]),
            kv=int(trace.input_tokens[i]) * GRAIN if trace.ready else 0,
            seen=0 if trace.seen is None or trace.ready else int(trace.seen[i]),
        )
        for i in range(len(trace.arrival_s))
    ]  # fmt: skip


def serve(
    trace: Trace,
    replicas: int,
    rules: Rules,
    cost: Cost,
    policy: int = dispatch.ROUND_ROBIN,
    key: tuple[int, int] = (0, 0),
    blocks: list[list[int]] | None = None,
    until_s: float = math.inf,
) -> tuple[list[Request], list[Replica]]:
    """Serve a trace; what ends sooner happens first, and what ends at an arrival sees it."""  # fmt: skip
    levels = int(max(trace.level, default=0)) + 1
    fleet = [Replica(rules, cost, levels) for _ in range(replicas)]
    found = requests_of(trace, blocks)
    for request in found:
        if request.arrival_s > until_s:
            break
        carry_on(fleet, request.arrival_s)
        request.replica = choose(policy, fleet, request, key)
        fleet[request.replica].arrive(request)
    carry_on(fleet, until_s)
    for replica in fleet:
        if replica.end == until_s < math.inf:
            replica.complete()
    return found, fleet


def carry_on(fleet: list[Replica], until_s: float) -> None:
    """Carry out every iteration that ends before a moment."""
    while True:
        replica = min(fleet, key=lambda r: r.end)
        if replica.end >= until_s:
            return
        replica.complete()
        replica.begin()


def choose(policy: int, fleet: list[Replica], r: Request, key: tuple[int, int]) -> int:
    """Return the replica that a policy sends a request to."""
    loads = [replica.load(policy) for replica in fleet]
    least = loads.index(min(loads))
    if policy == dispatch.ROUND_ROBIN:
        return r.number % len(fleet)
    if policy == dispatch.TWO_CHOICES:
        draws = [int(philox.uniform(*key, r.number, k, 0, 0) * len(fleet)) for k in (0, 1)]
        return draws[1] if loads[draws[1]] < loads[draws[0]] else draws[0]
    if policy == dispatch.AFFINITY and r.blocks:
        size = fleet[0].rules.block_tokens
        found = [len(replica.cached_blocks(r)) for replica in fleet]
        best = found.index(max(found))
        if found[best] * size < dispatch.CACHED_LEAST * r.input:
            return least
        more = loads[best] > loads[least] + dispatch.PASS_OVER_MORE
        crowded = more and loads[best] > loads[least] * dispatch.PASS_OVER_TIMES
        return best if found[best] and not crowded else least
    return least
