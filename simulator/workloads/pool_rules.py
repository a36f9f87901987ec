"""How a pool grows, starts replicas, and what becomes of requests it cannot take: keys of all pools."""

from typing import Annotated, Literal

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.policies.scaling import SCALERS
from simulator.units import Bandwidth, Duration, Fraction, NonNegative, Positive, Within

ScalingPolicy = Literal[*SCALERS]  # type: ignore[valid-type]
"""The files of `policies/scaling`."""


class ScheduleEntry(Spec):
    """What a pool holds from an hour of day on."""

    hour: Annotated[int, Field(ge=0, lt=24)]
    """Local."""
    accelerators: Annotated[int, Field(ge=0)]


class Scaling(Spec):
    """When a pool takes or hands back accelerators."""

    policy: ScalingPolicy = "target_load"
    """`target_load` knows demand two hours ahead, `reactive` sees the last minute and the queue,
    `schedule` follows a table, `fixed` holds all it may."""
    every: Annotated[Duration, Within("1 min", "1 d")] = 3600.0
    """Time between decisions."""
    schedule: tuple[ScheduleEntry, ...] = ()
    """For `policy: schedule`; the last entry of a day holds until the first of the next."""


class ColdStart(Spec):
    """What a replica does before it serves; it draws idle power meanwhile."""

    bandwidth: Annotated[Bandwidth, Positive()] = 2e9
    """Weights reach each accelerator at this rate, from storage or the host's memory. 2 GB/s is what
    one local SSD gives a concurrent loader (NVIDIA on its Model Streamer, 2025: 15 GB in 7.5 s);
    assumed for all chips, range 0.5-25 GB/s."""
    start_up: Annotated[Duration, NonNegative()] = 60.0
    """Process, graphs and kernels of the engine, before or after the weights. Assumed, range 20 s to
    5 min."""

    def seconds(self, weight_bytes: float) -> float:
        """Return the time until a replica serves, its weights being so many bytes per chip."""
        return self.start_up + weight_bytes / self.bandwidth


class Spill(Spec):
    """Where requests go that a pool cannot take in time."""

    to: str
    """A pool of the same or another model, by name; it takes what it has room for beside its own
    demand."""
    after: Annotated[Duration, NonNegative()] = 5.0
    """Requests that would wait longer move on."""


class ServedPool(Spec):
    """Replicas of one model on one chip type that share their demand."""

    name: str
    accelerator: str
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
