"""Requests on one engine, iteration by iteration, in plain Python: users in a closed loop, or
arrivals at a constant rate.

Iterations between two events (a prompt, an arrival, an answer's end) are alike but for their contexts
and are taken in one step. Lengths are drawn from a low-discrepancy sequence, so that runs repeat.
"""

import heapq
from collections import deque
from dataclasses import dataclass

import numpy as np

from simulator.performance.iteration import IterationCost

# Requests per user that a benchmark of a closed loop sends: ten (InferenceX). Vendor.
WAVES = 10

# Requests that are simulated at most; the first wave, which meets an empty engine, keeps its share.
MOST_REQUESTS = 2000

GOLDEN = 0.6180339887498949  # step of a low-discrepancy sequence


@dataclass(frozen=True)
class Prefill:
    """Workers that take prompts off the engines that decode."""

    cost: IterationCost
    workers: int
    chunk_tokens: int
    """Tokens that a worker processes at once at most."""
    token_s: float
    """Moving the keys and values of one token over."""

    def prompts_s(self, tokens: float) -> float:
        """Return the time of prompts of so many tokens together, in chunks."""
        done, time_s = 0.0, 0.0
        while done < tokens:
            part = min(tokens - done, float(self.chunk_tokens))
            time_s += self.cost.tokens_time_s(part) + self.cost.prompt_s
            done += part
        return time_s


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
    prefill: Prefill | None = None
    copies: int = 1
    """Engines alike, whose sequences are counted together."""

    def decode_s(self, batch: int, context: float) -> float:
        """Return the time of an iteration in which sequences of all copies decode."""
        return float(self.cost.decode_s(max(batch / self.copies, 1.0), context))


@dataclass(frozen=True)
class Lengths:
    """Tokens of requests: evenly spread between `shortest` times the nominal and `longest` times."""

    prompt: float
    output: float
    shortest: float = 1.0
    longest: float = 1.0
    cached: float = 0.0
    """Leading share of every prompt that the engine holds already."""

    def of(self, number: int) -> tuple[float, int]:
        """Return prompt and output tokens of a request."""
        wide = self.longest - self.shortest
        first = self.shortest + wide * ((number * GOLDEN) % 1.0)
        second = self.shortest + wide * ((number * GOLDEN * GOLDEN + 0.5) % 1.0)
        return max(self.prompt * first, 1.0), max(round(self.output * second), 2)


@dataclass(frozen=True)
class Latency:
    """Times of requests, one row each in the order they were sent."""

    ttft_s: np.ndarray
    tpot_s: np.ndarray
    e2e_s: np.ndarray

    def means(self, users: int) -> tuple[float, float]:
        """Return mean TTFT and TPOT in which the first wave of users counts as one of `WAVES`."""
        ttft, tpot = (
            (part[:users].mean() + (WAVES - 1.0) * part[users:].mean()) / WAVES
            for part in (self.ttft_s, self.tpot_s)
        )
        return float(ttft), float(tpot)


@dataclass(slots=True)
class _Request:
    number: int
    sent_s: float
    prompt: float
    steps: int
    tokens: int
    left: float
    """Of the prompt, still to be processed."""
    turn: int = 0
    """Iteration from which it can be taken: the one after next is being made ready already."""
    first_s: float = 0.0


