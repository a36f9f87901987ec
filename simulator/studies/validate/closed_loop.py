"""Users in a closed loop on one engine, iteration by iteration, in plain Python.

Each user sends the next request when the last is answered; all start together. Iterations between
two events (a prompt, an answer's end) are alike but for their contexts and are taken in one step.
"""

import heapq
from collections import deque
from dataclasses import dataclass

from simulator.performance.iteration import IterationCost

# Requests per user that a benchmark sends: ten (InferenceX). Vendor.
WAVES = 10

# Lengths are drawn evenly between this share of the nominal ones and all of it (InferenceX's range
# ratio). Vendor.
SHORTEST = 0.8

# Requests that are simulated at most; the first wave, which meets an empty engine, keeps its share.
MOST_REQUESTS = 2000

GOLDEN = 0.6180339887498949  # steps of a low-discrepancy sequence of lengths


@dataclass(frozen=True)
class Engine:
    """One engine as the loop needs it."""

    cost: IterationCost
    seats: int
    """Sequences that it holds at most."""
    chunk_tokens: int
    """Tokens of an iteration at most."""
    mixes: bool
    """Prompts and decoding share iterations; otherwise prompts go first, alone."""
    request_s: float
    """What stands around a request: its way in and its first token's way out."""
    prefill: "Prefill | None" = None


@dataclass(frozen=True)
class Prefill:
    """Workers that take prompts off the engine."""

    cost: IterationCost
    servers: float
    """Workers per decoding engine."""
    chunk_tokens: int
    kv_s_per_token: float
    """Moving keys and values over."""

    def prompt_s(self, tokens: float) -> float:
        """Return the time of one prompt in its chunks."""
        done, time_s = 0.0, 0.0
        while done < tokens:
            part = min(tokens - done, self.chunk_tokens)
            time_s += self.cost.prompts_s(part, done)
            done += part
        return time_s


@dataclass(frozen=True)
class Latency:
    """Means over requests."""

    ttft_s: float
    tpot_s: float


@dataclass
class _Request:
    number: int
    sent_s: float
    prompt: float
    steps: int
    left: float
    ready_s: float
    first_s: float = 0.0
    turn: int = 0


