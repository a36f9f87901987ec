"""Images or videos made on request: a pool whose chips make one picture each at a time."""

from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from simulator.components import from_catalog
from simulator.components.kinds import Spec
from simulator.performance.calibration import MeasuredSurface
from simulator.performance.diffusion import Denoising, Picture
from simulator.performance.serving import GRID
from simulator.units import Duration, Positive
from simulator.workloads.demand import Demand
from simulator.workloads.pool_rules import ServedPool

PROBED_CLOCK = 0.8
"""Core clock at which the share of time that follows it is taken; as for language models."""


class Asked(Spec):
    """A picture as it is asked for."""

    height: Annotated[int, Field(ge=64, le=8192)]
    """Pixels."""
    width: Annotated[int, Field(ge=64, le=8192)]
    frames: Annotated[int, Field(ge=1, le=10_000)] = 1
    """1 is an image."""
    steps: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Denoising steps; blank: as the model's published settings."""


class ServedDiffusion(ServedPool):
    """One diffusion model that makes pictures for users on one chip type, one per chip at a time.

    A request counts as served when its picture begins; its latency is the picture's time and the
    wait before. All chips draw from one line, so that nobody waits while a chip is free.
    """

    kind: Literal["diffusion"]
    generator: str
    """Model, from the catalog's `diffusion`."""
    picture: Asked
    weight_precision: Literal["bf16", "fp8"] = "bf16"
    latency_limit: Annotated[Duration, Positive()]
    """Service objective: time from the request to the picture."""
    demand: Demand

    @property
    def tensor_parallel(self) -> int:
        """Accelerators of one replica."""
        return 1


@lru_cache(maxsize=64)
def denoising_of(pool: ServedDiffusion, clock_frac: float = 1.0) -> Denoising:
    """Return the work of one picture on the pool's chip."""
    return Denoising(
        from_catalog.diffusion_model(pool.generator), from_catalog.accelerator(pool.accelerator),
        Picture(**pool.picture.model_dump()), pool.weight_precision, clock_frac,
    )  # fmt: skip


def clock_bound_frac(pool: ServedDiffusion) -> float:
    """Return the share of a picture's time that follows the core clock."""
    slower = denoising_of(pool, PROBED_CLOCK).seconds / denoising_of(pool).seconds - 1.0
    return min(max(slower / (1.0 / PROBED_CLOCK - 1.0), 0.0), 1.0)


def impossible(pool: ServedDiffusion) -> str:
    """Return why a chip cannot make the pool's pictures in time, or nothing."""
    made = denoising_of(pool)
    if made.weight_bytes > made.chip.memory:
        needs, has = made.weight_bytes / 1e9, made.chip.memory / 1e9
        return f"{made.model.name} needs {needs:.0f} GB for its weights; {made.chip.name} has {has:.0f}"
    if made.seconds > pool.latency_limit:
        return (
            f"{made.model.name} takes {made.seconds:.3g} s for a picture on {made.chip.name}; the "
            f"limit is {pool.latency_limit:g} s"
        )
    return ""


def surface_of(pool: ServedDiffusion) -> MeasuredSurface:
    """Return the surface of one chip: a picture takes as long at any load, the chip draws while it
    works, and there are no tokens."""
    made = denoising_of(pool)
    load, ones = np.linspace(0.0, 1.0, GRID), np.ones(GRID)
    return MeasuredSurface(
        model=made.model.name, accelerator=made.chip.name, tensor_parallel=1,
        capacity_requests_s=1.0 / made.seconds, output_tokens=0.0, load=load, batch=load,
        tpot_s=0.0 * load, ttft_mean_s=made.seconds * ones, quantiles=np.array([0.5, 0.99]),
        ttft_quantiles_s=made.seconds * np.ones((GRID, 2)),
        dynamic_power_frac=made.power_frac * load, busy_frac=load, max_batch=1, bound_by="batch",
        tpot_quantiles_s=np.zeros((GRID, 2)),
        met_frac=ones * float(made.seconds <= pool.latency_limit),
    )  # fmt: skip
