"""The switches and links of the fabrics as populations of failures: how many, and their names."""

import numpy as np

from simulator.components.fabric.graph import Graph
from simulator.site import Site

TIER_OF = {"leaf_switch": 0, "spine_switch": 1, "core_switch": 2}
"""Tier of a population of switches: those that endpoints hang on (leaves, routers), those above
(spines, circuit switches of a torus), and cores."""

POPULATIONS = (*TIER_OF, "uplink")
"""The units of `uplink` are the trunks of a graph (`Graph.trunks`), with a link as what fails."""


def units(site: Site, per: str) -> tuple[np.ndarray, list[str], list[int]]:
    """Return targets (fabrics), their names and how many units each has."""
    graphs = [fabric.graph for fabric in site.fabrics]
    names = [fabric.name for fabric in site.fabrics]
    counts = [_count(graph, per) for graph in graphs]
    return np.arange(len(graphs)), names, counts


def links_of(site: Site, targets: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Return the parallel links of the uplinks that targets and units name."""
    return np.array([
        site.fabrics[t].graph.links[site.fabrics[t].graph.trunks[u]]
        for t, u in zip(targets, units, strict=True)
    ], dtype=float)  # fmt: skip


def switch_name(site: Site, target: int, per: str, unit: int) -> str:
    """Return the name of a switch: `train/spine 3`."""
    fabric = site.fabrics[target]
    return f"{fabric.name}/{fabric.graph.tiers[TIER_OF[per]]} {unit + 1}"


def uplink_name(site: Site, target: int, unit: int) -> str:
    """Return the name of a trunk, after the first switch below it: `train/leaf 3/uplink`."""
    fabric, graph = site.fabrics[target], site.fabrics[target].graph
    node = int(graph.trunks[unit])
    first = graph.first[node] if graph.switches[node] else np.sum(graph.tier[:node] == graph.tier[node])
    return f"{fabric.name}/{graph.tiers[graph.tier[node]]} {first + 1}/uplink"


def elements(site: Site, per: str) -> dict[str, tuple[int, int]]:
    """Return (target, unit) of every switch or uplink of a population, by name."""
    targets, _, counts = units(site, per)
    return {
        uplink_name(site, t, u) if per == "uplink" else switch_name(site, t, per, u): (int(t), u)
        for t, count in zip(targets, counts, strict=True)
        for u in range(count)
    }


def _count(graph: Graph, per: str) -> int:
    if per == "uplink":
        return int(graph.trunks.size)
    return graph.switches_of(TIER_OF[per]) if TIER_OF[per] < len(graph.tiers) else 0
