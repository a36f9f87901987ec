"""The parts of a document that are valid by themselves, so that one slip hides no other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from simulator.components.rack import Rack
from simulator.components.topology import Hall, Topology
from simulator.scenario.spec import Period, Reliability, ScenarioSpec
from simulator.weather import WeatherSource
from simulator.workloads import Workload

Part = TypeVar("Part")


@dataclass(frozen=True)
class Parts:
    """What could be validated; None, or left out of a mapping by index, where it could not."""

    topology: Topology | None = None
    racks: Mapping[int, Rack] = field(default_factory=dict)
    halls: Mapping[int, Hall] = field(default_factory=dict)
    workloads: Mapping[int, Workload] = field(default_factory=dict)
    weather: WeatherSource | None = None
    period: Period | None = None
    reliability: Reliability | None = None
    rack_names: frozenset[str] = frozenset()
    """Rack types the document declares, valid or not."""

    @classmethod
    def of_spec(cls, spec: ScenarioSpec) -> "Parts":
        """Return the parts of a valid scenario."""
        return cls(
            spec.topology,
            dict(enumerate(spec.topology.racks)),
            dict(enumerate(spec.topology.halls)),
            dict(enumerate(spec.workloads)),
            spec.weather,
            spec.period,
            spec.reliability,
            frozenset(rack.name for rack in spec.topology.racks),
        )

    @classmethod
    def of_tree(cls, tree: dict[str, Any]) -> "Parts":
        """Return the parts of a tree that is not valid as a whole."""
        topology = tree.get("topology")
        plant = topology if isinstance(topology, dict) else {}
        return cls(
            _valid(Topology, topology),
            _each(Rack, plant.get("racks")),
            _each(Hall, plant.get("halls")),
            _each(Workload, tree.get("workloads")),
            _valid(WeatherSource, tree.get("weather")),
            _valid(Period, tree.get("period")),
            _valid(Reliability, tree.get("reliability", {})),
            _names(plant.get("racks")),
        )


def _each(kind: Any, given: Any) -> dict[int, Any]:
    """Return the valid items of a list by index."""
    items = given if isinstance(given, list) else []
    found = {index: _valid(kind, item) for index, item in enumerate(items)}
    return {index: item for index, item in found.items() if item is not None}


def _names(given: Any) -> frozenset[str]:
    items = given if isinstance(given, list) else []
    return frozenset(
        str(item["name"]) for item in items if isinstance(item, dict) and "name" in item
    )


def _valid(kind: Any, given: Any) -> Any:
    try:
        return _adapter(kind).validate_python(given)
    except ValidationError:
        return None


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
