"""The router at work: decides where every class goes, and tells the pools what to expect."""

import math
import operator
from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from simulator.components import from_catalog
from simulator.engine import work
from simulator.engine.world import World
from simulator.kernels.site_step import STEP_S
from simulator.policies.route import PoolRoom, Route
from simulator.workloads.demand import hourly_rate
from simulator.workloads.fleet import AHEAD_H
from simulator.workloads.route_plan import RoutePlan

HOUR_S = 3600.0


@dataclass(frozen=True)
class Laid:
    """A route of one class as its streams carry it out."""

    shares: list[float]
    onward: list[float]
    requests: np.ndarray
    """(pools,) that reach each pool per request of the class."""
    work: np.ndarray
    """(pools,) their work."""


@dataclass(frozen=True)
class TakeOver:
    """A share of a class that a distilled model answers from a time on."""

    pool: int
    share: float
    from_s: float


@dataclass
class RoutingRun:
    """All classes of a campus; shares hold from one decision to the next."""

    plan: RoutePlan
    world: World
    rates_per_s: np.ndarray
    """(classes, hours + 1) requests that begin."""
    taken: dict[int, TakeOver] = field(default_factory=dict)
    _laid: dict[int, list[tuple[Route, TakeOver | None, Laid]]] = field(default_factory=dict)
    """The first and the last route of each class, for whom, and as its streams carry it out."""
    _carried: list[Laid] = field(default_factory=list)
    _planned: deque[tuple[int, list[Laid]]] = field(default_factory=deque)
    """Routes that are expected, from an hour on."""

    def __post_init__(self) -> None:
        plan = self.plan
        self._streams = [
            [s for s, stream in enumerate(plan.streams) if plan.stages[stream.stage].cls == c]
            for c in range(len(plan.classes))
        ]
        self._follows = any(cls.policy.follows_load for cls in plan.classes)
        self._expected = np.zeros((2, len(plan.pools), self.rates_per_s.shape[1]))

    def begin(self) -> None:
        """Decide for the first interval, and expect for the whole run what the policies would do if
        every pool had all the accelerators it may have."""
        self._expect(0)
        self._carry_out(self._decide(self._rates_at(0.0), self._most(), 0.0))

    def run(self) -> Generator[Any, Any, None]:
        """Decide again and again, where a decision follows the load."""
        env = self.world.env
        interval_s = min(cls.traffic.interval for cls in self.plan.classes)
        yield env.timeout(STEP_S)  # until the pools have their first accelerators
        while self._follows:
            self.decide()
            yield env.timeout(interval_s)

    def decide(self) -> None:
        """Route every class by what the pools have ready now."""
        now_s = self.world.env.now
        interval_s = min(cls.traffic.interval for cls in self.plan.classes)
        rates = np.maximum(self._rates_at(now_s), self._rates_at(now_s + interval_s))
        laid = self._decide(rates, self._ready(), now_s)
        self._carry_out(laid)
        hour = int(now_s // HOUR_S)
        while len(self._planned) > 1 and self._planned[1][0] <= hour:
            self._planned.popleft()
        planned = self._planned[0][1]
        if not _same(laid, planned):
            self._expect_like(laid, hour)

    def take_over(self, cls: int, pool: int, share: float, from_s: float) -> None:
        """Have a pool expect a share of a class, and answer it from `from_s` on."""
        self.taken[cls] = TakeOver(pool, share, from_s)
        self._expect(int(self.world.env.now // HOUR_S) + 1)
        switch = self.world.env.timeout(from_s - self.world.env.now)
        switch.callbacks.append(lambda _: self.decide())

    def route_alone(self, c: int) -> Laid:
        """Return the route of a class at its mean rate with all pools to itself and no student."""
        cls, rate = self.plan.classes[c], float(self.rates_per_s[c].mean())
        rooms = tuple(map(PoolRoom, self.plan.names, self._most()))
        return self._lay(c, cls.policy.route(rooms, cls.request._replace(rate_per_s=rate)), None)

    def moderation_work(self, c: int) -> np.ndarray:
        """Return the work in each pool of a class's moderation, per request: (pools,)."""
        needed = np.zeros(len(self.plan.pools))
        for s in self._streams[c]:
            stream = self.plan.streams[s]
            work = stream.held_frac * stream.work
            needed[stream.pool] += work * (stream.role == "moderation")
        return needed

    def _decide(self, rates: np.ndarray, capacity: list[float], at_s: float) -> list[Laid]:
        """Return the route of every class in order; each sees what those before it send."""
        sent, laid = np.zeros(len(self.plan.pools)), []
        for c, rate in enumerate(rates.tolist()):
            own = self._route(c, rate, capacity, sent, at_s)
            sent += rate * own.work
            laid.append(own)
        return laid

    def _route(
        self, c: int, rate: float, capacity: list[float], sent: np.ndarray, at_s: float
    ) -> Laid:
        """Return a class's route: the same object for the first one, and for one that stays."""
        cls, taken = self.plan.classes[c], self.taken.get(c)
        student = taken if taken and at_s >= taken.from_s else None
        known = self._laid.setdefault(c, [])
        if known and known[-1][1] == student and not cls.policy.follows_load:
            return known[-1][2]
        rest = rate * (1.0 - (student.share if student else 0.0))
        pools = tuple(map(PoolRoom, self.plan.names, capacity, sent.tolist()))
        route = cls.policy.route(pools, cls.request._replace(rate_per_s=rest))
        for same_route, whom, own in known:
            if same_route == route and whom == student:
                return own
        known[1:] = [(route, student, self._lay(c, route, student))]
        return known[-1][2]

    def _lay(self, c: int, route: Route, student: TakeOver | None) -> Laid:
        """Return what the streams of a class do, and what reaches the pools."""
        plan, shares, onward = self.plan, [], []
        inflow = [float(stage.begins) for stage in plan.stages]
        requests, needed = np.zeros((2, len(plan.pools)))
        for s in self._streams[c]:
            stream = plan.streams[s]
            g, stage = stream.stage, plan.stages[stream.stage]
            share, passed = 1.0, float(plan.after[g] >= 0)
            if stage.answering is not None:
                share = route[stage.answering].shares[stream.pool]
                passed = route[stage.answering].onward[stream.pool]
            if student and stage.answering == 0:
                share = (1.0 - student.share) * share + student.share * (stream.pool == student.pool)
                passed = 0.0 if stream.role == "student" else passed
            shares.append(share)
            onward.append(passed)
            reached = inflow[g] * share
            requests[stream.pool] += reached
            reached *= stream.held_frac
            needed[stream.pool] += reached * stream.work
            for target, frac in ((plan.after[g], passed), (plan.kept[g], 1.0 - passed)):
                if target >= 0:
                    inflow[target] += reached * frac
        return Laid(shares, onward, requests, needed)

    def _carry_out(self, laid: list[Laid]) -> None:
        if _same(laid, self._carried):
            return
        self._carried = laid
        streams = self.world.state.pools.streams
        for own, places in zip(laid, self._streams, strict=True):
            streams.share[places] = own.shares
            streams.onward[places] = own.onward

    def _expect(self, from_hour: int) -> None:
        """Write what each pool may expect at every hour boundary from one on."""
        hours, most = self.rates_per_s.shape[1], self._most()
        first, before = from_hour, self._decide(self.rates_per_s[:, from_hour], most, from_hour * HOUR_S)
        self._planned = deque([(first, before)])
        for hour in self._cuts(from_hour):
            laid = self._decide(self.rates_per_s[:, hour], most, hour * HOUR_S)
            if not _same(laid, before):
                self._expected[:, :, first:hour] = self._reaching(before, slice(first, hour))
                first, before = hour, laid
                self._planned.append((first, before))
        self._expected[:, :, first:] = self._reaching(before, slice(first, hours))
        self._tell(self._expected[:, :, from_hour:], from_hour)

    def _cuts(self, from_hour: int) -> Iterable[int]:
        """Return the hour boundaries, after one, at which routes may change."""
        hours = self.rates_per_s.shape[1]
        if self._follows:
            return range(from_hour + 1, hours)
        changes = {math.ceil(taken.from_s / HOUR_S) for taken in self.taken.values()}
        return sorted(hour for hour in changes if from_hour < hour < hours)

    def _expect_like(self, laid: list[Laid], hour: int) -> None:
        """Have pools expect for the next hours at least what they would get by this decision."""
        ahead = slice(hour, hour + AHEAD_H)
        self._tell(np.maximum(self._reaching(laid, ahead), self._expected[:, :, ahead]), hour)

    def _reaching(self, laid: list[Laid], hours: slice) -> np.ndarray:
        """Return requests and work that reach each pool, (2, pools, hours), by these routes."""
        each = np.array([(own.requests, own.work) for own in laid])
        reaching: np.ndarray = np.einsum("ckp,ch->kph", each, self.rates_per_s[:, hours])
        return reaching

    def _tell(self, expected: np.ndarray, hour: int) -> None:
        """Write expected requests and work, (2, pools, hours), from an hour on."""
        pools = self.world.state.pools
        routed, hours = pools.by_router == 1, slice(hour, hour + expected.shape[2])
        requests, needed = expected[:, routed]
        pools.rate_per_s[routed, hours] = requests
        pools.work_frac[routed, hours] = np.where(
            requests > 0.0, needed / np.maximum(requests, 1e-300), 1.0
        )

    def _rates_at(self, time_s: float) -> np.ndarray:
        """Return the rate of every class at a time of the run."""
        last = self.rates_per_s.shape[1] - 1
        at = min(time_s / HOUR_S, float(last))
        hour = min(int(at), last - 1)
        before, after = self.rates_per_s[:, hour], self.rates_per_s[:, hour + 1]
        rates: np.ndarray = before + (after - before) * (at - hour)
        return rates

    def _most(self) -> list[float]:
        """Return the capacity of pools that hold all they may."""
        each = self.world.state.pools.capacity_per_s
        return [
            pool.most_accelerators // pool.tensor_parallel * float(each[p])
            for p, pool in enumerate(self.plan.pools)
        ]

    def _ready(self) -> list[float]:
        """Return the capacity of what pools have ready, at its present clock."""
        state = self.world.state
        found = []
        for p, pool in enumerate(self.plan.pools):
            load = int(state.pools.load[p])
            ready = min(float(state.pools.warm[p]), float(state.loads.count[load]))
            pace = work.pace(self.world, load) * float(state.loads.on[load])
            replicas = ready // pool.tensor_parallel
            found.append(float(replicas * state.pools.capacity_per_s[p] * pace))
        return found


def _same(laid: list[Laid], other: list[Laid]) -> bool:
    """Return whether two decisions are the same objects."""
    return len(laid) == len(other) and all(map(operator.is_, laid, other))


def rates_of(plan: RoutePlan, world: World, local_start: datetime, hours: int) -> np.ndarray:
    """Return the rate of every class on hour boundaries, (classes, hours + 1)."""
    return np.array([
        hourly_rate(
            c.spec.demand, local_start, hours, world.stream(f"demand/{c.spec.name}"),
            from_catalog.request_profile(c.spec.profile) if c.spec.profile else None,
        )
        for c in plan.classes
    ])
