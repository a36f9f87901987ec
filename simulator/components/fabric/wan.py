"""Long-haul links between the fabrics of several groups of halls, on one site or on several."""

from typing import Annotated, Literal

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.units import Bandwidth, Length, NonNegative, Positive, Power, Within

FIBRE_S_M = 4.9e-9
"""Light in glass, one way, per metre: group index 1.468 over c. Derived."""


class Wan(Spec):
    """Groups of halls joined pairwise by equal bundles of links.

    Over n groups each has n - 1 bundles, all of which collectives keep busy: a complete graph of
    groups divides into n - 1 rings.
    """

    name: str
    kind: Literal["wan"] = "wan"
    joins: Annotated[tuple[str, ...], Field(min_length=2)]
    """Groups of halls, by name."""
    distance: Annotated[Length, Within("0 m", "20000 km")]
    """Of fibre between any two of them."""
    bandwidth: Annotated[Bandwidth, Positive()]
    """Unidirectional, between any two of them."""
    links: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """Parallel links that carry `bandwidth`; a lost one takes its share."""
    optic_power: Annotated[Power, NonNegative()] = 0.0
    """One optical module; every link has two."""

    @property
    def latency_s(self) -> float:
        """One way, the fibre alone."""
        return self.distance * FIBRE_S_M

    @property
    def bundles(self) -> int:
        """Pairs of groups."""
        return len(self.joins) * (len(self.joins) - 1) // 2

    def bytes_s(self, groups: int) -> float:
        """Return what one of `groups` that take part can send to the others."""
        return (groups - 1) * self.bandwidth

    @property
    def draw_w(self) -> float:
        """Power of the optical modules of all links."""
        return 2.0 * self.bundles * self.links * self.optic_power
