"""The pools of a campus on its racks: who takes accelerators, from whom, and who hands them back."""

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Any

import numpy as np
import simpy

from simulator.engine import membership
from simulator.engine.world import World
from simulator.kernels.serving import ARRIVED, RESTART, WORK
from simulator.kernels.site_step import STEP_S
from simulator.policies.placement import choose
from simulator.policies.pool_view import PoolView
from simulator.policies.scaling import SCALERS
from simulator.workloads.pools import AnyPool, clock_bound_frac, cold_start_s

DEADBAND = 0.05
"""Change of a pool, as a share of what it holds, below which scaling leaves it alone."""
AHEAD_H = 3
"""Hour boundaries from now on that make the largest rate ahead."""


@dataclass(frozen=True)
class Fleet:
    """All pools. At each decision those that shrink go first; then those that grow, by priority: all
    up to the least they must hold, then all beyond. A pool that loses racks which it shares with others (a
    block, a hall) decides at once: after jobs and pools of higher priority, before those of lower."""

    pools: Sequence[AnyPool]
    world: World
    local_start: datetime
    _struck: set[int] = field(default_factory=set)
    """Pools that lost racks and have not had their turn."""

    def run(self) -> Generator[Any, Any, None]:
        """Decide whenever a pool's time has come."""
        env = self.world.env
        due_s = np.zeros(len(self.pools))
        for pool, load in zip(self.pools, self._loads, strict=True):
            share = np.zeros(self.world.state.loads.share.shape[1])
            share[0] = 1.0
            bound = clock_bound_frac(pool)
            self.world.set_load(load, share=share, running=1.0, clock_bound_frac=bound)
        self.world.racks_lost = self._lost
        while True:
            deciding = np.flatnonzero(due_s <= env.now)
            self._decide([int(i) for i in deciding if i not in self._struck])
            due_s[deciding] += [self.pools[int(i)].scaling.every for i in deciding]
            yield env.timeout(due_s.min() - env.now)

    def _lost(self, loads: np.ndarray) -> None:
        """Have the pools among some loads decide in their turn."""
        for i, load in enumerate(self._loads):
            if i not in self._struck and (loads == load).any():
                self._struck.add(i)
                turn = self.world.turn(self.pools[i].priority)
                turn.callbacks.append(partial(self._replace, i))  # type: ignore[union-attr]

    def _replace(self, i: int, _: simpy.Event) -> None:
        self._struck.discard(i)
        self._decide([i])

    @cached_property
    def _loads(self) -> list[int]:
        return [self.world.state.load(pool.name) for pool in self.pools]

    def _decide(self, deciding: list[int]) -> None:
        held = {i: self._held(i) for i in deciding}
        asked = [i for i in deciding if self._loads[i] not in self.world.restored]
        missing = {i: self._missing(i, view) for i, view in zip(asked, self._views(asked), strict=True)}
        for i, accelerators in missing.items():
            if accelerators < 0.0:
                self._hand_back(i, int(-accelerators // self._per_rack(i)))
        growing = [i for i, accelerators in missing.items() if accelerators > 0.0]
        growing.sort(key=lambda i: -self.pools[i].priority)
        for i in growing:
            self._take(i, min(missing[i], self.pools[i].least_accelerators - self._held(i)))
        for i in growing:
            self._take(i, missing[i] - (self._held(i) - held[i]))

    def _missing(self, i: int, view: PoolView) -> float:
        """Return accelerators that a pool wants beyond those it holds; a small change is not worth a
        move."""
        pool, per_rack = self.pools[i], self._per_rack(i)
        held = self._held(i)
        least = pool.least_accelerators // pool.tensor_parallel
        replicas = min(max(SCALERS[pool.scaling.policy](view), least), view.most)
        missing, small = replicas * pool.tensor_parallel - held, DEADBAND * held
        return 0.0 if -max(per_rack, small) < missing <= small else missing

    def _views(self, asked: list[int]) -> Iterator[PoolView]:
        """Yield what the scaling policies of some pools see; the hours ahead are read for all at once."""
        columns, now_s = self.world.state.pools, self.world.env.now
        hour = int(now_s // 3600.0)
        ahead = slice(hour, hour + AHEAD_H)
        work = columns.rate_per_s[:, ahead] * columns.work_frac[:, ahead]
        most, first = work.max(axis=1).tolist(), work[:, 0].tolist()
        done, frac = columns.step[:, ARRIVED].tolist(), columns.work_frac[:, hour].tolist()
        capacity, queue = columns.capacity_per_s.tolist(), columns.queue[:, WORK].tolist()
        hour_of_day = (self.local_start + timedelta(seconds=now_s)).hour
        for i in asked:
            pool = self.pools[i]
            yield PoolView(
                capacity_per_s=capacity[i],
                replicas=int(self._held(i) // pool.tensor_parallel),
                most=pool.most_accelerators // pool.tensor_parallel,
                arrivals_per_s=done[i] / STEP_S * frac[i] if now_s > 0.0 else first[i],
                ahead_per_s=most[i],
                queue=queue[i],
                every_s=pool.scaling.every,
                target_load=pool.target_load,
                hour_of_day=hour_of_day,
                schedule=self._schedules[i],
            )

    def _held(self, i: int) -> float:
        return float(self.world.state.loads.count[self._loads[i]])

    def _chip(self, i: int) -> int:
        return int(self.world.state.chips[self._loads[i]])

    def _per_rack(self, i: int) -> float:
        return self._racks_of[i]

    @cached_property
    def _racks_of(self) -> list[float]:
        """Accelerators in a rack of each pool's chip."""
        site = self.world.site
        chips = [self._chip(i) for i in range(len(self.pools))]
        return [float(site.rack_accelerators[site.rack_chip == chip][0]) for chip in chips]

    @cached_property
    def _schedules(self) -> list[dict[int, int]]:
        """Replicas of each pool from an hour of day on."""
        return [
            {at.hour: math.ceil(at.accelerators / pool.tensor_parallel) for at in pool.scaling.schedule}
            for pool in self.pools
        ]

    @cached_property
    def _by_priority(self) -> list[int]:
        """Pools, lowest priority first."""
        return sorted(range(len(self.pools)), key=lambda k: self.pools[k].priority)

    def _take(self, i: int, accelerators: float) -> None:
        """Take racks from idle and batch work, what lacks from pools of lower priority."""
        world, chip = self.world, self._chip(i)
        racks = math.ceil(accelerators / self._per_rack(i) - 1e-9)
        if racks <= 0:
            return
        free = membership.usable(world, chip, ("idle", "batch"))
        for other in self._by_priority:
            lower = self.pools[other].priority < self.pools[i].priority
            if free.size >= racks or not lower:
                break
            if self._chip(other) != chip:
                continue
            taken = self._spare(other, racks - free.size)
            if taken.size:
                world.log("racks_taken", self.pools[other].name, self.pools[i].name,
                          detail=f"{taken.size} racks")
                free = np.sort(np.concatenate([free, taken]))
        held = membership.members(world, self._loads[i])
        chosen = choose(free, world.site.rack_hall, min(racks, free.size), held)
        self._count_released(chosen)
        before = float(world.state.loads.count[self._loads[i]])
        membership.assign(world, chosen, self._loads[i])
        if world.env.now > 0.0 and cold_start_s(self.pools[i]) > 0.0:
            self._await_weights(i, before)

    def _await_weights(self, i: int, before: float) -> None:
        """Have racks that joined inside a minute load their weights from then on."""
        loads, load = self.world.state.loads, self._loads[i]
        kept = before / float(loads.count[load]) if loads.count[load] > 0.0 else 1.0
        share = loads.share[load] * kept
        share[RESTART] += 1.0 - kept
        self.world.set_load(load, share=share, dynamic_frac=float(loads.dynamic_frac[load]) * kept)

    def _spare(self, i: int, racks: int) -> np.ndarray:
        """Return racks in service that a pool can do without, at most so many, the last in order."""
        held = membership.members(self.world, self._loads[i])
        held = held[self.world.state.racks.up_frac[held] > 0.0]
        kept = int(np.ceil(self.pools[i].least_accelerators / self._per_rack(i)))
        return held[max(kept, held.size - racks) :]

    def _hand_back(self, i: int, racks: int) -> None:
        """Hand back what is broken first, then the last in order."""
        held = membership.members(self.world, self._loads[i])
        order = np.argsort(self.world.state.racks.up_frac[held], kind="stable")
        given = held[order][:racks]
        self._count_released(given)
        membership.release(self.world, given)

    def _count_released(self, racks: np.ndarray) -> None:
        """Tell pools that they lose racks without a failure."""
        state, site = self.world.state, self.world.site
        of = state.racks.load[racks]
        mine = set(of.tolist()).intersection(self._loads)
        if not mine:
            return
        up = site.rack_accelerators[racks] * state.racks.up_frac[racks]
        for load in mine:
            state.pools.released[self._loads.index(load)] += float(up[of == load].sum())
