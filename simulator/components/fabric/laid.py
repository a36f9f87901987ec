"""A fabric laid out under its racks, and the network that one or several of them make."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from simulator.components.fabric._base import Counts, Ends, FabricSpec
from simulator.components.fabric.graph import Floats, Graph, Ints
from simulator.components.fabric.tier import Tier
from simulator.components.fabric.wan import Wan
from simulator.kernels.trunks import accelerators_under


@dataclass(frozen=True)
class Laid:
    """The fabric of one group of halls; racks take its ports in their order."""

    name: str
    spec: FabricSpec
    ends: Ends
    halls: Ints
    racks: Ints
    """Indices of its racks, rising."""
    rack_ports: float
    """Of each rack."""

    @cached_property
    def graph(self) -> Graph:
        """Switch groups and trunks."""
        return self.spec.graph(self.ends)

    @cached_property
    def counts(self) -> Counts:
        """Switches, modules and cables."""
        return self.spec.counts(self.ends)

    @cached_property
    def tiers(self) -> tuple[Tier, ...]:
        """The network as an accelerator sees it, intact."""
        return self.spec.tiers(self.ends)

    def accelerators_under(self, racks: Ints) -> Floats:
        """Return how many accelerators of some racks of the site hang at and below each node."""
        under: Floats = accelerators_under(*self.counting(racks))
        return under

    def counting(self, racks: Ints) -> tuple[Any, ...]:
        """Return what the kernel that counts the accelerators of some racks is called with."""
        return np.ascontiguousarray(racks), *self._counted

    @cached_property
    def _counted(self) -> tuple[Any, ...]:
        place_of, cuts, beyond = self._places
        ports, graph = (float(self.rack_ports), float(self.ends.ports_each)), self.graph
        return int(self.racks[0]), place_of, cuts, beyond, *ports, graph.leaves, graph.parent

    @cached_property
    def _places(self) -> tuple[Ints, Ints, Floats]:
        """The place of each of the site's racks from its first on, -1 for what is not its own; and
        for each of `graph.edges` the place of the rack it cuts, and that rack's ports before it."""
        place_of = np.full(int(self.racks[-1] - self.racks[0]) + 1, -1)
        place_of[self.racks - self.racks[0]] = np.arange(self.racks.size)
        cuts = np.minimum(self.graph.edges // self.rack_ports, self.racks.size).astype(np.int64)
        beyond = self.graph.edges - self.rack_ports * cuts
        return place_of, cuts, np.where(cuts < self.racks.size, beyond, 0.0)

    def racks_on(self, first_port: float, last_port: float) -> Ints:
        """Return the racks with a port among those from `first_port` up to `last_port`."""
        start = int(first_port // self.rack_ports)
        stop = math.ceil(last_port / self.rack_ports)
        return self.racks[start:stop]


def network(
    parts: Sequence[Laid], wans: Sequence[Wan], accelerators: int
) -> tuple[Tier, ...]:
    """Return the tiers of a job of so many accelerators on some fabrics, all elements in service.

    Several fabrics are joined by the WAN that names them all: the job is then split evenly, and
    each part has the slowest of the fabrics below. ValueError if nothing joins them.
    """
    if len(parts) == 1:
        return parts[0].tiers
    names = [part.name for part in parts]
    wan = wan_of(names, wans)
    if wan is None:
        listed = " and ".join(names)
        raise ValueError(f"nothing joins the fabrics of {listed}: add a link to 'topology.wan'")
    return across(parts, wan, accelerators)


def wan_of(names: Sequence[str], wans: Sequence[Wan]) -> Wan | None:
    """Return the WAN that joins all the named groups."""
    return next((wan for wan in wans if set(names) <= set(wan.joins)), None)


def across(parts: Sequence[Laid], wan: Wan, accelerators: int) -> tuple[Tier, ...]:
    """Return the tiers of a job split evenly over several fabrics."""
    slowest = min(parts, key=lambda part: part.tiers[-1].bytes_s if part.tiers else math.inf)
    each = math.ceil(accelerators / len(parts))
    inside = [tier for tier in slowest.tiers if tier.reach < each]
    top = slowest.tiers[len(inside) : len(inside) + 1]
    below = inside[-1].reach if inside else slowest.ends.domain
    whole = -(-each // below) * below
    inside += [replace(tier, reach=whole) for tier in top if whole > below]
    latency_s = wan.latency_s + (2.0 * slowest.tiers[-1].latency_s if slowest.tiers else 0.0)
    rate = wan.bytes_s(len(parts)) / each
    nic = min(part.ends.nic_bytes_s for part in parts)
    wide = Tier("wan", "wan", whole * len(parts), min(rate, nic), latency_s)
    return (*inside, wide)
