"""Folded Clos (fat tree): leaf, spine and, above one pod, core; with rails if wanted."""

from typing import Annotated, Literal

from pydantic import Field

from simulator.components.fabric._base import Ends, FabricSpec, Ways
from simulator.components.fabric.folded import Folded, split
from simulator.components.fabric.graph import Graph
from simulator.components.fabric.tier import Tier

Radix = Annotated[int, Field(ge=4, le=1024)]
Over = Annotated[float, Field(ge=1.0, le=64.0)]


class Clos(FabricSpec):
    """As few tiers as the endpoints need: one switch, leaf and spine, or leaf, spine and core."""

    kind: Literal["clos"] = "clos"
    radix: Radix
    """Ports per switch at the endpoint rate."""
    oversubscription: Over = 1.0
    """Leaf down-links over up-links."""
    core_oversubscription: Over = 1.0
    """Spine down-links over up-links, where there is a core."""
    spine_radix: Radix | None = None
    """Ports per spine; blank: `radix`."""
    core_radix: Radix | None = None
    """Ports per core switch; blank: `radix`."""
    rails: Ways = 1
    """Rail-optimised: leaves that share out the ports of the same accelerators, so that leaf i
    serves rail i; a lost leaf takes one rail. 1: each accelerator hangs on one leaf."""

    def graph(self, ends: Ends) -> Graph:
        """Return leaf groups, the spines of each pod, and the cores."""
        return self._folded().graph(ends.ports, self.port_bandwidth)

    def tiers(self, ends: Ends) -> tuple[Tier, ...]:
        """Return leaf, spine and core as far as they are needed (see `FabricSpec`)."""
        return self._folded().tiers(self, ends)

    def bisection_bytes_s(self, ends: Ends) -> float:
        """Return half the endpoints' bandwidth over the oversubscription of all tiers."""
        return self._folded().bisection_bytes_s(ends.ports, self.port_bandwidth)

    def _folded(self) -> Folded:
        spine = self.spine_radix or self.radix
        down = split(self.radix, self.oversubscription)
        return Folded(
            down, self.radix - down, spine, split(spine, self.core_oversubscription),
            self.core_radix or self.radix, self.rails,
        )  # fmt: skip
