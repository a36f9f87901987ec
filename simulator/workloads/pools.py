"""Pools of any kind as the engine and the fleet take them: loads, columns, cold starts."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.components import from_catalog
from simulator.engine.state import Load, Pool
from simulator.engine.world import Stream
from simulator.performance.calibration import MeasuredSurface
from simulator.site import Site
from simulator.workloads import diffusion, inference
from simulator.workloads.demand import hourly_rate
from simulator.workloads.diffusion import ServedDiffusion
from simulator.workloads.inference import ServedModel
from simulator.workloads.requests import trace_file
from simulator.workloads.trace_demand import TraceDemand, trace_of

Floats = NDArray[np.float64]
AnyPool = ServedModel | ServedDiffusion


def surface_of(pool: AnyPool) -> MeasuredSurface:
    """Return what one replica gives at every load; ValueError says what does not fit."""
    if isinstance(pool, ServedDiffusion):
        return diffusion.surface_of(pool)
    return inference.surface_of(pool)


def clock_bound_frac(pool: AnyPool) -> float:
    """Return the share of a busy replica's time that follows the core clock."""
    if isinstance(pool, ServedDiffusion):
        return diffusion.clock_bound_frac(pool)
    return inference.clock_bound_frac(pool)


def impossible(pool: AnyPool) -> str:
    """Return why a replica cannot serve the pool's requests within its limits, or nothing."""
    if isinstance(pool, ServedDiffusion):
        return diffusion.impossible(pool)
    return inference.impossible(pool)


def cold_start_s(pool: AnyPool) -> float:
    """Return the time from the moment a replica has its accelerators until it serves."""
    if isinstance(pool, ServedDiffusion):
        return pool.cold_start.seconds(diffusion.denoising_of(pool).weight_bytes)
    replica = inference.replica_of(pool)
    return pool.cold_start.seconds(replica.weight_bytes / replica.chips)


def spill_work(pool: AnyPool, other: AnyPool | None) -> float:
    """Return the work in another pool of one unit of work here; pictures spill to pictures."""
    if isinstance(pool, ServedModel) and isinstance(other, ServedModel):
        shown = min(inference.image_frac(pool), 1.0 if inference.reads_images_of(other) else 0.0)
        return inference.work_frac(other, pool.input_tokens, pool.output_tokens, shown)
    if isinstance(pool, ServedDiffusion) and isinstance(other, ServedDiffusion):
        there = other.model_copy(update={"picture": pool.picture})
        return diffusion.denoising_of(there).seconds / diffusion.denoising_of(other).seconds
    return 1.0


def spill_fits(pool: AnyPool, other: AnyPool | None) -> float:
    """Return the share of a pool's requests that replicas of another can hold."""
    if isinstance(pool, ServedModel) and isinstance(other, ServedModel):
        here, there = (
            inference.held(p, pool.input_tokens, pool.output_tokens).share for p in (pool, other)
        )
        return min(there / here, 1.0) if here > 0.0 else 0.0
    return 1.0


def load_of(pool: AnyPool, site: Site) -> Load:
    """Return the load the pool's racks belong to."""
    chip = site.chips.index(from_catalog.accelerator(pool.accelerator))
    return Load(pool.name, "inference", chip, priority=pool.priority)


def columns_of(
    pool: AnyPool, local_start: datetime, hours: int, stream: Stream,
    others: Sequence[AnyPool] = (), folder: Path = Path(),
) -> Pool:  # fmt: skip
    """Return what the kernel needs of a pool; `others` are the pools it may spill to, `folder` is
    that of its trace."""
    served = surface_of(pool)
    other = next((o for o in others if pool.spill and o.name == pool.spill.to), None)
    demand = _hourly(pool, local_start, hours, stream, folder)
    held_frac = 1.0 - demand.rejected_frac
    return Pool(
        load=pool.name,
        rate_per_s=demand.rate_per_s,
        replica_accelerators=pool.tensor_parallel,
        capacity_per_s=served.capacity_requests_s,
        patience_s=pool.patience,
        dynamic_frac=served.dynamic_power_frac,
        batch=served.batch,
        work_frac=_hourly_work(pool, demand) * held_frac,
        input_tokens=demand.input_tokens * held_frac,
        output_tokens=demand.output_tokens * held_frac,
        rejected_frac=demand.rejected_frac,
        cold_s=cold_start_s(pool),
        spill_to=other.name if other else None,
        spill_after_s=pool.spill.after if pool.spill else 0.0,
        spill_work=spill_work(pool, other),
        spill_fits=spill_fits(pool, other),
        retries=pool.on_failure == "retry",
        by_router=pool.demand is None,
    )


class Hourly(NamedTuple):
    """Demand of a pool on hour boundaries; lengths are those of requests that replicas can hold."""

    rate_per_s: Floats
    rejected_frac: Floats | float
    """What they cannot hold."""
    input_tokens: Floats | float
    output_tokens: Floats | float


def _hourly(
    pool: AnyPool, local_start: datetime, hours: int, stream: Stream, folder: Path
) -> Hourly:
    """Return a pool's demand: lengths there where a trace tells them, or of all requests. Pictures
    have none. The rate is none where a router sends the requests."""
    if isinstance(pool, ServedDiffusion):
        return Hourly(hourly_rate(pool.demand, local_start, hours, stream), 0.0, 0.0, 0.0)
    own = inference.held(pool, pool.input_tokens, pool.output_tokens)
    lengths = (1.0 - own.share, own.input_tokens, own.output_tokens)
    if pool.demand is None:
        return Hourly(np.zeros(hours + 1), *lengths)
    if pool.requests and pool.requests.trace:
        demand = TraceDemand(trace_of(trace_file(pool.requests, folder)), pool.demand.rate)
        return Hourly(*demand.hourly(hours, inference.most_tokens(pool)))
    rate = hourly_rate(pool.demand, local_start, hours, stream, inference.profile_of(pool))
    return Hourly(rate, *lengths)


def _hourly_work(pool: AnyPool, demand: Hourly) -> Floats | float:
    """Return the work of requests of an hour's lengths over that of the lengths replicas are rated
    at."""
    if isinstance(pool, ServedDiffusion) or not isinstance(demand.input_tokens, np.ndarray):
        return 1.0
    pairs = zip(demand.input_tokens, np.asarray(demand.output_tokens), strict=True)
    return np.array([inference.held_work_frac(pool, round(i), round(o)) for i, o in pairs])
