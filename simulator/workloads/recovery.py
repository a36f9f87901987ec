"""How a job goes on after it was hit, as its author writes it."""

from typing import Annotated, Literal

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.policies.recovery import RECOVERIES, Decision
from simulator.units import Duration, Fraction, NonNegative

RecoveryPolicy = Literal[*RECOVERIES]  # type: ignore[valid-type]
"""The files of `policies/recovery`."""


class Recovery(Spec):
    """What happens between a failure and the first step after it, where `checkpoint.restart` does not
    say it all."""

    policy: RecoveryPolicy = "restart"
    diagnosis: Annotated[Duration, NonNegative()] = 180.0
    """Time to find what to leave out, where `operations` does not say. Assumed, 1-30 min: automatic
    isolation takes minutes (ByteRobust, arXiv:2509.16293)."""
    cold: Annotated[Duration, NonNegative()] = 600.0
    """Schedule, image and check a rack that takes the place of another. Assumed, 5-30 min."""
    warm: Annotated[Duration, NonNegative()] = 30.0
    """Swap in a spare rack that is powered with its processes up. Assumed, 10-120 s."""
    hot: Annotated[Duration, NonNegative()] = 5.0
    """Swap chips inside a rack, or have a neighbour take over. Assumed, 1-30 s."""
    processes: Annotated[Duration, NonNegative()] = 90.0
    """Start of every process: image, libraries, compiled kernels. Assumed, 30-300 s."""
    communicators: Annotated[Duration, NonNegative()] = 0.003
    """Setting up communicators, for each accelerator of the job: under 5 s on 2,048 and under 30 s on
    10,000 and more after tuning, 1,047 s on 2,048 before (MegaScale, arXiv:2402.15627, section 3.5).
    Derived, 2 ms to 0.5 s."""
    active_per_rack: Annotated[int, Field(ge=1)] | None = None
    """Accelerators of each rack that the job uses, for `hot_spares`; the others are its reserve."""
    least_share: Annotated[Fraction, Field(gt=0, le=1)] = 0.75
    """Share of a rack with which its unit goes on, for `degraded_tensor`. Assumed."""
    redundancy: Annotated[Fraction, Field(ge=0, lt=1)] = 0.15
    """Of its pace that `redundant_pipeline` always spends on its neighbour's work, what its bubbles do
    not hide. Assumed, 5-30 %."""

    @property
    def overhead(self) -> float:
        """Share of the pace that the policy costs though nothing has failed."""
        return self.redundancy if self.policy == "redundant_pipeline" else 0.0

    def replace_s(self, decision: Decision) -> float:
        """Return the time until what is lost is replaced."""
        times = {"none": 0.0, "hot": self.hot, "warm": self.warm, "cold": self.cold}
        return times[decision.replacement]

    def start_s(self, starts: str, accelerators: float) -> float:
        """Return the time until all of the job's processes talk to each other again."""
        if starts == "nothing":
            return 0.0
        up_s = self.processes if starts == "processes" else 0.0
        return up_s + self.communicators * accelerators
