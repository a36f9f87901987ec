"""One level of a network as a chip sees it: whom it reaches there, how fast and how soon."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["scaleup", "scaleout", "wan"]
Shape = Literal["switched", "torus"]


@dataclass(frozen=True)
class Tier:
    """A level of the network; tiers of one fabric are ordered by `reach`, each a multiple of the
    one below."""

    name: str
    """What carries it: nvlink, leaf, spine, core, torus, wan."""
    kind: Kind
    reach: int
    """Accelerators that reach each other without going higher."""
    bytes_s: float
    """Unidirectional wire rate per accelerator when all of them send at once, oversubscription and
    failed links taken off."""
    latency_s: float
    """One way, wire and switches, without software."""
    shape: Shape = "switched"
    """Of a torus the ring collectives use every link, while all-to-all meets the bisection."""
    dimensions: tuple[int, ...] = ()
    """Chips along each axis of a torus."""
