"""Request-level serving in plain words: one iteration after the other, lists and dictionaries.

Slow and meant to be read; `batching` and `dispatch` must give the same. It shares with them the
forms of their input and the draws, and nothing of how they get ahead.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from simulator.kernels import dispatch
from simulator.kernels.batching_state import (
    CONTEXT,
    GRAIN,
    LIMITED,
    PAIR,
    PROMPTS,
    QUEUED,
    REJECTED,
    RUNNING,
    SEQUENCE,
    SERVED,
    SHED,
    Cost,
    Rules,
)


@dataclass(eq=False)
class Request:
    """One request and all that becomes of it."""

    number: int
    arrival_s: float
    input: int
    left: int
    rate: int
    level: int
    given: int
    blocks: list[int]
    ready: bool
    goal: int = 0
    done: int = 0
    kv: int = 0
    """Units that it holds while it decodes, or holds on the host."""
    decodes: bool = False
    swapped: bool = False
    shared: list[int] = field(default_factory=list)
    outcome: int = QUEUED
    replica: int = -1
    preemptions: int = 0
    turn: int = 0
    """Iteration that can admit it first."""
    hit: int = 0
    admitted_s: float = math.nan
    first_s: float = math.nan
    finish_s: float = math.nan


class Replica:
    """An engine: a line per level, the running requests by admission, a prefix cache."""

    def __init__(self, rules: Rules, cost: Cost, levels: int) -> None:
        self.rules, self.cost = rules, cost
        self.clock = 0.0
        self.end = math.inf
        self.lines: list[list[Request]] = [[] for _ in range(levels)]
        self.running: list[Request] = []
        self.users: dict[int, int] = {}
        self.unused: list[int] = []
        self.chunks: list[tuple[Request, int]] = []
        self.polled = 0
        """An iteration at which it looked at what had arrived."""
        self.stepping: list[Request] = []
        self.peak = self.preemptions = self.iterations = 0
        self.busy_s = self.drawn_s = 0.0
        self.extra_s = 0.0
        self.work = (0.0, 0.0)
        self.ended: list[Request] = []
        self.lent = 0
        """Units of prompts that it has computed and another replica has not taken yet."""

    # What is in use, in units.

    def held(self) -> int:
        """Return the units in use: what requests have for themselves, and blocks with users."""
        own = sum(
            (r.kv if r.decodes else r.goal * GRAIN) - len(r.shared) * self.block
            for r in self.running
        )
        return own + self.block * len(self.users) + self.lent

    @property
    def block(self) -> int:
        """Units of a block of the prefix cache."""
        return self.rules.block_tokens * GRAIN

    def growth(self) -> int:
        """Return what one decode step adds."""
        return sum(r.rate for r in self.running if r.decodes)

    def evict(self, needed: int) -> None:
        """Drop unused blocks, oldest first, until so many units fit beside the rest."""
        while self.unused and needed + self.block * len(self.unused) > self.rules.capacity:
            self.unused.pop(0)

    def load(self, policy: int) -> int:
        """Return what a dispatch policy compares."""
        waiting = [r for line in self.lines for r in line]
        if policy != dispatch.LEAST_TOKENS:
            return len(waiting) + len(self.running)
        fresh = sum(r.goal for r in waiting if not (r.ready or r.swapped))
        return fresh + sum(r.goal - r.done for r in self.running if not r.decodes)

    # One iteration.

    def begin(self) -> None:
        """Decide who takes part in the iteration that begins now."""
        self.chunks, self.extra_s = [], 0.0
        if self.rules.chunked:
            pressed = self.make_room()
            self.stepping = [r for r in self.running if r.decodes]
            budget = self.rules.max_tokens - len(self.stepping) * self.rules.verified
            self.evict(self.held() + self.growth())
            for r in [r for r in self.running if not r.decodes]:
                if budget > 0:
                    budget -= self.take(r, min(r.goal - r.done, budget, self.most))
            if not pressed:
                self.admit(budget)
            self.stepping = [r for r in self.running if r.decodes]
        else:
            self.admit(self.rules.max_tokens)
            self.stepping = []
            if not self.chunks:
                self.make_room()
                self.stepping = [r for r in self.running if r.decodes]
                self.evict(self.held() + self.growth())
        if not self.stepping and not self.chunks:
            self.end = math.inf
            return
        self.work = self.price()
        self.end = self.clock + self.work[0]

    @property
    def most(self) -> int:
        """Tokens of one prompt in an iteration, which one group computes."""
        return self.rules.max_tokens // self.rules.groups

    def take(self, r: Request, chunk: int) -> int:
        """Have a prompt bring a chunk."""
        self.polled = self.iterations + 2
        self.chunks.append((r, chunk))
        return chunk

    def make_room(self) -> bool:
        """Preempt the last admitted of the least urgent until the next tokens fit."""
        pressed = False
        while self.held() + self.growth() > self.rules.capacity:
            level = max(r.level for r in self.running)
            self.preempt([r for r in self.running if r.level == level][-1])
            pressed = True
        return pressed

    def preempt(self, r: Request) -> None:
        """Send a running request back to the head of its line."""
        self.preemptions += 1
        r.preemptions += 1
        r.turn = 0
        self.leave(r)
        if r.decodes and self.rules.swap:
            r.swapped = True
            self.extra_s += self.rules.swap_s * (r.kv / GRAIN)
        elif r.decodes:
            r.goal = r.kv // GRAIN + 1
            r.left -= 1
        r.decodes, r.done = False, 0
        self.lines[r.level].insert(0, r)

    def leave(self, r: Request) -> None:
        """Give up the seat and the memory."""
        self.running.remove(r)
        for block in reversed(r.shared):
            self.users[block] -= 1
            if not self.users[block]:
                del self.users[block]
                self.unused.append(block)
        r.shared = []

    def admit(self, budget: int) -> None:
        """Admit from the line while seats, memory and tokens last."""
        while any(self.lines) and len(self.running) < self.rules.max_sequences and budget > 0:
            line = next((line for line in self.lines if line and self.in_turn(line[0])), None)
            if line is None:
                return
            r = line[0]
            if not r.preemptions and self.clock > r.arrival_s + self.rules.patience_s:
                line.pop(0)
                r.outcome, r.finish_s = SHED, self.clock
                continue
            kept = r.ready or r.swapped
            if not kept and self.held_back(r):
                return
            used = self.resume(r, budget) if kept else self.start(r, budget)
            if not used:
                return
            budget -= used

    def in_turn(self, r: Request) -> bool:
        """Return whether a request came in time for this iteration, or nothing runs."""
        return not self.running or r.turn <= self.iterations + 1

    def held_back(self, r: Request) -> bool:
        """Return whether a prompt waits beside decoding until there is one for each group."""
        decoding = any(r.decodes for r in self.running)
        few = sum(len(line) for line in self.lines) < self.rules.groups
        in_time = self.iterations + 1 < r.turn + self.rules.hold
        return decoding and not self.chunks and few and self.rules.hold > 0 and in_time

    def looked_at(self, turn: int) -> int:
        """Return the first iteration from `turn` on that takes in what has arrived."""
        if self.rules.poll == 1:
            return turn
        looks = math.ceil((turn - self.polled) / self.rules.poll)
        return self.polled + self.rules.poll * max(looks, 0)

    def stepped(self) -> int:
        """Return what decoding adds while prompts are computed; whole ones have iterations of their own."""
        return self.growth() if self.rules.chunked else 0

    def seat(self, r: Request) -> None:
        """Move a request from its line to the running ones."""
        self.lines[r.level].pop(0)
        if r.outcome == QUEUED:
            r.admitted_s = self.clock
        r.outcome = RUNNING
        self.running.append(r)

    def resume(self, r: Request, budget: int) -> int:
        """Have a request whose cache comes from elsewhere decode; return the tokens it brings."""
        fits = self.held() + self.growth() + r.kv + r.rate <= self.rules.capacity
        if not fits or budget < self.rules.verified:
            return 0
        self.seat(r)
        if r.swapped:
            self.extra_s += self.rules.swap_s * (r.kv / GRAIN)
        elif math.isnan(r.first_s):
            r.first_s = r.arrival_s
        r.ready = r.swapped = False
        r.decodes, r.done = True, r.goal
        self.evict(self.held())
        return self.rules.verified

    def start(self, r: Request, budget: int) -> int:
        """Admit a prompt if all of it fits; return the tokens it brings now."""
        size, found = self.rules.block_tokens, self.cached_blocks(r)
        done = max(len(found) * size, min(r.given, r.goal - 1))
        chunk = r.goal - done
        if self.rules.chunked:
            chunk = min(chunk, budget, self.most)
        elif chunk > budget and self.chunks:
            return 0
        used = sum(block in self.users for block in found)
        need = (r.goal - used * size) * GRAIN
        if self.held() + self.stepped() + need > self.rules.capacity:
            return 0
        self.seat(r)
        if not r.preemptions:
            r.hit = done
        for block in found:
            self.share(block)
        r.shared, r.done = list(found), done
        self.evict(self.held() + self.stepped())
        return self.take(r, chunk)

    def cached_blocks(self, r: Request) -> list[int]:
        """Return the leading blocks of a prompt that are cached; its last token never is."""
        size, found = self.rules.block_tokens, []
        for block in r.blocks[: min(r.input // size, (r.goal - 1) // size) if size else 0]:
            if block not in self.users and block not in self.unused:
                break
            found.append(block)
        return found

    def share(self, block: int) -> None:
        """Count one more user of a block."""
        if block in self.unused:
            self.unused.remove(block)
        self.users[block] = self.users.get(block, 0) + 1

    def price(self) -> tuple[float, float]:
        """Return seconds of the iteration, and of its work at the chip's peaks."""
        cost = self.cost
        tokens = len(self.stepping) * self.rules.verified + sum(c for _, c in self.chunks)
        contexts = [(r.kv + r.rate) / GRAIN for r in self.stepping]
        prompts = sum(c for _, c in self.chunks)
        busiest, stretch = prompts, 1.0
        if self.rules.groups > 1 and self.chunks:
            busiest = max(self.rules.groups * max(c for _, c in self.chunks), prompts)
            stretch = busiest / prompts
        as_if = tokens + busiest - prompts
        total = []
        for form in range(2):
            made = by_tokens(cost.table, tokens, form)
            if as_if > tokens:
                made += by_tokens(cost.local, as_if, form) - by_tokens(cost.local, tokens, form)
            made += cost.each[SEQUENCE, form] * (len(self.stepping) + len(self.chunks))
            made += cost.each[CONTEXT, form] * sum(contexts)
            made += cost.each[PAIR, form] * sum(pairs(c, r.done) for r, c in self.chunks) * stretch
            made += cost.each[PROMPTS, form] * bool(self.chunks)
            for k, limit in enumerate(cost.limits):
                cut = sum(min(context, float(limit)) for context in contexts)
                spans = sum(pairs(c, r.done, float(limit)) for r, c in self.chunks)
                made += cost.each[LIMITED + 2 * k, form] * cut
                made += cost.each[LIMITED + 2 * k + 1, form] * spans * stretch
            total.append(float(made))
        return total[0] + self.extra_s, total[1]

    def complete(self) -> None:
        """Carry out the iteration that ends now."""
        if self.stepping or self.chunks:
            self.iterations += 1
            self.busy_s += self.work[0]
            self.drawn_s += self.work[1]
        self.clock = self.end
        for r in self.stepping:
            r.kv += r.rate
            r.left -= 1
        self.peak = max(self.peak, self.held()) if self.stepping or self.chunks else self.peak
        self.evict(self.held())
        for r in sorted((r for r in self.stepping if not r.left), key=lambda r: r.number):
            self.finish(r)
        for r, chunk in self.chunks:
            r.done += chunk
            if r.done == r.goal:
                self.emit(r)
        self.stepping, self.chunks = [], []

    def emit(self, r: Request) -> None:
        """Have a request whose prompt is computed give its next token."""
        if math.isnan(r.first_s):
            r.first_s = self.clock
        if self.rules.block_tokens:
            for block in r.blocks[len(r.shared) : r.input // self.rules.block_tokens]:
                self.share(block)
                r.shared.append(block)
        r.kv, r.decodes = r.goal * GRAIN, True
        if not r.left:
            self.finish(r)

    def finish(self, r: Request) -> None:
        """End a request."""
        self.leave(r)
        r.outcome, r.finish_s = SERVED, self.clock
        self.ended.append(r)

    def arrive(self, r: Request) -> None:
        """Put a request into its line, unless it could never fit."""
        if r.input * GRAIN + r.left * r.rate > self.rules.capacity:
            r.outcome, r.finish_s = REJECTED, r.arrival_s
            return
        self.lines[r.level].append(r)
        if self.rules.ahead and not r.ready and (self.stepping or self.chunks):
            r.turn = self.looked_at(self.iterations + 3)  # the one under way is not counted yet
        if self.end == math.inf:
            self.end = r.arrival_s
            self.polled = self.iterations + 1


def by_tokens(table: np.ndarray, tokens: int, form: int) -> float:
    """Return an entry of a table; beyond its end in proportion."""
    last = len(table) - 1
    return float(table[min(tokens, last), form]) * max(tokens / last, 1.0)


def pairs(tokens: int, cached: int, limit: float = math.inf) -> float:
    """Return the pairs of query and key of `tokens` behind `cached`, each seeing `limit` at most."""
    return float(sum(min(cached + k, limit) for k in range(1, tokens + 1)))