class _Loop:
    def __init__(self, engine: Engine, users: int, prompt: float, output: float, spread: float):
        self.engine, self.users = engine, users
        self.prompt, self.output, self.spread = prompt, output, spread
        self.waves = max(2, min(WAVES, MOST_REQUESTS // users))
        self.sent = 0
        self.waiting: deque[_Request] = deque()
        self.coming: list[tuple[float, int, _Request]] = []
        self.free = [0.0] * max(1, int(engine.prefill.servers)) if engine.prefill else []
        self.ends: list[tuple[int, int, _Request]] = []
        self.done: list[tuple[int, float, float]] = []
        self.clock = self.contexts = 0.0
        self.step = self.turn = 0

    def run(self) -> Latency:
        for _ in range(self.users):
            self.send(0.0)
        while len(self.done) < self.users * self.waves:
            self.arrive()
            if self.waiting and self.waiting[0].turn <= self.turn and len(self.ends) < self.engine.seats:
                self.admit()
            elif self.ends:
                self.decode()
            else:
                self.clock = self.coming[0][0]
        return self.means()

    def send(self, now_s: float) -> None:
        if self.sent >= self.users * self.waves:
            return
        n = self.sent
        self.sent += 1
        low = 1.0 - self.spread
        prompt = self.prompt * (low + self.spread * ((n * GOLDEN) % 1.0))
        output = int(self.output * (low + self.spread * ((n * GOLDEN * GOLDEN + 0.5) % 1.0)))
        steps = max(round((output - 1) / self.engine.cost.emitted), 1)
        made = _Request(n, now_s, max(prompt, 1.0), steps, max(prompt, 1.0), now_s)
        split = self.engine.prefill
        if split is None:
            made.turn = self.turn + (1 if self.ends else 0)
            self.waiting.append(made)
            return
        took = split.prompt_s(prompt)
        start = max(heapq.heappop(self.free), now_s)
        share = len(self.free) + 1
        heapq.heappush(self.free, start + took * share / split.servers)
        made.first_s = start + took
        made.ready_s = made.first_s + split.kv_s_per_token * prompt
        heapq.heappush(self.coming, (made.ready_s, n, made))

    def arrive(self) -> None:
        while self.coming and self.coming[0][0] <= self.clock:
            self.waiting.append(heapq.heappop(self.coming)[2])

    def admit(self) -> None:
        """Run one iteration with prompts in it, or seat sequences whose prompts came elsewhere."""
        engine, batch = self.engine, len(self.ends)
        if engine.prefill:
            while self.waiting and len(self.ends) < engine.seats:
                self.start(self.waiting.popleft())
            return
        room = engine.chunk_tokens - (batch if engine.mixes else 0)
        taken: list[_Request] = []
        tokens = pairs_s = 0.0
        while self.waiting and self.waiting[0].turn <= self.turn and room > 0 and batch + len(taken) < engine.seats:
            head = self.waiting[0]
            part = min(head.left, float(room))
            pairs_s += engine.cost.pairs_s(part, head.prompt - head.left)
            tokens, room, head.left = tokens + part, room - part, head.left - part
            if head.left > 0:
                break
            taken.append(self.waiting.popleft())
        decoding = batch if engine.mixes else 0
        self.iterate(decoding, tokens, pairs_s + len(taken) * engine.cost.sequence_s)
        for made in taken:
            made.first_s = self.clock
            self.start(made)

    def start(self, made: _Request) -> None:
        heapq.heappush(self.ends, (self.step + made.steps, made.number, made))
        self.contexts += made.prompt

    def decode(self) -> None:
        """Run decode iterations up to the next end of an answer or the next arrival."""
        batch = len(self.ends)
        steps = self.ends[0][0] - self.step
        mean = self.contexts / batch + 0.5 * steps * self.engine.cost.emitted
        each_s = float(self.engine.cost.decode_s(batch, mean))
        if self.waiting and len(self.ends) < self.engine.seats:
            steps = 1
        elif self.coming and len(self.ends) < self.engine.seats:
            until = int((self.coming[0][0] - self.clock) / each_s) + 1
            steps = max(1, min(steps, until))
        self.clock += steps * each_s
        self.contexts += batch * steps * self.engine.cost.emitted
        self.step += steps
        self.turn += 1
        self.finish()

    def iterate(self, decoding: int, tokens: float, extra_s: float) -> None:
        cost = self.engine.cost
        time_s = extra_s + cost.tokens_time_s(tokens + decoding * cost.verified)
        if decoding:
            time_s += float(cost.decode_s(decoding, self.contexts / decoding))
            time_s -= cost.tokens_time_s(decoding * cost.verified)
            self.contexts += decoding * cost.emitted
            self.step += 1
        self.clock += time_s
        self.turn += 1
        self.finish()

    def finish(self) -> None:
        while self.ends and self.ends[0][0] <= self.step:
            made = heapq.heappop(self.ends)[2]
            self.contexts -= made.prompt + made.steps * self.engine.cost.emitted
            first_s = made.first_s
            self.done.append((made.number, first_s - made.sent_s,
                              (self.clock - first_s) / (made.steps * self.engine.cost.emitted)))
            self.send(self.clock)

    def means(self) -> Latency:
        """Return means in which the first wave counts as one of `WAVES`."""
        first = [d for d in self.done if d[0] < self.users]
        later = [d for d in self.done if d[0] >= self.users]
        share = 1.0 / WAVES
        ttft, tpot = (
            share * sum(d[i] for d in first) / len(first)
            + (1.0 - share) * sum(d[i] for d in later) / len(later)
            for i in (1, 2)
        )
        return Latency(ttft + self.engine.request_s, tpot)


def latency(
    engine: Engine, users: int, prompt: float, output: float, spread: float = 1.0 - SHORTEST
) -> Latency:
    """Return mean time to first token and mean time per further token of a closed loop."""
    return _Loop(engine, users, prompt, output, spread).run()
