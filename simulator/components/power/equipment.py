"""What is built, counted by kind and rating: the quantities that a cost estimate starts from."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from simulator.components.power.node import Node
from simulator.components.topology import Topology

WORDS = {
    "line": "line", "transformer_main": "main transformer", "feeder": "feeder",
    "breaker": "switchgear section", "transformer_unit": "unit substation", "ups": "UPS module",
    "busway": "busway",
}  # fmt: skip

MV_BREAKER, LV_BREAKER = "medium voltage breaker", "low voltage breaker"
BREAKERS = {"feeder": MV_BREAKER, "unit substation": MV_BREAKER, "busway": LV_BREAKER}
"""Kind of breaker of each of these."""


class Lot(NamedTuple):
    """Equal pieces of equipment."""

    kind: str
    hall: str  # group of halls, blank for the campus
    serves: str  # racks, support, mechanical, or blank
    count: int  # type: ignore[assignment]
    rating_w: float  # each


def lots(topology: Topology, nodes: Sequence[Node], halls: Sequence[str]) -> list[Lot]:
    """Return the electrical equipment of a site in order of the power tree.

    Parameters
    ----------
    halls : group of halls of each node, blank above them
    """
    found: dict[tuple[str, str, str, float], int] = {}
    for node, hall in zip(nodes, halls, strict=True):
        key = WORDS[node.kind], hall, node.serves, round(node.rating_w / node.count, 6)
        found[key] = found.get(key, 0) + node.count
    counted = [Lot(*key[:3], count, key[3]) for key, count in found.items()]
    return [*counted, *_breakers(topology, counted), *_switches(topology), *_plant(topology)]


def _breakers(topology: Topology, counted: Sequence[Lot]) -> Iterator[Lot]:
    """Yield the breakers that can fail: one of each feeder, unit substation and busway, and two of a
    branch of the medium-voltage network."""
    for lot in counted:
        kind = BREAKERS.get(lot.kind)
        if kind is not None:
            yield lot._replace(kind=kind)
    plan = topology.medium_voltage
    for branch in () if plan is None else plan.branches:
        yield Lot(MV_BREAKER, "", "", 2, branch.rating * topology.grid.power_factor)


def _switches(topology: Topology) -> Iterator[Lot]:
    for hall in topology.halls:
        plan = hall.distribution
        if plan is not None and plan.switched:
            rating_w = hall.block.rating * topology.grid.power_factor / plan.group.worst_load
            kind = f"{plan.switch.upper()} transfer switch"
            yield Lot(kind, hall.name, "racks", hall.count * hall.blocks, rating_w)


def _plant(topology: Topology) -> Iterator[Lot]:
    if topology.generators is not None and topology.generators.sets:
        yield Lot("generator", "", "", topology.generators.sets, topology.generators.rating)
    if topology.battery is not None:
        yield Lot("battery", "", "", 1, topology.battery.power)
