"""What a checkpoint costs on its way out and back: pauses, transfers, contention. No clock."""

from dataclasses import dataclass
from math import ceil, inf

HOST_LINK = 5.0e10
"""Bytes per second and accelerator between chip and host: PCIe 5 x16 copies pinned memory at 50-55
of its 64 GB/s. Assumed; chips on a coherent link to their host have 2-4 times that."""
FLASH = 5.0e9
"""The same to and from flash in the server, an NVMe drive per accelerator. Assumed, 2-12 GB/s."""


NEVER = 1e9
"""Snapshots after which a tier that gets none would take one."""


@dataclass(frozen=True)
class Way:
    """How the saves of one tier travel."""

    bytes_s: float
    """Of each accelerator, out of the snapshot in host memory; infinite where it stays there."""
    contention: float = 0.0
    """Share of the network under the step that a transfer takes while it runs."""


def transfer_s(each_bytes: float, way: Way) -> float:
    """Return how long a save is on its way, during which it is not safe."""
    return each_bytes / way.bytes_s if way.bytes_s > 0.0 else inf


def lost_s(each_bytes: float, way: Way, exposed_frac: float) -> float:
    """Return the computing time that one transfer takes from the step.

    What the step waits for the network, `exposed_frac` of its time, lasts 1 / (1 - c) as long on the
    rate that is left; communication that is hidden stays hidden.
    """
    if way.contention == 0.0:
        return 0.0
    longer = 1.0 + exposed_frac * way.contention / (1.0 - way.contention)
    return transfer_s(each_bytes, way) * (1.0 - 1.0 / longer)


def every(transfer_time_s: float, wanted_s: float, cycle_s: float) -> int:
    """Return which of the snapshots a tier takes, each n-th: as near to the interval it wants as
    whole cycles come, and not before the last transfer is finished."""
    wanted = min(wanted_s / cycle_s, NEVER)
    fits = min(transfer_time_s / cycle_s, NEVER)
    return max(round(wanted), ceil(fits - 1e-9), 1)
