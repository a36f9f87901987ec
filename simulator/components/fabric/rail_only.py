"""Rail-only: every rail is a network of its own; nothing but the scale-up domain joins them."""

from typing import Literal

from simulator.components.fabric._base import Ends, FabricSpec, Ways
from simulator.components.fabric.clos import Over, Radix
from simulator.components.fabric.folded import Folded, split
from simulator.components.fabric.graph import Graph
from simulator.components.fabric.tier import Tier


class RailOnly(FabricSpec):
    """`rails` separate fat trees, each over the accelerators of one place in their domains.

    Traffic between rails is forwarded over the scale-up domain first (Wang et al., Rail-only,
    arXiv:2307.12169). Each tree joins 1/rails of the endpoints and so has fewer tiers.
    """

    kind: Literal["rail_only"] = "rail_only"
    radix: Radix
    """Ports per switch at the endpoint rate."""
    oversubscription: Over = 1.0
    """Leaf down-links over up-links, where one switch per rail is not enough."""
    rails: Ways
    """At most the ports of one scale-up domain."""

    def graph(self, ends: Ends) -> Graph:
        """Return leaf groups of one switch per rail, and each rail's spines side by side."""
        self._check(ends)
        return self._folded().graph(ends.ports, self.port_bandwidth)

    def tiers(self, ends: Ends) -> tuple[Tier, ...]:
        """Return the tiers of a rail, which its domain's other accelerators reach through it."""
        self._check(ends)
        return self._folded().tiers(self, ends)

    def bisection_bytes_s(self, ends: Ends) -> float:
        """Return half the endpoints' bandwidth over the oversubscription within rails."""
        return self._folded().bisection_bytes_s(ends.ports, self.port_bandwidth)

    def _check(self, ends: Ends) -> None:
        most = int(ends.domain * ends.ports_each)
        if self.rails > most:
            raise ValueError(
                f"{self.rails} rails are more than the {most} network ports of a scale-up domain "
                f"of {ends.domain}: nothing would join them; write rails: {most}"
            )

    def _folded(self) -> Folded:
        down = split(self.radix, self.oversubscription)
        return Folded(
            down, self.radix - down, self.radix, split(self.radix, 1.0), self.radix, self.rails,
            planes=self.rails,
        )  # fmt: skip
