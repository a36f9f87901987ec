"""The tables of a run about its served models: requests by outcome, latencies."""

import numpy as np
import pandas as pd

from simulator.engine import recorder
from simulator.engine.world import World
from simulator.kernels.serving import INPUT, OUTPUT, REQUESTS
from simulator.performance.calibration import MeasuredSurface
from simulator.workloads.diffusion import ServedDiffusion
from simulator.workloads.pools import AnyPool, surface_of


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
            "queued_end": state.queue[i, REQUESTS] + state.inbound[i, REQUESTS],
            "within_slo": _within_slo(pool, served, world, i),
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


def _within_slo(pool: AnyPool, served: MeasuredSurface, world: World, index: int) -> float:
    """Return requests that met both limits: those counted by load, by the share that did at that
    load; those that waited in a backlog, by wait plus what requests meet at full load."""
    middle = 0.5 * (served.met_frac[1:] + served.met_frac[:-1])
    met = float((world.state.pools.load_requests[index] * middle).sum())
    waits = world.state.pools.wait_requests[index]
    ttft_limit_s, tpot_limit_s = _limits_s(pool)
    left_s = ttft_limit_s - recorder.wait_middles_s(waits.size)
    in_time = np.interp(left_s, served.ttft_quantiles_s[-1], served.quantiles, left=0.0, right=1.0)
    fluent = 1.0
    if np.isfinite(tpot_limit_s):
        fluent = np.interp(
            tpot_limit_s, served.tpot_quantiles_s[-1], served.quantiles, left=0.0, right=1.0
        )
    return met + float((waits * in_time).sum()) * float(fluent)


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
