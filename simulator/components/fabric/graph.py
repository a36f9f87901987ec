"""A fabric as an aggregated graph: groups of equal switches joined by trunks of parallel links.

Columns instead of cables: a node is a group of switches that do the same for the same endpoints,
and has one trunk upward. 400,000 endpoints are a few thousand rows, and no pair is enumerated.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Graph:
    """Nodes stand children before parents; arrays are (nodes,)."""

    tiers: tuple[str, ...]
    """What a switch of each tier is called, lowest first: leaf, spine, core."""
    tier: Ints
    switches: Ints
    """Of which each carries an equal share of the node's trunks."""
    parent: Ints
    """-1 at the top."""
    links: Ints
    """Upward."""
    bytes_s: Floats
    """Upward and one way, all links together."""
    ports: Ints
    """Endpoint ports attached."""
    port_bytes_s: float
    spread: bool = False
    """Every endpoint hangs on all switches of its node (rails) instead of on one."""

    @cached_property
    def leaves(self) -> Ints:
        """Nodes that endpoints attach to, in the order of the endpoints."""
        return np.flatnonzero(self.ports)

    @cached_property
    def trunks(self) -> Ints:
        """Nodes with a trunk upward."""
        return np.flatnonzero(self.links)

    @cached_property
    def edges(self) -> Floats:
        """Endpoint ports before each of `leaves`, and all of them: (leaves + 1,)."""
        return np.concatenate([[0.0], np.cumsum(self.ports[self.leaves])])

    @cached_property
    def first(self) -> Ints:
        """Number within its tier of each node's first switch, from 0."""
        number = np.zeros_like(self.switches)
        for tier in range(len(self.tiers)):
            own = self.tier == tier
            number[own] = np.cumsum(self.switches[own]) - self.switches[own]
        return number

    def switches_of(self, tier: int) -> int:
        """Return the switches of a tier."""
        return int(self.switches[self.tier == tier].sum())

    def node_of(self, tier: int, switch: int) -> int:
        """Return the node of a tier's switch, counted from 0."""
        own = np.flatnonzero(self.tier == tier)
        return int(own[np.searchsorted(self.first[own], switch, side="right") - 1])

    def to_networkx(self) -> Any:
        """Return an undirected `networkx.Graph`: switch groups and endpoint groups as nodes,
        trunks as edges with `capacity` in bytes/s one way and `links`."""
        import networkx  # here, because it takes longer to import than a fabric to count

        made = networkx.Graph()
        for node in range(self.parent.size):
            made.add_node(node, tier=self.tiers[self.tier[node]], switches=int(self.switches[node]))
            if self.parent[node] >= 0:
                parent, links = int(self.parent[node]), int(self.links[node])
                made.add_edge(node, parent, capacity=float(self.bytes_s[node]), links=links)
            if self.ports[node]:
                ports = int(self.ports[node])
                made.add_node(("ports", node), tier="endpoint", ports=ports)
                made.add_edge(
                    ("ports", node), node, capacity=ports * self.port_bytes_s, links=ports
                )
        return made
