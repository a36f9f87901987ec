"""What every synchronous job is: racks of one chip, a model, checkpoints, restarts."""

from typing import Annotated, Literal

from pydantic import Field

from simulator.components import from_catalog
from simulator.components.kinds import Spec
from simulator.components.parallel_plan import ParallelPlan
from simulator.engine.state import Load
from simulator.performance.collectives import Fabric, fabric_of
from simulator.policies.placement import PLACEMENTS
from simulator.site import Site
from simulator.units import Duration, NonNegative
from simulator.workloads.checkpointing import Checkpointing
from simulator.workloads.recovery import Recovery

PlacementPolicy = Literal[*PLACEMENTS]  # type: ignore[valid-type]
"""The files of `policies/placement`."""

RESTART = Recovery()


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
    recovery: Recovery | None = None
    """How it goes on after a failure; blank where `checkpoint.restart` says it all."""
    placement: PlacementPolicy = "packed"
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

    @property
    def practice(self) -> Recovery:
        """How it goes on after a failure: restart, unless the document says otherwise."""
        return self.recovery or RESTART

    @property
    def least_share(self) -> float:
        """Share of the accelerators it uses in a rack without which it hands the rack back."""
        return self.practice.least_share if self.practice.policy == "degraded_tensor" else 1.0

    @property
    def units(self) -> int:
        """Parts of the job that compute a part of the batch each: data-parallel replicas, those that
        share experts taken together."""
        plan = self.plan
        together = max(plan.ep // (plan.tp * plan.cp), 1)
        return max(self.trainers // (plan.tp * plan.cp * plan.pp * together), 1)


def fabric_for(job: SynchronousJob, site: Site) -> Fabric:
    """Return the intact fabric under a job, as its chips see it."""
    chip = from_catalog.accelerator(job.accelerator)
    return fabric_of(chip, site.network(job.halls, chip, job.accelerators))


def load_of(job: SynchronousJob, site: Site) -> Load:
    """Return the load a job's racks belong to."""
    chip = site.chips.index(from_catalog.accelerator(job.accelerator))
    return Load(job.name, "training", chip, synchronous=True, priority=job.priority)
