"""The tables of a run about its served models: requests by outcome, latencies."""

import numpy as np
import pandas as pd

from simulator.engine import recorder
from simulator.engine.world import World
from simulator.kernels.serving import INPUT, OUTPUT, REQUESTS
from simulator.performance.serving import ServingSurface
from simulator.workloads.inference import ServedModel, surface_of


def pools_table(pools: list[ServedModel], world: World) -> pd.DataFrame:
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
            "ttft_limit_s": pool.ttft_limit, "tpot_limit_s": pool.tpot_limit,
            "replica_accelerators": pool.tensor_parallel,
            "capacity_per_replica_s": served.capacity_requests_s,
        })
    return pd.DataFrame(rows)


def _within_slo(pool: ServedModel, served: ServingSurface, world: World, index: int) -> float:
    """Return requests that met both limits: those counted by load, by the share of the surface's
    first-token distribution below the limit; those that waited in a backlog, by wait plus that."""
    requests = world.state.pools.load_requests[index]
    middle_s = 0.5 * (served.ttft_quantiles_s[1:] + served.ttft_quantiles_s[:-1])
    tpot_s = 0.5 * (served.tpot_s[1:] + served.tpot_s[:-1])
    below = np.array([np.interp(pool.ttft_limit, row, served.quantiles, left=0.0, right=1.0)
                      for row in middle_s])
    met = float((requests * below * (tpot_s <= pool.tpot_limit * (1.0 + 1e-9))).sum())
    waits = world.state.pools.wait_requests[index]
    waits_s = recorder.wait_middles_s(waits.size)
    full_s = served.ttft_quantiles_s[-1]
    left = np.interp(pool.ttft_limit - waits_s, full_s, served.quantiles, left=0.0, right=1.0)
    return met + float((waits * left).sum())


def latency_table(pools: list[ServedModel], world: World) -> pd.DataFrame:
    """Return the latency histogram of every pool."""
    frames = []
    for i, pool in enumerate(pools):
        served, state = surface_of(pool), world.state.pools
        frames.append(recorder.latency(
            pool.name, state.load_requests[i], state.wait_requests[i], served.ttft_quantiles_s,
            served.quantiles, served.tpot_s,
        ))
    return pd.concat(frames, ignore_index=True)
