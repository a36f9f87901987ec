"""The tables of a run about its served models: requests by outcome, latencies."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.engine import recorder
from simulator.engine.world import World
from simulator.kernels.serving import INPUT, OUTPUT, REQUESTS
from simulator.performance.calibration import MeasuredSurface
from simulator.workloads.diffusion import ServedDiffusion
from simulator.workloads.pools import AnyPool, surface_of

Floats = NDArray[np.float64]


def pools_table(pools: list[AnyPool], world: World) -> pd.DataFrame:
    """Return the `pools` table; a request meets the objective when both limits hold."""
    state, rows = world.state.pools, []
    for i, pool in enumerate(pools):
        served = surface_of(pool)
        rows.append({
            "pool": pool.name, "accelerator": pool.accelerator,
            "requests": state.arrived[i], "received": state.received[i],
            "served": state.served[i, REQUESTS], "shed": state.shed[i],
            "spilled": state.spilled[i], "lost": state.lost[i], "retried": state.retried[i],
            "rejected": state.rejected[i],
            "queued_end": state.queue[i, REQUESTS] + state.inbound[i, REQUESTS],
            "within_slo": _within_slo(pools, world, i),
            "input_tokens": state.served[i, INPUT],
            "output_tokens": state.served[i, OUTPUT],
            "ttft_limit_s": _limits_s(pool)[0], "tpot_limit_s": _limits_s(pool)[1],
            "replica_accelerators": pool.tensor_parallel,
            "capacity_per_replica_s": served.capacity_requests_s,
        })
    return pd.DataFrame(rows)


def _limits_s(pool: AnyPool) -> tuple[float, float]:
    """Return the limits of the time to the first token (of pictures: to the picture) and of the time
    per further token (of which pictures have none: NaN)."""
    if isinstance(pool, ServedDiffusion):
        return pool.latency_limit, np.nan
    return pool.ttft_limit, pool.tpot_limit


def _within_slo(pools: list[AnyPool], world: World, index: int) -> float:
    """Return requests of a pool's own demand that met both of its limits: those it served, and those
    that others served for it. One that moves on does so at once: its wait is that of where it goes."""
    state, limits = world.state.pools, _limits_s(pools[index])
    total = 0.0
    for k, pool in enumerate(pools):
        by_load, by_wait = state.load_guests[k, index], state.wait_guests[k, index]
        if k == index:
            by_load = state.load_requests[k] - state.load_guests[k].sum(axis=0)
            by_wait = state.wait_requests[k] - state.wait_guests[k].sum(axis=0)
        if by_load.any() or by_wait.any():
            total += _met(surface_of(pool), by_load, by_wait, limits, _limits_s(pool))
    return total


def _met(
    served: MeasuredSurface, by_load: Floats, by_wait: Floats,
    limits_s: tuple[float, float], rated_s: tuple[float, float],
) -> float:  # fmt: skip
    """Return how many requests met limits: those counted by load, by the share that does at that
    load; those that waited in a backlog, by wait plus what requests meet at full load.

    The surface knows the share within both limits that it is rated for; within others it is taken as
    the share within the one times that within the other.
    """
    met_frac = served.met_frac
    if not np.array_equal(limits_s, rated_s, equal_nan=True):
        met_frac = np.array([_in_time(served, row, limits_s) for row in range(len(served.load))])
    middle = 0.5 * (met_frac[1:] + met_frac[:-1])
    waits_s = recorder.wait_middles_s(by_wait.size)
    late = [_in_time(served, -1, (limits_s[0] - wait_s, limits_s[1])) for wait_s in waits_s]
    return float((by_load * middle).sum()) + float((by_wait * np.array(late)).sum())


def _in_time(served: MeasuredSurface, row: int, limits_s: tuple[float, float]) -> float:
    """Return the share within both limits at a load of the surface, each as if by itself."""
    share = 1.0
    for limit_s, table in zip(limits_s, (served.ttft_quantiles_s, served.tpot_quantiles_s), strict=True):
        if np.isfinite(limit_s):
            share *= float(np.interp(limit_s, table[row], served.quantiles, left=0.0, right=1.0))
    return share


def latency_table(pools: list[AnyPool], world: World) -> pd.DataFrame:
    """Return the latency histogram of every pool."""
    frames = []
    for i, pool in enumerate(pools):
        served, state = surface_of(pool), world.state.pools
        frames.append(recorder.latency(
            pool.name, state.load_requests[i], state.wait_requests[i], served.ttft_quantiles_s,
            served.quantiles, served.tpot_quantiles_s,
        ))
        if isinstance(pool, ServedDiffusion):  # pictures have no further tokens
            frames[-1] = frames[-1][frames[-1]["quantity"] == "ttft"]
    return pd.concat(frames, ignore_index=True)
