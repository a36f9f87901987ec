"""Users who each send their next request when the last one is answered, in plain words.

See `closed_loop`. What comes happens before what ends then, the second pool's ends before the first's, and
of replicas the first of those that end together.
"""

import math
from collections import deque

import numpy as np

from simulator.kernels.batching_reference import Replica, Request
from simulator.kernels.batching_state import REJECTED, Cost, Rules, Trace
from simulator.kernels.dispatch_reference import requests_of

Fleet = list[Replica]
Served = tuple[list[Request], Fleet]


class Gate:
    """Where requests pass one after the other on their way to replicas."""

    def __init__(
        self, fleet: Fleet, requests: list[Request], starts_s: np.ndarray, gate_s: np.ndarray
    ) -> None:
        self.fleet, self.gate_s = fleet, gate_s
        self.starts_s = deque(starts_s.tolist())
        self.unsent, self.coming = deque(requests), deque[Request]()
        self.sent_s: list[float] = []
        self.free_s = 0.0

    def send(self, count: int, now_s: float) -> None:
        """Send the next requests."""
        for _ in range(min(count, len(self.unsent))):
            request = self.unsent.popleft()
            self.sent_s.append(now_s)
            self.free_s = max(self.free_s, now_s) + float(self.gate_s[request.number])
            request.arrival_s = self.free_s
            self.coming.append(request)

    def next_s(self) -> float:
        """Return when the next user starts or the next request is through."""
        comes_s = self.coming[0].arrival_s if self.coming else math.inf
        return min(comes_s, self.starts_s[0] if self.starts_s else math.inf)

    def arrive(self, now_s: float) -> None:
        """Start a user, or let the next request through; of one that is rejected another is sent."""
        if self.starts_s and self.starts_s[0] == now_s:
            self.starts_s.popleft()
            self.send(1, now_s)
            return
        request = self.coming.popleft()
        request.replica = request.number % len(self.fleet)
        self.fleet[request.replica].arrive(request)
        if request.outcome == REJECTED:
            self.send(1, now_s)


def serve_users(
    trace: Trace,
    replicas: int,
    rules: Rules,
    cost: Cost,
    starts_s: np.ndarray,
    gate_s: np.ndarray,
) -> tuple[list[Request], Fleet, list[float]]:
    """Serve all requests of a trace, whose arrival times are not used; also when each was sent."""
    fleet = [Replica(rules, cost, 1 + int(max(trace.level, default=0))) for _ in range(replicas)]
    found = requests_of(trace, None)
    gate = Gate(fleet, found, starts_s, gate_s)
    while True:
        replica = min(fleet, key=lambda r: r.end)
        now_s = min(replica.end, gate.next_s())
        if now_s == math.inf:
            return found, fleet, gate.sent_s
        if gate.next_s() == now_s:
            gate.arrive(now_s)
            continue
        replica.complete()
        answered, replica.ended = replica.ended, []
        gate.send(len(answered), now_s)
        replica.begin()


def serve_users_apart(
    trace: Trace,
    replicas: tuple[int, int],
    rules: tuple[Rules, Rules],
    cost: tuple[Cost, Cost],
    starts_s: np.ndarray,
    gate_s: np.ndarray,
    way_s: np.ndarray,
) -> tuple[Served, Served, list[float]]:
    """Serve prompts on one pool and decode on another; both, and when each request was sent."""
    levels = 1 + int(max(trace.level, default=0))
    before, after = (
        [Replica(r, c, levels) for _ in range(n)]
        for r, c, n in zip(rules, cost, replicas, strict=True)
    )
    nothing = np.zeros_like(trace.steps)
    prompts = requests_of(trace._replace(steps=nothing, ready=False), None)
    answers = requests_of(trace._replace(ready=True), None)
    gate, moving = Gate(before, prompts, starts_s, gate_s), list[Request]()
    while True:
        moves_s = min((r.arrival_s for r in moving), default=math.inf)
        first, second = (min(fleet, key=lambda r: r.end) for fleet in (before, after))
        now_s = min(gate.next_s(), moves_s, first.end, second.end)
        if now_s == math.inf:
            return (prompts, before), (answers, after), gate.sent_s
        if gate.next_s() == now_s:
            gate.arrive(now_s)
        elif moves_s == now_s:
            request = min(moving, key=lambda r: (r.arrival_s, r.number))
            moving.remove(request)
            request.replica = request.number % len(after)
            after[request.replica].arrive(request)
        elif second.end == now_s:
            second.complete()
            answered, second.ended = second.ended, []
            gate.send(len(answered), now_s)
            second.begin()
            let_go(before, prompts, second)
        else:
            first.complete()
            for request in first.ended:
                first.lent += request.kv
                answers[request.number].arrival_s = now_s + float(way_s[request.number])
                moving.append(answers[request.number])
            first.ended = []
            first.begin()


def let_go(before: Fleet, prompts: list[Request], replica: Replica) -> None:
    """Free the memory of prompts whose answers have just got a seat; wake who waits for it."""
    for request in replica.running:
        if request.admitted_s == replica.clock and not request.hit:
            request.hit = request.input
            holder = before[prompts[request.number].replica]
            holder.lent -= prompts[request.number].kv
            if holder.end == math.inf and any(holder.lines):
                holder.end = replica.clock
