"""What the plan run says of a pool in one hour, and how its requests are to be served again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.engine.world import World
from simulator.kernels.serving import OUTPUT, REQUESTS
from simulator.kernels.streams import ARRIVED
from simulator.workloads.inference import ServedModel, image_frac
from simulator.workloads.pools import AnyPool, surface_of
from simulator.workloads.route_plan import RoutePlan

HOUR_S = 3600.0
FULL = 0.999
"""Load above which an hour counts as one with a backlog."""
MOST_REQUESTS = 50_000
"""Of a window; of a pool with more the stretch is shorter. The 99th percentile of so many is known
within about 2 %."""
MINUTES = 60

Floats = NDArray[np.float64]


class Sort(NamedTuple):
    """Requests of one sort in an hour: a stream of the router, or all of a pool."""

    share: float
    asked_frac: tuple[float, float]
    """Mean prompt and answer over those that the pool is rated at."""
    image_frac: float = 0.0
    """Of the prompt, tokens of images."""


@dataclass(frozen=True)
class Hour:
    """What the plan run says of a pool in one hour; rates and requests are of one replica."""

    start_s: float
    replicas: float
    """That are ready, hour mean."""
    rate_s: float
    """Requests that arrive, less those that move on."""
    served_s: float
    load_frac: float
    pace: float
    """Work rate over that at full clock."""
    waiting: tuple[float, float]
    """Requests that wait at its start and at its end."""
    shed_s: float
    """Requests shed."""
    output_tokens: float
    """Mean of answers served."""
    sorts: tuple[Sort, ...]

    @property
    def backlog(self) -> bool:
        """Whether requests wait for those ahead of them, beyond the chance of the moment."""
        return max(self.waiting) > 0.0 or self.shed_s > 0.0 or self.load_frac >= FULL

    @property
    def full_s(self) -> float:
        """Requests served per second while others wait."""
        return self.served_s / self.load_frac

    def waits_s(self, length_s: float) -> Floats:
        """Return the wait in the backlog at moments that part the first `length_s` of the hour evenly:
        what comes and is not served waits, up to where the run shed."""
        at_s = (np.arange(MINUTES) + 0.5) / MINUTES * length_s
        return np.asarray(self._queue(at_s) / self.full_s)

    def shed_frac(self, length_s: float) -> float:
        """Return the share of the requests of the same stretch that the run shed."""
        kept = float(self._queue(length_s)) - self.waiting[0]
        return max(1.0 - self.full_s / self.rate_s - kept / (self.rate_s * length_s), 0.0)

    def taken_s(self, length_s: float) -> float:
        """Return the requests per second that came in the same stretch and were served, then or
        later."""
        if not self.backlog:
            return self.served_s
        return self.rate_s * (1.0 - self.shed_frac(length_s))

    def _queue(self, at_s: Floats | float) -> Floats:
        most = max(self.waiting) if self.shed_s > 0.0 else np.inf
        waiting = self.waiting[0] + (self.rate_s - self.full_s) * np.asarray(at_s)
        return np.clip(waiting, 0.0, most)


@dataclass(frozen=True)
class Again:
    """How an hour is served again."""

    length_s: float
    replicas: int
    draws: np.random.Generator


class Found(NamedTuple):
    """A window compared."""

    requests: int
    quantities: list[tuple[str, str, float, float]]
    """Name, unit, by the surface, by the kernel."""


def hour_of(
    pool: AnyPool, world: World, index: int, own: pd.DataFrame, at: int, plan: RoutePlan | None
) -> Hour:
    """Return one hour of a pool; `own` has a row for each of its hours, `plan` the router's streams.

    Replicas and rates are the hour's means. Where it shed though its replicas were not all busy, they
    were fewer for a while, and what was shed then is left out.
    """
    row = own.loc[at]
    replicas = max(float(row["accelerators"] - row["loading"]) / pool.tensor_parallel, 1.0)
    full_s = replicas * surface_of(pool).capacity_requests_s
    before = float(own.loc[at - 1, "queue"]) if at else 0.0
    came = float(row["arrivals_per_s"] + row["received_per_s"])
    shed_s = float(row["shed_per_s"])
    if row["load_frac"] < FULL:
        came, shed_s = came - shed_s, 0.0
    routed = plan is not None and bool(world.state.pools.by_router[index])
    return Hour(
        start_s=at * HOUR_S,
        replicas=replicas,
        rate_s=max(came - float(row["spilled_per_s"]), 1e-9) / replicas,
        served_s=float(row["served_per_s"]) / replicas,
        load_frac=float(row["load_frac"]),
        pace=min(float(row["capacity_per_s"]) / full_s, 1.0),
        waiting=(before / replicas, float(row["queue"]) / replicas),
        shed_s=shed_s / replicas,
        output_tokens=_written(world, index, at, routed),
        sorts=_sorts(pool, world, index, at, plan) if plan and routed else (_alike(pool),),
    )


def _written(world: World, index: int, at: int, routed: bool) -> float:
    """Return the mean answer of what came to a pool in an hour and could be held."""
    state, hours = world.state.pools, slice(at, at + 2)
    if not routed:
        held = 1.0 - float(state.rejected_frac[index, hours].mean())
        return float(state.output_tokens[index, hours].mean()) / max(held, 1e-300)
    arrived = state.streams.hours[at, :, ARRIVED] * (state.streams.pool == index)
    held, written = (float((arrived * state.streams.amounts[:, k]).sum()) for k in (REQUESTS, OUTPUT))
    return written / max(held, 1e-300)


def _alike(pool: AnyPool) -> Sort:
    """Return the one sort of a pool with demand of its own."""
    return Sort(1.0, (1.0, 1.0), image_frac(pool) if isinstance(pool, ServedModel) else 0.0)


def _sorts(
    pool: AnyPool, world: World, index: int, at: int, plan: RoutePlan
) -> tuple[Sort, ...]:
    """Return what streams brought to a pool in an hour, against the lengths that it is rated at."""
    assert isinstance(pool, ServedModel)
    streams = world.state.pools.streams
    arrived = streams.hours[at, :, ARRIVED] * (streams.pool == index)
    sorts = []
    for s in np.flatnonzero(arrived):
        read, written = plan.streams[s].asked
        asked = (read / pool.input_tokens, written / pool.output_tokens)
        share = float(arrived[s] / arrived.sum())
        sorts.append(Sort(share, asked, plan.streams[s].image_frac))
    return tuple(sorts)
