"""When a job saves and where to, as its author writes it."""

from typing import Annotated, Literal

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.performance.checkpoint import HOST_LINK
from simulator.policies.checkpointing import INTERVALS
from simulator.units import Bandwidth, DataSize, Duration, Fraction, NonNegative, Positive

CheckpointPolicy = Literal[*INTERVALS, "fixed"]  # type: ignore[valid-type]
"""The files of `policies/checkpointing`, and a fixed interval."""


class Tier(Spec):
    """One place that saves go to, in the background."""

    interval: Annotated[Duration, Positive()] | None = None
    """Useful time between its saves; blank: what the checkpoint's policy finds for the failures that
    no faster tier survives. Rounded to whole snapshots, and not shorter than a transfer."""
    bandwidth: Annotated[Bandwidth, Positive()] | None = None
    """Of one accelerator, out and back; blank: what the tier's medium gives."""


class LocalTier(Tier):
    """The same server: lost with it."""

    medium: Literal["memory", "flash"] = "memory"
    """Memory of the host, or a drive in it, which also survives the loss of power."""
    keep: Annotated[int, Field(ge=1, le=1000)] = 1
    """Finished saves that are kept."""


class PeerTier(Tier):
    """Memory of another host, over the back-end network: lost when both are."""

    apart: Literal["rack", "block", "hall"] = "block"
    """Fault domain in which a copy does not share with its original, where the job spans several."""
    share: Annotated[Fraction, Field(gt=0, lt=1)] = 0.25
    """Of an accelerator's network that a transfer takes. Assumed, 10-50 %."""
    keep: Annotated[int, Field(ge=1, le=1000)] = 1
    """Finished saves that are kept."""


class RemoteTier(Tier):
    """Storage racks (`topology.storage`), shared with all that save there: survives everything."""

    keep: Annotated[int, Field(ge=1, le=1000)] = 24
    """Finished saves that are kept; corruption that is older than all of them is not undone."""


class Checkpointing(Spec):
    """When the job saves, where to, and what it costs. Without tiers a save is safe as soon as the
    job goes on, and survives everything."""

    policy: CheckpointPolicy = "daly"
    interval: Annotated[Duration, Positive()] | None = None
    """Useful time between saves, for `policy: fixed`."""
    stall: Annotated[Duration, Positive()] | None = None
    """Pause of the job for one save; blank with tiers: the copy from chip to host."""
    restart: Annotated[Duration, NonNegative()] | None = None
    """Detection, replacement, start-up and loading after an interruption, all of it; blank: what
    the failure, `recovery` and the tier that is loaded make of it."""
    size: Annotated[DataSize, Positive()] | None = None
    """Of a save, per accelerator; blank: weights and optimizer state of the model, shared out."""
    host_link: Annotated[Bandwidth, Positive()] = HOST_LINK
    """Between one accelerator and its host's memory. Assumed, 25-200 GB/s."""
    keep: Annotated[int, Field(ge=1, le=1000)] = 24
    """Saves that are kept, without tiers."""
    local: LocalTier | None = None
    peer: PeerTier | None = None
    remote: RemoteTier | None = None

    @property
    def tiers(self) -> dict[str, LocalTier | PeerTier | RemoteTier]:
        """Those that are given, by name, the fastest first."""
        named = {"local": self.local, "peer": self.peer, "remote": self.remote}
        return {name: tier for name, tier in named.items() if tier is not None}
