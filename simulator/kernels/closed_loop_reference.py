"""Users who each send their next request when the last one is answered, in plain words.

See `closed_loop`. Whatever ends first happens first, of replicas the first of those that end together.
"""

import math
from collections import deque

import numpy as np

from simulator.kernels.batching_reference import Replica, Request
from simulator.kernels.batching_state import REJECTED, Cost, Rules, Trace
from simulator.kernels.dispatch_reference import requests_of

Fleet = list[Replica]


def serve_users(
    trace: Trace, replicas: int, rules: Rules, cost: Cost, users: int
) -> tuple[list[Request], Fleet]:
    """Serve all requests of a trace, whose arrival times are not used."""
    fleet = [Replica(rules, cost, 1 + int(max(trace.level, default=0))) for _ in range(replicas)]
    found = requests_of(trace, None)
    unsent = deque(found)
    send(fleet, unsent, users, 0.0)
    while min(replica.end for replica in fleet) < math.inf:
        replica = min(fleet, key=lambda r: r.end)
        replica.complete()
        answered, replica.ended = replica.ended, []
        send(fleet, unsent, len(answered), replica.clock, replica)
        replica.begin()
    return found, fleet


def serve_users_apart(
    trace: Trace,
    replicas: tuple[int, int],
    rules: tuple[Rules, Rules],
    cost: tuple[Cost, Cost],
    users: int,
    way_s: np.ndarray,
) -> tuple[tuple[list[Request], Fleet], tuple[list[Request], Fleet]]:
    """Serve prompts on one pool and decode on another; both pools' requests and replicas."""
    levels = 1 + int(max(trace.level, default=0))
    before, after = (
        [Replica(r, c, levels) for _ in range(n)]
        for r, c, n in zip(rules, cost, replicas, strict=True)
    )
    nothing = np.zeros_like(trace.steps)
    prompts = requests_of(trace._replace(steps=nothing, ready=False), None)
    answers = requests_of(trace._replace(ready=True), None)
    unsent, coming = deque(prompts), list[Request]()
    send(before, unsent, users, 0.0)
    while True:
        comes_s = min((r.arrival_s for r in coming), default=math.inf)
        first, second = (min(fleet, key=lambda r: r.end) for fleet in (before, after))
        now_s = min(comes_s, first.end, second.end)
        if now_s == math.inf:
            return (prompts, before), (answers, after)
        if comes_s == now_s:
            request = min(coming, key=lambda r: (r.arrival_s, r.number))
            coming.remove(request)
            request.replica = request.number % len(after)
            after[request.replica].arrive(request)
        elif second.end == now_s:
            second.complete()
            answered, second.ended = second.ended, []
            send(before, unsent, len(answered), now_s)
            second.begin()
            let_go(before, prompts, second)
        else:
            first.complete()
            for request in first.ended:
                first.lent += request.kv
                answers[request.number].arrival_s = now_s + float(way_s[request.number])
                coming.append(answers[request.number])
            first.ended = []
            first.begin()


def send(
    fleet: Fleet, unsent: deque[Request], count: int, now_s: float, between: Replica | None = None
) -> None:
    """Send the next requests that could fit, to replicas in turn."""
    while count and unsent:
        request = unsent.popleft()
        request.arrival_s = now_s
        request.replica = request.number % len(fleet)
        replica = fleet[request.replica]
        replica.arrive(request, replica is between)
        count -= request.outcome != REJECTED


def let_go(before: Fleet, prompts: list[Request], replica: Replica) -> None:
    """Free the memory of prompts whose answers have just got a seat; wake who waits for it."""
    for request in replica.running:
        if request.admitted_s == replica.clock and not request.hit:
            request.hit = request.input
            holder = before[prompts[request.number].replica]
            holder.lent -= prompts[request.number].kv
            if holder.end == math.inf and any(holder.lines):
                holder.end = replica.clock
