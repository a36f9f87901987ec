"""Dragonfly: routers joined all to all in groups, groups joined all to all (Kim et al., ISCA 2008)."""

import math
from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from simulator.components.fabric._base import Counts, Ends, FabricSpec, Ways, ordered
from simulator.components.fabric.graph import Graph
from simulator.components.fabric.tier import Tier

DETOUR = 0.5
"""Share of the global links left to one pattern when adaptive routing sends half of the packets
over a third group: the worst case of Valiant's routing (Kim et al., section 4). Derived."""


class Dragonfly(FabricSpec):
    """`a` routers per group with `p` endpoint ports, `a - 1` local and `h` global links each.

    Balanced at a = 2p = 2h; at most a*h + 1 groups, so p*a*(a*h + 1) endpoint ports.
    """

    levels: ClassVar[Mapping[str, int]] = {"router": 0, "group": 0, "global": 1}
    kind: Literal["dragonfly"] = "dragonfly"
    p: Ways
    """Endpoint ports per router."""
    a: Ways
    """Routers per group."""
    h: Ways
    """Links of a router to other groups."""

    def graph(self, ends: Ends) -> Graph:
        """Return groups of routers under one mesh of groups, which has no switch of its own."""
        groups = self._groups(ends)
        attached = np.full(groups, self.p * self.a)
        attached[-1] = ends.ports - (groups - 1) * self.p * self.a
        links = np.full(groups, self.a * self.h if groups > 1 else 0)
        joined = groups > 1
        return Graph(
            tiers=("router", "mesh")[: 1 + joined],
            tier=np.array([0] * groups + [1] * joined),
            switches=np.array([self.a] * groups + [0] * joined),
            parent=np.array([groups if joined else -1] * groups + [-1] * joined),
            links=np.append(links, [0] * joined).astype(np.int64),
            bytes_s=np.append(links, [0] * joined) * DETOUR * self.port_bandwidth,
            ports=np.append(attached, [0] * joined).astype(np.int64),
            port_bytes_s=self.port_bandwidth,
        )

    def tiers(self, ends: Ends) -> tuple[Tier, ...]:
        """Return router, group and all groups (see `FabricSpec`).

        In a group uniform traffic puts p*x/a on each local link, between groups at worst all of
        a group's p*a*x on half of its a*h global links, and twice p*x/a on local ones.
        """
        groups, each = self._groups(ends), ends.ports_each
        wire = each * self.port_bandwidth
        local = min(wire * self.a / self.p, wire) if self.a > 1 else wire
        beyond = min(local, wire * 0.5 * self.a / self.p, wire * DETOUR * self.h / self.p)
        steps = [
            ("router", self.p, wire, 1),
            ("group", self.p * self.a, local, 2),
            ("global", ends.ports, beyond, 4),
        ]
        made = [
            Tier(name, "scaleout", int(ports / each), min(ends.nic_bytes_s, rate),
                 hops * self.hop_latency)
            for name, ports, rate, hops in steps[: 2 + (groups > 1)]
        ]  # fmt: skip
        return ordered(made, ends)

    def bisection_bytes_s(self, ends: Ends) -> float:
        """Return the links between two halves of the groups, or of one group's routers."""
        groups = self._groups(ends)
        if groups == 1:
            near = self.a // 2
            return near * (self.a - near) * self.port_bandwidth
        near = groups // 2
        between = self.a * self.h / (groups - 1)
        return near * (groups - near) * between * self.port_bandwidth

    def counts(self, ends: Ends) -> Counts:
        """Return routers, optics and cables; local links are copper, global ones optical."""
        plain, groups = super().counts(ends), self._groups(ends)
        local = groups * self.a * (self.a - 1) // 2
        beyond = groups * self.a * self.h // 2 if groups > 1 else 0
        return Counts(
            switches={"router": groups * self.a},
            switch_optics=2 * beyond + plain.end_optics,
            end_optics=plain.end_optics,
            optical_links=beyond + plain.end_optics,
            copper_links=local + plain.copper_links,
        )

    def _groups(self, ends: Ends) -> int:
        most = self.a * self.h + 1
        groups = math.ceil(ends.ports / (self.p * self.a))
        if groups > most:
            raise ValueError(
                f"{ends.ports:,} endpoint ports are more than the {self.p * self.a * most:,} of "
                f"p*a*(a*h + 1); raise a or h"
            )
        return groups
