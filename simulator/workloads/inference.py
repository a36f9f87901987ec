"""A served model: a pool of replicas that follows its demand, queues and sheds."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_serializer, model_validator

from simulator.components import from_catalog
from simulator.components.kinds import Spec
from simulator.components.language_model import Precision
from simulator.components.request_profile import RequestProfile
from simulator.engine.state import Load, Pool
from simulator.engine.world import Stream
from simulator.performance.queueing import Demand as Lengths
from simulator.performance.replica import Replica
from simulator.performance.request_work import request_work_frac
from simulator.performance.serving import MAX_BATCH, ServingSurface, surface
from simulator.site import Site
from simulator.units import Duration, Fraction, Positive
from simulator.workloads.demand import Demand, hourly_rate
from simulator.workloads.pool_rules import ColdStart, Scaling, Spill
from simulator.workloads.requests import Requests, fill, trace_file
from simulator.workloads.trace_demand import TraceDemand, trace_of

Floats = NDArray[np.float64]


FROM_PROFILE = ("input_tokens", "output_tokens", "length_cv")
"""What a profile of requests gives a pool."""


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
    requests: Requests | None = None
    """Kind of requests, or a trace of them. A profile gives the lengths; with a trace the lengths
    above are those that replicas are rated at, and each hour counts as much work as it is."""
    ttft_limit: Annotated[Duration, Positive()]
    """Service objective: time to first token."""
    tpot_limit: Annotated[Duration, Positive()]
    """Service objective: time per output token."""
    demand: Demand | None = None
    """Blank: a router sends its requests (`kind: traffic`); the lengths above are then those that its
    capacity is rated for."""
    tenant: str | None = None
    """Kept for this tenant: takes only requests of classes with the same one."""
    residency: str | None = None
    """Region or jurisdiction it stands in, for classes that may not leave theirs."""
    least_accelerators: Annotated[int, Field(ge=0)] = 0
    most_accelerators: Annotated[int, Field(ge=1)]
    target_load: Annotated[Fraction, Field(gt=0, le=1)] = 0.8
    """Rate over capacity that scaling aims at."""
    patience: Annotated[Duration, Positive()] = 30.0
    """Wait beyond which requests are shed."""
    priority: int = 20
    """Higher takes accelerators from lower where they lack, and gives way later when supply is
    short."""
    scaling: Scaling = Scaling()
    cold_start: ColdStart = ColdStart()
    spill: Spill | None = None
    on_failure: Literal["retry", "lose"] = "retry"
    """What becomes of requests in a replica that fails."""

    @model_validator(mode="before")
    @classmethod
    def _with_lengths(cls, given: Any) -> Any:
        if isinstance(given, dict) and _of_profile(given.get("requests")):
            told = [key for key in FROM_PROFILE if key in given]
            if told:
                raise ValueError(f"the requests' profile gives {told[0]}; leave it out")
            return fill(given)
        return given

    @model_validator(mode="after")
    def _with_rate(self) -> "ServedModel":
        if self.demand is None:
            return self
        if self.demand.rate is None and (self.requests is None or self.requests.trace is None):
            raise ValueError("demand needs a rate where no trace gives one")
        return self

    @model_serializer(mode="wrap")
    def _as_written(self, handler: Any) -> dict[str, Any]:
        """Leave out what the profile gives, so that it is written once."""
        tree: dict[str, Any] = handler(self)
        if self.requests and self.requests.profile:
            for key in FROM_PROFILE:
                tree.pop(key, None)
        return tree


def _of_profile(requests: Any) -> bool:
    asked = requests.get("profile") if isinstance(requests, dict) else None
    return bool(asked)


@lru_cache(maxsize=256)
def surface_of(pool: ServedModel) -> ServingSurface:
    """Return the serving surface of one replica; ValueError says what does not fit."""
    return surface(
        from_catalog.language_model(pool.model), from_catalog.accelerator(pool.accelerator),
        pool.tensor_parallel, pool.weight_precision, pool.input_tokens, pool.output_tokens,
        length_cv=pool.length_cv, tpot_limit_s=pool.tpot_limit, ttft_limit_s=pool.ttft_limit,
    )


@lru_cache(maxsize=256)
def replica_of(pool: ServedModel) -> Replica:
    """Return one replica of the pool."""
    return Replica(
        from_catalog.language_model(pool.model), from_catalog.accelerator(pool.accelerator),
        pool.tensor_parallel, pool.weight_precision,
    )  # fmt: skip


@lru_cache(maxsize=65_536)
def work_frac(pool: ServedModel, input_tokens: float, output_tokens: float) -> float:
    """Return the work of a request of these mean lengths over one of the pool's own."""
    rated = Lengths(pool.input_tokens, pool.output_tokens, pool.length_cv)
    asked = Lengths(input_tokens, output_tokens, pool.length_cv)
    return request_work_frac(replica_of(pool), rated, asked, MAX_BATCH, pool.tpot_limit)


