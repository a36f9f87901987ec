"""A served model: a pool of replicas that follows its demand, queues and sheds."""

from collections.abc import Generator
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from simulator.components import from_catalog
from simulator.components.kinds import Spec
from simulator.components.language_model import Precision
from simulator.engine import membership, recorder
from simulator.engine.state import Load, Pool
from simulator.engine.world import World
from simulator.kernels.serving import INPUT, OUTPUT, REQUESTS
from simulator.performance.queueing import Demand as Lengths
from simulator.performance.replica import Replica
from simulator.performance.request_work import request_work_frac
from simulator.performance.serving import MAX_BATCH, ServingSurface, surface
from simulator.policies.placement import choose
from simulator.policies.scaling import replicas
from simulator.site import Site
from simulator.units import Duration, Fraction, Positive
from simulator.workloads.demand import Demand, hourly_rate

DEADBAND = 0.05
"""Change of a pool, as a share of what it holds, below which scaling leaves it alone."""


class ServedModel(Spec):
    """One model served to users on one chip type."""

    kind: Literal["inference"]
    name: str
    model: str
    """Model served, from the catalog."""
    accelerator: str
    tensor_parallel: Annotated[int, Field(ge=1)]
    """Accelerators of one replica."""
    weight_precision: Precision
    input_tokens: Annotated[float, Field(gt=0)]
    """Mean prompt."""
    output_tokens: Annotated[float, Field(gt=1)]
    """Mean answer, chain of thought included."""
    length_cv: Annotated[float, Field(ge=0, le=10)] = 1.0
    """Coefficient of variation of both lengths."""
    ttft_limit: Annotated[Duration, Positive()]
    """Service objective: time to first token."""
    tpot_limit: Annotated[Duration, Positive()]
    """Service objective: time per output token."""
    demand: Demand
    least_accelerators: Annotated[int, Field(ge=0)] = 0
    most_accelerators: Annotated[int, Field(ge=1)]
    target_load: Annotated[Fraction, Field(gt=0, le=1)] = 0.8
    """Rate over capacity that scaling aims at."""
    patience: Annotated[Duration, Positive()] = 30.0
    """Wait beyond which requests are shed."""
    priority: int = 20


@lru_cache(maxsize=256)
def surface_of(pool: ServedModel) -> ServingSurface:
    """Return the serving surface of one replica; ValueError says what does not fit."""
    return surface(
        from_catalog.language_model(pool.model), from_catalog.accelerator(pool.accelerator),
        pool.tensor_parallel, pool.weight_precision, pool.input_tokens, pool.output_tokens,
        length_cv=pool.length_cv, tpot_limit_s=pool.tpot_limit, ttft_limit_s=pool.ttft_limit,
    )


@lru_cache(maxsize=65_536)
def work_frac(pool: ServedModel, input_tokens: float, output_tokens: float) -> float:
    """Return the work of a request of these mean lengths over one of the pool's own."""
    replica = Replica(
        from_catalog.language_model(pool.model), from_catalog.accelerator(pool.accelerator),
        pool.tensor_parallel, pool.weight_precision,
    )  # fmt: skip
    rated = Lengths(pool.input_tokens, pool.output_tokens, pool.length_cv)
    asked = Lengths(input_tokens, output_tokens, pool.length_cv)
    return request_work_frac(replica, rated, asked, MAX_BATCH, pool.tpot_limit)


def load_of(pool: ServedModel, site: Site) -> Load:
    """Return the load the pool's racks belong to."""
    chip = site.chips.index(from_catalog.accelerator(pool.accelerator))
    return Load(pool.name, "inference", chip, priority=pool.priority)


def columns_of(pool: ServedModel, local_start: datetime, hours: int, stream) -> Pool:  # type: ignore[no-untyped-def]
    """Return what the kernel needs of a pool."""
    served = surface_of(pool)
    return Pool(
        load=pool.name,
        rate_per_s=hourly_rate(pool.demand, local_start, hours, stream),
        replica_accelerators=pool.tensor_parallel,
        capacity_per_s=served.capacity_requests_s,
        patience_s=pool.patience,
        dynamic_frac=served.dynamic_power_frac,
        batch=served.batch,
        input_tokens=pool.input_tokens,
        output_tokens=pool.output_tokens,
    )


def scale(pool: ServedModel, world: World, index: int) -> Generator[Any, Any, None]:
    """Every hour take or hand back racks, so that the next two hours' demand fits."""
    state, site = world.state, world.site
    load = state.load(pool.name)
    share = np.zeros(state.loads.share.shape[1])
    share[0] = 1.0
    world.set_load(load, share=share, running=1.0)
    chip = int(state.chips[load])
    per_rack = float(site.rack_accelerators[site.rack_chip == chip][0])
    rates = state.pools.rate_per_s[index]
    least = pool.least_accelerators // pool.tensor_parallel
    most = pool.most_accelerators // pool.tensor_parallel
    capacity = float(state.pools.capacity_per_s[index])
    while True:
        hour = int(world.env.now // 3600.0)
        peak = float(rates[hour : hour + 3].max())
        wanted = replicas(peak, capacity, pool.target_load, least, most) * pool.tensor_parallel
        if load not in world.restored:
            _resize(world, load, chip, wanted - float(state.loads.count[load]), per_rack)
        yield world.env.timeout(3600.0)


def _resize(world: World, load: int, chip: int, missing: float, per_rack: float) -> None:
    """Take racks from idle and batch work for `missing` accelerators, or hand racks back; a
    small change is not worth a move."""
    state = world.state
    small = DEADBAND * float(state.loads.count[load])
    if -max(per_rack, small) < missing <= small:
        return
    held = membership.members(world, load)
    if missing > 0.0:
        free = membership.usable(world, chip, ("idle", "batch"))
        racks = min(int(np.ceil(missing / per_rack)), free.size)
        membership.assign(world, choose(free, world.site.rack_hall, racks, held), load)
    else:
        racks = int(-missing // per_rack)
        # Hand back what is broken first, then the last in order.
        order = np.argsort(state.racks.up_frac[held], kind="stable")
        membership.release(world, held[order][:racks])


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
