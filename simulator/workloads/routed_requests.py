"""A class of requests as every pool would serve it: lengths, work, cost, time, quality."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from simulator.components import from_catalog
from simulator.performance.thought import within_budget
from simulator.policies.route import Request
from simulator.workloads.diffusion import ServedDiffusion
from simulator.workloads.inference import (
    ServedModel,
    held,
    image_frac,
    image_tokens,
    most_tokens,
    replica_of,
    surface_of,
    work_frac,
)
from simulator.workloads.pools import AnyPool
from simulator.workloads.traffic import RequestClass, Table, Traffic


def closed_to(cls: RequestClass, pool: AnyPool) -> str:
    """Return why a pool takes no requests of a class, nothing if it does."""
    if isinstance(pool, ServedDiffusion) or pool.demand is not None:
        return "has demand of its own"
    if pool.tenant != cls.tenant:
        kept = f"tenant '{pool.tenant}'" if pool.tenant else "nobody in particular"
        return f"is kept for {kept}"
    if cls.residency is not None and pool.residency != cls.residency:
        return f"does not stand in '{cls.residency}'"
    model = from_catalog.language_model(pool.model)
    if cls.modality not in model.modalities:
        return f"serves {model.name}, which reads no {cls.modality}"
    if held(pool, cls.input_tokens, written_tokens(cls, pool)).share == 0.0:
        return f"holds requests of {most_tokens(pool)} tokens at most"
    return ""


def thought_of(cls: RequestClass, pool: AnyPool) -> tuple[float, float]:
    """Return the mean chain of thought on a pool in tokens, and the share that its budget cuts."""
    if cls.reasoning is None or isinstance(pool, ServedDiffusion):
        return 0.0, 0.0
    if not from_catalog.language_model(pool.model).reasoning:
        return 0.0, 0.0
    return within_budget(cls.reasoning.tokens, cls.reasoning.length_cv, cls.reasoning.budget)


def written_tokens(cls: RequestClass, pool: ServedModel) -> float:
    """Return the mean tokens that a pool writes for a request, chain of thought included."""
    return cls.output_tokens + thought_of(cls, pool)[0]


def image_frac_of(cls: RequestClass, pool: ServedModel) -> float:
    """Return the share of a class's input tokens on a pool that stand for images."""
    return min(image_tokens(pool, cls.images) / cls.input_tokens, 1.0)


class Measured(Sequence[float]):
    """What a request costs in every pool, asked for one by one: a pool is measured when a policy looks
    at its time or energy, and not to see whether a class has a route."""

    def __init__(self, cost: Callable[[ServedModel], float], pools: Sequence[AnyPool | None]) -> None:
        self.cost, self.pools = cost, pools

    def __len__(self) -> int:
        """Return the number of pools."""
        return len(self.pools)

    def __getitem__(self, place: Any) -> Any:
        """Return the cost in a pool; none in one that is closed."""
        pool = self.pools[place]
        return self.cost(pool) if isinstance(pool, ServedModel) else 0.0


def request_of(traffic: Traffic, cls: RequestClass, pools: Sequence[AnyPool]) -> Request:
    """Return what a policy sees of a class; pools that are closed to it have no work in it."""
    is_open = tuple(not closed_to(cls, pool) for pool in pools)
    reached = [pool if o else None for pool, o in zip(pools, is_open, strict=True)]
    escalation = traffic.escalation.get(cls.task, {})

    def length(pool: ServedModel) -> tuple[float, float, float]:
        return cls.input_tokens, written_tokens(cls, pool), image_frac_of(cls, pool)

    return Request(
        name=cls.name, task=cls.task, modality=cls.modality, latency_class=cls.latency_class,
        rate_per_s=cls.rate_per_s, open=is_open,
        work=Measured(lambda pool: work_frac(pool, *length(pool)), reached),
        accelerator_s=Measured(lambda pool: cost_of(pool, *length(pool))[1], reached),
        energy_j=Measured(lambda pool: cost_of(pool, *length(pool))[2], reached),
        latency_s=Measured(
            lambda pool: mean_latency_s(pool, *length(pool), load=pool.target_load), reached
        ),
        quality=tuple(quality_of(traffic, cls, pool) for pool in pools),
        quality_needed=cls.quality_needed, latency_limit_s=cls.latency_limit,
        passed_on=tuple(escalation[p.name].share if p.name in escalation else 0.0 for p in pools),
    )  # fmt: skip


def quality_of(
    traffic: Traffic, cls: RequestClass, pool: AnyPool, whole: float | None = None
) -> float | None:
    """Return the quality of a pool's answers to a class, those whose thought is cut included; None
    where the user's tables have no entry. `whole` stands for the entry of answers not cut."""
    if whole is None:
        whole = cell(traffic.quality, cls.task, pool.name)
    cut_frac = thought_of(cls, pool)[1]
    if whole is None or cut_frac == 0.0:
        return whole
    cut = cell(traffic.quality_cut, cls.task, pool.name)
    return None if cut is None else (1.0 - cut_frac) * whole + cut_frac * cut


def cell(table: Table, task: str, pool: str) -> float | None:
    """Return an entry of a table, None if it has none."""
    return table.get(task, {}).get(pool)


@lru_cache(maxsize=4096)
def mean_latency_s(
    pool: ServedModel, input_tokens: float, output_tokens: float, image_frac_asked: float, load: float
) -> float:
    """Return the mean time to the last token of a request at a load of its pool, backlog apart."""
    served = surface_of(pool)
    first_s = float(np.interp(load, served.load, served.ttft_mean_s))
    longer_s = prompt_s(pool, input_tokens, image_frac_asked)
    longer_s -= prompt_s(pool, pool.input_tokens, image_frac(pool))
    token_s = float(np.interp(load, served.load, served.tpot_s))
    return max(first_s + longer_s, 0.0) + (output_tokens - 1.0) * token_s


def prompt_s(pool: ServedModel, input_tokens: float, image_frac_asked: float) -> float:
    """Return what a prompt takes, its images included."""
    replica = replica_of(pool)
    encoder_s = image_frac_asked * input_tokens * replica.image_token_s
    return encoder_s + replica.prefill_s(input_tokens)


def cost_of(
    pool: ServedModel, input_tokens: float, output_tokens: float, image_frac_asked: float = 0.0
) -> tuple[float, float, float]:
    """Return work, accelerator-seconds and joules of one request in a full batch.

    Work is in requests of the pool's reference lengths, energy that of the accelerators alone.
    """
    served, chip = surface_of(pool), from_catalog.accelerator(pool.accelerator)
    work = work_frac(pool, input_tokens, output_tokens, image_frac_asked)
    accelerator_s = work * pool.tensor_parallel / served.capacity_requests_s
    power_w = chip.idle + float(served.dynamic_power_frac[-1]) * (chip.tdp - chip.idle)
    return work, accelerator_s, accelerator_s * power_w