def load_of(pool: ServedModel, site: Site) -> Load:
    """Return the load the pool's racks belong to."""
    chip = site.chips.index(from_catalog.accelerator(pool.accelerator))
    return Load(pool.name, "inference", chip, priority=pool.priority)


@lru_cache(maxsize=256)
def clock_bound_frac(pool: ServedModel) -> float:
    """Return the share of a busy replica's time that follows the core clock: most of what prompts
    take, little of decoding."""
    replica, served = replica_of(pool), surface_of(pool)
    lengths = Lengths(pool.input_tokens, pool.output_tokens, pool.length_cv)
    prompts = served.capacity_requests_s * replica.prefill_s(pool.input_tokens)
    decode = float(replica.clock_bound_frac(served.batch[-1], lengths.context))
    return prompts * replica.prefill_clock_bound_frac(pool.input_tokens) + (1.0 - prompts) * decode


def cold_start_s(pool: ServedModel) -> float:
    """Return the time from the moment a replica has its accelerators until it serves."""
    replica = replica_of(pool)
    return pool.cold_start.seconds(replica.weight_bytes / replica.chips)


def columns_of(
    pool: ServedModel, local_start: datetime, hours: int, stream: Stream,
    others: Sequence[ServedModel] = (), folder: Path = Path(),
) -> Pool:  # fmt: skip
    """Return what the kernel needs of a pool; `others` are the pools it may spill to, `folder` is
    that of its trace."""
    served = surface_of(pool)
    other = next((o for o in others if pool.spill and o.name == pool.spill.to), None)
    rate, asked, given = _hourly(pool, local_start, hours, stream, folder)
    work = [work_frac(pool, round(i), round(o)) for i, o in zip(asked, given, strict=True)]
    return Pool(
        load=pool.name,
        rate_per_s=rate,
        replica_accelerators=pool.tensor_parallel,
        capacity_per_s=served.capacity_requests_s,
        patience_s=pool.patience,
        dynamic_frac=served.dynamic_power_frac,
        batch=served.batch,
        work_frac=np.array(work) if work else 1.0,
        input_tokens=asked if work else pool.input_tokens,
        output_tokens=given if work else pool.output_tokens,
        cold_s=cold_start_s(pool),
        spill_to=other.name if other else None,
        spill_after_s=pool.spill.after if pool.spill else 0.0,
        spill_work=work_frac(other, pool.input_tokens, pool.output_tokens) if other else 1.0,
        retries=pool.on_failure == "retry",
        by_router=pool.demand is None,
    )


def _hourly(
    pool: ServedModel, local_start: datetime, hours: int, stream: Stream, folder: Path
) -> tuple[Floats, Floats, Floats]:
    """Return the rate on hour boundaries, and mean lengths there where a trace tells them; no rate
    where a router sends the requests."""
    if pool.demand is None:
        return np.zeros(hours + 1), np.zeros(0), np.zeros(0)
    if pool.requests and pool.requests.trace:
        trace = trace_of(trace_file(pool.requests, folder))
        return TraceDemand(trace, pool.demand.rate).hourly(hours)
    profile = profile_of(pool)
    rate = hourly_rate(pool.demand, local_start, hours, stream, profile)
    return rate, np.zeros(0), np.zeros(0)


def profile_of(pool: ServedModel) -> RequestProfile | None:
    """Return the kind of requests a pool says it has."""
    named = pool.requests.profile if pool.requests else None
    return from_catalog.request_profile(named) if named else None
