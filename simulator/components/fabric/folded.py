"""Port arithmetic of folded Clos networks: how many equal switches join how many endpoints.

Two tiers of radix r reach r^2/2 endpoints, three tiers r^3/4 (Al-Fares et al., SIGCOMM 2008);
oversubscription at a tier gives its switches more ports downward than upward.
"""

import math
from dataclasses import dataclass

import numpy as np

from simulator.components.fabric._base import Ends, FabricSpec, ordered
from simulator.components.fabric.graph import Graph
from simulator.components.fabric.tier import Tier

TIERS = ("leaf", "spine", "core")


@dataclass(frozen=True)
class Folded:
    """Ports of the three kinds of switches, and how they are bundled."""

    down: int
    """Endpoint ports of a leaf."""
    up: int
    spine: int
    """Ports of a spine; all look down where there is no core."""
    spine_down: int
    """Ports of a spine downward where there is a core."""
    core: int
    rails: int = 1
    """Leaves that serve the same endpoints, one rail each."""
    planes: int = 1
    """Networks side by side that meet in the endpoints only; they divide `rails`."""

    @property
    def group(self) -> int:
        """Endpoint ports of the leaves that serve the same endpoints."""
        return self.rails * self.down

    @property
    def pod(self) -> int:
        """Groups of leaves under one set of spines where there is a core."""
        return max(self.spine_down // (self.rails // self.planes), 1)

    @property
    def reach(self) -> tuple[int, int, int]:
        """Endpoint ports that one, two and three tiers join."""
        one = self.planes * (self.down + self.up) if self.planes == self.rails else 0
        two = self.group * (self.spine // (self.rails // self.planes))
        return one, two, max(two, self.group * self.pod * self.core)

    def depth(self, ports: int) -> int:
        """Return the tiers needed; ValueError when three are not enough."""
        for tiers, reach in enumerate(self.reach, 1):
            if ports <= reach:
                return tiers
        ways = f"leaves of {self.down} + {self.up}, spines of {self.spine} and cores of {self.core}"
        raise ValueError(
            f"{ports:,} endpoint ports are more than the {self.reach[2]:,} that three tiers of "
            f"{ways} ports join; raise the radix or the oversubscription"
        )

    def graph(self, ports: int, port_bytes_s: float) -> Graph:
        """Return the aggregated graph for `ports` endpoint ports."""
        depth = self.depth(ports)
        group = self.planes * (self.down + self.up) if depth == 1 else self.group
        leaves = math.ceil(ports / group)
        attached = np.full(leaves, group)
        attached[-1] = ports - (leaves - 1) * group
        switches, links, parent = [np.full(leaves, self.rails)], [], []
        if depth == 1:
            links, parent = [np.zeros(leaves, int)], [np.full(leaves, -1)]
        else:
            above = np.arange(leaves) // (self.pod if depth == 3 else leaves)
            links, parent = [np.full(leaves, self.rails * self.up)], [leaves + above]
            switches.append(self._spines(np.bincount(above), depth))
            links.append(switches[1] * (self.spine - self.spine_down) * (depth == 3))
            top = leaves + switches[1].size if depth == 3 else -1
            parent.append(np.full(switches[1].size, top))
        if depth == 3:
            cores = self.planes * math.ceil(links[1].sum() / self.planes / self.core)
            switches.append(np.array([cores]))
            links.append(np.zeros(1, int))
            parent.append(np.array([-1]))
        every = np.concatenate(links).astype(np.int64)
        above_leaves = np.zeros(every.size - leaves, np.int64)
        return Graph(
            tiers=TIERS[:depth],
            tier=np.repeat(np.arange(depth), [part.size for part in switches]),
            switches=np.concatenate(switches).astype(np.int64),
            parent=np.concatenate(parent).astype(np.int64),
            links=every,
            bytes_s=every * np.float64(port_bytes_s),
            ports=np.concatenate([attached, above_leaves]),
            port_bytes_s=port_bytes_s,
            spread=self.rails > 1,
        )

    def _spines(self, groups: np.ndarray, depth: int) -> np.ndarray:
        """Return the spines over each bundle of leaf groups."""
        ports = self.spine_down if depth == 3 else self.spine
        per_plane = groups * (self.rails // self.planes) * self.up
        return self.planes * np.ceil(per_plane / ports).astype(np.int64)

    def tiers(self, spec: FabricSpec, ends: Ends) -> tuple[Tier, ...]:
        """Return what an accelerator sees: one switch, three or five on the way."""
        depth, wire = self.depth(ends.ports), ends.ports_each * spec.port_bandwidth
        pod = self.pod * self.group if depth == 3 else ends.ports
        shares = (1.0, self.up / self.down, self.up / self.down * self._core_share())
        made = []
        for i, (ports, share) in enumerate(zip((self.group, pod, ends.ports), shares, strict=True)):
            if i < depth:
                made.append(Tier(
                    TIERS[i], "scaleout", int(ports / ends.ports_each),
                    min(ends.nic_bytes_s, wire * share), (2 * i + 1) * spec.hop_latency,
                ))  # fmt: skip
        return ordered(made, ends)

    def bisection_bytes_s(self, ports: int, port_bytes_s: float) -> float:
        """Return half the endpoints' bandwidth, over the oversubscription on the way."""
        shares = (1.0, self.up / self.down, self.up / self.down * self._core_share())
        return 0.5 * ports * port_bytes_s * shares[self.depth(ports) - 1]

    def _core_share(self) -> float:
        return (self.spine - self.spine_down) / self.spine_down


def split(radix: int, oversubscription: float) -> int:
    """Return the ports downward of a switch whose down-links are `oversubscription` x its
    up-links; ValueError when that leaves less than one of them."""
    most = radix - 1
    if oversubscription > most:
        raise ValueError(
            f"an oversubscription of {oversubscription:g} leaves a switch of {radix} ports none "
            f"upward; at most {most}, or raise the radix"
        )
    return int(round(radix * oversubscription / (1.0 + oversubscription)))