class _Loop:
    """The state of one run."""

    def __init__(self, engine: Engine, lengths: Lengths, most: int, again: bool) -> None:
        self.engine, self.cost, self.lengths = engine, engine.cost, lengths
        self.most, self.again = most, again
        self.sent = self.step = self.turn = 0
        self.clock = self.contexts = 0.0
        self.waiting: deque[_Request] = deque()
        self.coming: list[tuple[float, int, _Request]] = []
        split = engine.prefill
        self.free = [0.0] * split.workers if split else []
        self.queued: deque[_Request] = deque()
        self.ends: list[tuple[int, int, _Request]] = []
        self.times = np.zeros((most, 3))
        self.done = 0

    def run(self) -> Latency:
        while self.done < self.most:
            self.arrive()
            head = self.waiting[0] if self.waiting else None
            if head and head.turn <= self.turn and len(self.ends) < self.engine.seats:
                self.admit()
            elif self.ends:
                self.decode()
            elif head:
                self.turn = head.turn
            else:
                self.clock = max(self.clock, self.next_s())
        first_s, each_s, whole_s = self.times.T
        around_s = self.engine.request_s
        return Latency(first_s + around_s, each_s, whole_s + around_s)

    def send(self, now_s: float) -> None:
        """Send the next request, if there is one left."""
        if self.sent >= self.most:
            return
        prompt, output = self.lengths.of(self.sent)
        steps = max(round((output - 1) / self.cost.emitted), 1)
        made = _Request(
            self.sent, now_s, prompt, steps, output - 1, prompt * (1.0 - self.lengths.cached)
        )
        self.sent += 1
        if self.engine.prefill:
            self.queued.append(made)
        else:
            heapq.heappush(self.coming, (now_s, made.number, made))

    def next_s(self) -> float:
        """Return when the next request comes to the engine, or a worker can take prompts."""
        comes = self.coming[0][0] if self.coming else np.inf
        return min(comes, max(self.free[0], self.queued[0].sent_s) if self.queued else np.inf)

    def prefill(self, split: Prefill) -> None:
        """Let free workers take what waits, as many prompts as one iteration holds."""
        while self.queued and max(self.free[0], self.queued[0].sent_s) <= self.clock:
            start_s = max(heapq.heappop(self.free), self.queued[0].sent_s)
            taken: list[_Request] = []
            tokens = 0.0
            while self.queued and self.queued[0].sent_s <= start_s:
                if taken and tokens + self.queued[0].prompt > split.chunk_tokens:
                    break
                taken.append(self.queued.popleft())
                tokens += taken[-1].prompt
            done_s = start_s + split.prompts_s(tokens)
            done_s += sum(split.cost.pairs_s(made.prompt) for made in taken)
            heapq.heappush(self.free, done_s)
            for made in taken:
                made.first_s = done_s
                ready_s = done_s + split.token_s * made.prompt
                heapq.heappush(self.coming, (ready_s, made.number, made))

    def arrive(self) -> None:
        if self.engine.prefill:
            self.prefill(self.engine.prefill)
        while self.coming and self.coming[0][0] <= self.clock:
            made = heapq.heappop(self.coming)[2]
            made.turn = self.turn + (1 if self.ends and not self.engine.prefill else 0)
            self.waiting.append(made)

    def admit(self) -> None:
        """Seat sequences: those whose prompts came from elsewhere, or by an iteration with prompts."""
        engine, batch = self.engine, len(self.ends)
        if engine.prefill:
            while self.waiting and len(self.ends) < engine.seats:
                self.start(self.waiting.popleft())
            return
        room = float(engine.chunk_tokens - (batch if engine.mixes else 0))
        taken: list[_Request] = []
        tokens = extra_s = 0.0
        while self.waiting and room > 0 and batch + len(taken) < engine.seats:
            head = self.waiting[0]
            if head.turn > self.turn:
                break
            part = min(head.left, room)
            extra_s += self.cost.pairs_s(part, head.prompt - head.left)
            tokens, room, head.left = tokens + part, room - part, head.left - part
            if head.left > 0:
                break
            taken.append(self.waiting.popleft())
        self.iterate(
            batch if engine.mixes else 0, tokens, extra_s + len(taken) * self.cost.sequence_s
        )
        for made in taken:
            made.first_s = self.clock
            self.start(made)
        self.finish()

    def start(self, made: _Request) -> None:
        heapq.heappush(self.ends, (self.step + made.steps, made.number, made))
        self.contexts += made.prompt

    def iterate(self, decoding: int, tokens: float, extra_s: float) -> None:
        """Run one iteration with prompts in it."""
        cost, time_s = self.cost, extra_s + self.cost.prompt_s
        time_s += cost.tokens_time_s(tokens + decoding * cost.verified)
        if decoding:
            time_s += self.engine.decode_s(decoding, self.contexts / decoding)
            time_s -= cost.tokens_time_s(decoding * cost.verified)
            self.contexts += decoding * cost.emitted
            self.step += 1
        self.clock += time_s
        self.turn += 1

    def decode(self) -> None:
        """Run decode iterations up to the next end of an answer or the next arrival."""
        batch, emitted = len(self.ends), self.cost.emitted
        steps = self.ends[0][0] - self.step
        mean = self.contexts / batch + 0.5 * steps * emitted
        each_s = self.engine.decode_s(batch, mean)
        if batch < self.engine.seats:
            if self.waiting:
                steps = 1
            elif self.coming or self.queued:
                until = min((self.next_s() - self.clock) / each_s, 1e9)
                steps = max(1, min(steps, int(until) + 1))
        self.clock += steps * each_s
        self.contexts += batch * steps * emitted
        self.step += steps
        self.turn += 1
        self.finish()

    def finish(self) -> None:
        while self.ends and self.ends[0][0] <= self.step:
            made = heapq.heappop(self.ends)[2]
            self.contexts -= made.prompt + made.steps * self.cost.emitted
            self.times[made.number] = (
                made.first_s - made.sent_s,
                (self.clock - made.first_s) / made.tokens,
                self.clock - made.sent_s,
            )
            self.done += 1
            if self.again:
                self.send(self.clock)


def closed(engine: Engine, lengths: Lengths, users: int) -> Latency:
    """Return the times of `users` who each send the next request when the last is answered."""
    waves = max(2, min(WAVES, MOST_REQUESTS // users))
    loop = _Loop(engine, lengths, users * waves, again=True)
    for _ in range(users):
        loop.send(0.0)
    return loop.run()


def opened(engine: Engine, lengths: Lengths, rate_s: float, requests: int) -> Latency:
    """Return the times of requests that arrive at a constant rate."""
    loop = _Loop(engine, lengths, requests, again=False)
    for number in range(requests):
        loop.send(number / rate_s)
    return loop.run()
