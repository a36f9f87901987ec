"""Storage of a site: racks that checkpoints, data sets and weights are written to and read from."""

from typing import Annotated

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.units import Bandwidth, Fraction, Positive


class Storage(Spec):
    """What the storage racks of all halls give together; their draw follows how much they are used."""

    rack: str = "STORAGE"
    """Type of the storage racks, among the support racks of the halls."""
    read: Annotated[Bandwidth, Positive()] = 1.0e11
    """Of one rack in service. Assumed, 50-400 GB/s: 16 flash servers with 400-800 Gb/s each."""
    write: Annotated[Bandwidth, Positive()] = 5.0e10
    """Of one rack in service, redundancy taken off. Assumed, 20-200 GB/s."""
    read_limit: Annotated[Bandwidth, Positive()] = 5.0e9
    """Of one accelerator through its host's front-end network: 40 GB/s for a server of 8 is what
    NVIDIA asks of storage for DGX SuperPOD. Assumed, 1-12 GB/s."""
    write_limit: Annotated[Bandwidth, Positive()] = 2.5e9
    """The same, writing: 20 GB/s for a server of 8. Assumed, 0.5-12 GB/s."""
    idle: Annotated[Fraction, Field(ge=0, le=1)] = 0.1
    """Work of a rack that nobody uses, as a fraction of idle-to-maximum. Assumed, 0-30 %."""
