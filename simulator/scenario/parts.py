"""The parts of a document that are valid by themselves, so that one slip hides no other."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from simulator.components.incident import Incident
from simulator.components.operations import Crews, Maintenance, Operations, Stock, Upgrade
from simulator.components.rack import Rack
from simulator.components.topology import Hall, Topology
from simulator.scenario import provision
from simulator.scenario.spec import Economics, Period, Reliability, ScenarioSpec
from simulator.weather import WeatherSource
from simulator.workloads import Workload
from simulator.workloads.verification import Verify


@dataclass(frozen=True)
class Parts:
    """What could be validated; None, or left out of a mapping by index, where it could not."""

    tree: dict[str, Any]
    """All of it as plain values, valid or not."""
    topology: Topology | None
    racks: Mapping[int, Rack]
    halls: Mapping[int, Hall]
    workloads: Mapping[int, Workload]
    weather: WeatherSource | None
    period: Period | None
    economics: Economics | None
    reliability: Reliability | None
    operations: Operations | None
    incidents: Mapping[int, Incident]
    verify: Verify | None

    @classmethod
    def of_spec(cls, spec: ScenarioSpec, tree: dict[str, Any]) -> "Parts":
        """Return the parts of a valid scenario."""
        return cls(
            tree,
            spec.topology,
            dict(enumerate(spec.topology.racks)),
            dict(enumerate(spec.topology.halls)),
            dict(enumerate(spec.workloads)),
            spec.weather,
            spec.period,
            spec.economics,
            spec.reliability,
            spec.operations,
            dict(enumerate(spec.incidents)),
            spec.verify,
        )

    @classmethod
    def of_tree(cls, tree: dict[str, Any]) -> "Parts":
        """Return the parts of a tree that is not valid as a whole."""
        plant = _mapping(tree.get("topology"))
        topology = _valid(Topology, tree.get("topology"))
        return cls(
            tree,
            topology and provision.counted_or_guessed(topology),
            _each(Rack, plant.get("racks")),
            _each(Hall, plant.get("halls")),
            _each(Workload, tree.get("workloads")),
            _valid(WeatherSource, tree.get("weather")),
            _valid(Period, tree.get("period")),
            _valid(Economics, tree.get("economics")),
            _valid(Reliability, tree.get("reliability", {})),
            _valid(Operations, tree.get("operations")) or _partly(tree.get("operations")),
            _each(Incident, tree.get("incidents")),
            _valid(Verify, tree.get("verify", {})),
        )

    def of_kind(self, *kinds: str) -> list[int]:
        """Return the workloads declared as one of the kinds, valid or not, by index."""
        given = self.tree.get("workloads")
        items = given if isinstance(given, list) else []
        return [i for i, item in enumerate(items) if _mapping(item).get("kind") in kinds]

    @property
    def rack_names(self) -> frozenset[str]:
        """Rack types the document declares, valid or not."""
        declared = _mapping(self.tree.get("topology")).get("racks")
        items = declared if isinstance(declared, list) else []
        return frozenset(str(_mapping(item).get("name")) for item in items)


def _each(kind: Any, given: Any) -> dict[int, Any]:
    """Return the valid items of a list by index."""
    items = given if isinstance(given, list) else []
    found = {index: _valid(kind, item) for index, item in enumerate(items)}
    return {index: item for index, item in found.items() if item is not None}


def _partly(given: Any) -> Operations | None:
    """Return operations of which parts are not valid: items of lists keep their names and trades, so
    that crews and parts are checked while an hour or a number beside them is wrong."""
    if not isinstance(given, dict):
        return None
    try:
        laid = Operations.laid(given)
    except ValueError:
        return None
    named: dict[str, Any] = {
        key: tuple(kind.model_construct(**item) for item in laid[key] if _named(item, *needed))
        for key, kind, needed in (("crews", Crews, ("name", "trade")), ("spares", Stock, ("name",)))
        if isinstance(laid[key], list)
    }
    planned: dict[str, Any] = {
        key: tuple(_each(kind, laid.get(key)).values())
        for key, kind in (("maintenance", Maintenance), ("upgrades", Upgrade))
    }
    if len(named) < 2:
        return None
    return Operations.model_construct(practice=laid["practice"], drain=0.0, **named, **planned)


def _named(item: Any, *keys: str) -> bool:
    return isinstance(item, dict) and all(isinstance(item.get(key), str) for key in keys)


def _mapping(given: Any) -> dict[str, Any]:
    return given if isinstance(given, dict) else {}


def _valid(kind: Any, given: Any) -> Any:
    try:
        return _adapter(kind).validate_python(given)
    except ValidationError:
        return None


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
