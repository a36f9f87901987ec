"""Windows of a run served again request by request, to see how far the surface can be trusted."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from simulator import rng
from simulator.components.kinds import Spec
from simulator.engine.world import World
from simulator.units import Duration, Within
from simulator.workloads import verified_answers, verified_pictures
from simulator.workloads.diffusion import ServedDiffusion
from simulator.workloads.pools import AnyPool
from simulator.workloads.route_plan import RoutePlan
from simulator.workloads.verified_hour import Again, hour_of
from simulator.workloads.waveform import Waveform


class Verify(Spec):
    """Stretches of the run that are served again request by request, of every served model."""

    windows: Annotated[int, Field(ge=0, le=24)] = 2
    """The hour with most requests, the one with fewest, and then in between; 0: none."""
    length: Annotated[Duration, Within("1 min", "1 h")] = 600.0
    """Stretch of each hour; what arrives before it only warms the replicas up. An hour with a backlog
    is served from its start, with what waits then."""
    replicas: Annotated[int, Field(ge=1, le=64)] = 2
    """Replicas of the pool that are served; each has its share of the requests. Pictures are made by
    all chips of their pool, which draw from one line."""
    waveform: Waveform = Waveform()
    """Minutes whose power is drawn at 10 ms."""


def table(
    pools: list[AnyPool], world: World, hourly: pd.DataFrame, verify: Verify,
    start: datetime, folders: dict[str, Path], plan: RoutePlan | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Return the `verify` table: every quantity of every window, by the surface and by the kernel;
    `plan` has the streams of the router, if there is one."""
    rows = []
    for index, pool in enumerate(pools):
        own = hourly[hourly["element"] == pool.name].reset_index(drop=True)
        for number, at in enumerate(_chosen(own, verify.windows, pool.tensor_parallel)):
            hour = hour_of(pool, world, index, own, at, plan)
            again = Again(verify.length, verify.replicas, _draws(world, f"verify/{pool.name}/{number}"))
            found = (
                verified_pictures.compared(pool, hour, again)
                if isinstance(pool, ServedDiffusion)
                else verified_answers.compared(pool, hour, again, folders.get(pool.name))
            )
            when = (start + timedelta(seconds=hour.start_s)).isoformat()
            rows += [
                (pool.name, when, hour.load_frac, found.requests, *quantity, _off(*quantity[2:]))
                for quantity in found.quantities
            ]
    return pd.DataFrame(rows, columns=[
        "pool", "time", "load_frac", "requests", "quantity", "unit", "surface", "kernel",
        "deviation_frac",
    ])  # fmt: skip


def _chosen(own: pd.DataFrame, windows: int, replica: int) -> list[int]:
    """Return hours by their arrivals: the most, the fewest, then evenly in between; those in which
    something could be served."""
    usable = own[(own["arrivals_per_s"] > 0.0) & (own["accelerators"] - own["loading"] >= replica)]
    usable = usable[usable["served_per_s"] > 0.0]
    order = usable["arrivals_per_s"].sort_values(kind="stable", ascending=False).index
    if windows == 0 or not len(order):
        return []
    shares = [0.0, 1.0, *np.linspace(0.0, 1.0, windows)[1:-1]][:windows]
    return list(dict.fromkeys(int(order[round(share * (len(order) - 1))]) for share in shares))


def _draws(world: World, purpose: str) -> np.random.Generator:
    key = rng.key(world.seed, world.replicate, purpose)
    return np.random.Generator(np.random.Philox(key=key[0] << 32 | key[1]))


def _off(surface: float, kernel: float) -> float:
    """Return how far the surface is off, relative to the kernel."""
    return surface / kernel - 1.0 if kernel else np.nan
