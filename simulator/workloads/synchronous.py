"""What every synchronous job is: racks of one chip, a model, checkpoints, restarts."""

from typing import Annotated, Literal

from pydantic import Field

from simulator.components import from_catalog
from simulator.components.kinds import Spec
from simulator.components.parallel_plan import ParallelPlan
from simulator.engine.state import Load
from simulator.performance.collectives import Fabric, fabric_of
from simulator.policies.checkpointing import INTERVALS
from simulator.site import Site
from simulator.units import Duration, NonNegative, Positive

CheckpointPolicy = Literal[*INTERVALS, "fixed"]  # type: ignore[valid-type]
"""The files of `policies/checkpointing`, and a fixed interval."""


class Checkpointing(Spec):
    """When the job saves, and what it costs."""

    policy: CheckpointPolicy = "daly"
    interval: Annotated[Duration, Positive()] | None = None
    """Useful time between saves, for `policy: fixed`."""
    stall: Annotated[Duration, Positive()]
    """Pause of the job for one save."""
    restart: Annotated[Duration, NonNegative()]
    """Detection, replacement, start-up and loading after an interruption."""


class SynchronousJob(Spec):
    """A job on whole racks that stops as a whole when one of them fails."""

    kind: str
    name: str
    model: str
    """Model trained, from the catalog."""
    accelerator: str
    accelerators: Annotated[int, Field(ge=1)]
    halls: tuple[str, ...] = ()
    """Groups of halls it may use, by name; blank for all. One group is one back-end fabric."""
    plan: ParallelPlan
    """How an optimizer step is split over the accelerators that train."""
    checkpoint: Checkpointing
    spares: Annotated[int, Field(ge=0)] = 0
    """Racks held idle for this job, beside what batch work can give back."""
    start: Annotated[Duration, NonNegative()] = 0.0
    """After the start of the run."""
    priority: int = 30
    """Higher gives way later when supply is short."""

    @property
    def trainers(self) -> int:
        """Accelerators that train."""
        return self.accelerators


def fabric_for(job: SynchronousJob, site: Site) -> Fabric:
    """Return the intact fabric under a job, as its chips see it."""
    chip = from_catalog.accelerator(job.accelerator)
    return fabric_of(chip, site.network(job.halls, chip, job.accelerators))


def load_of(job: SynchronousJob, site: Site) -> Load:
    """Return the load a job's racks belong to."""
    chip = site.chips.index(from_catalog.accelerator(job.accelerator))
    return Load(job.name, "training", chip, synchronous=True, priority=job.priority)
