"""What every fabric is: a specification that lays itself out for the endpoints it is given."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from simulator.components.fabric.graph import Graph
from simulator.components.fabric.tier import Tier
from simulator.components.kinds import Spec
from simulator.units import Bandwidth, Duration, Positive, Power, Within

Links = Literal["optical", "copper"]
Ways = Annotated[int, Field(ge=1, le=4096)]


@dataclass(frozen=True)
class Ends:
    """What is attached to a fabric."""

    accelerators: int
    ports: int
    """Network ports of all of them."""
    nic_bytes_s: float
    """What one accelerator can send into the network, one way."""
    domain: int = 1
    """Accelerators that reach each other over their scale-up links."""

    @property
    def ports_each(self) -> float:
        """Ports per accelerator."""
        return self.ports / self.accelerators


@dataclass(frozen=True)
class Counts:
    """What is bought."""

    switches: dict[str, int]
    """By tier, lowest first, under the name the graph gives them."""
    switch_optics: int
    """Optical modules in switches."""
    end_optics: int
    """Optical modules at the endpoints, in their racks."""
    optical_links: int
    copper_links: int

    @property
    def optics(self) -> int:
        """All optical modules."""
        return self.switch_optics + self.end_optics


class FabricSpec(Spec):
    """Switches, links and optics of one fabric; the file of a kind says how they are joined."""

    levels: ClassVar[Mapping[str, int]] = {"leaf": 0, "spine": 1, "core": 2}
    """Tier of the graph on which traffic over each `Tier` meets its top; it crosses the trunks
    below."""
    port_bandwidth: Annotated[Bandwidth, Positive()]
    """Unidirectional bandwidth of one link."""
    hop_latency: Annotated[Duration, Within("0 s", "1 s")]
    """One switch and the cable to it."""
    switch_power: Annotated[Power, Within("0 W", "100 kW")]
    """One switch without optics."""
    optic_power: Annotated[Power, Within("0 W", "1 kW")]
    """One optical module."""
    nic_power: Annotated[Power, Within("0 W", "1 kW")] = 0.0
    """One network port of an endpoint. It is part of its rack's own budget: shown, not added."""
    endpoint_links: Links = "optical"
    """Cables between endpoints and their switch. Copper reaches two or three metres."""

    def attached(self, accelerators: int, network_ports: int) -> int:
        """Return the endpoint ports that a number of accelerators bring; 0: no network."""
        return network_ports

    @abstractmethod
    def graph(self, ends: Ends) -> Graph:
        """Return switch groups and trunks; ValueError when the ports do not suffice."""

    @abstractmethod
    def tiers(self, ends: Ends) -> tuple[Tier, ...]:
        """Return the network as one accelerator sees it beyond its scale-up domain.

        Rates are those left when every accelerator sends at once and no element is out.
        """

    @abstractmethod
    def bisection_bytes_s(self, ends: Ends) -> float:
        """Return what one half of the endpoints can send to the other at once."""

    def counts(self, ends: Ends) -> Counts:
        """Return switches, optical modules and cables. Links between switches are optical."""
        graph = self.graph(ends)
        above, attached = int(graph.links.sum()), int(graph.ports.sum())
        optical = attached if self.endpoint_links == "optical" else 0
        return Counts(
            switches={t: graph.switches_of(i) for i, t in enumerate(graph.tiers)},
            switch_optics=2 * above + optical,
            end_optics=optical,
            optical_links=above + optical,
            copper_links=attached - optical,
        )

    def draw_w(self, ends: Ends) -> float:
        """Return the power of all switches with the optics in them."""
        counts = self.counts(ends)
        switches_w = sum(counts.switches.values()) * self.switch_power
        return switches_w + counts.switch_optics * self.optic_power


def ordered(tiers: list[Tier], ends: Ends) -> tuple[Tier, ...]:
    """Return tiers whose reaches are multiples of each other and of the scale-up domain.

    A tier that reaches no further than the one below says nothing and is dropped; the last reaches
    every accelerator.
    """
    kept: list[Tier] = []
    below = ends.domain
    for i, tier in enumerate(tiers):
        last = i == len(tiers) - 1
        reach = -(-max(tier.reach, ends.accelerators) // below) if last else tier.reach // below
        if reach > 1:
            kept.append(Tier(**vars(tier) | {"reach": reach * below}))
            below *= reach
    return tuple(kept)

