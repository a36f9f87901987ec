"""Specs made of catalog entries: the figures' values, validated as if an author had typed them."""

from functools import cache
from typing import Any, TypeVar

from simulator import catalog
from simulator.components.accelerator import Accelerator
from simulator.components.failure_class import FailureClass
from simulator.components.kinds import Spec
from simulator.components.language_model import LanguageModel
from simulator.components.rack import Rack

Made = TypeVar("Made", bound=Spec)


@cache
def accelerator(name: str) -> Accelerator:
    """Return a chip by any spelling of its name; KeyError carries the nearest names."""
    return _make(Accelerator, catalog.load("accelerators", name))


@cache
def rack(name: str) -> Rack:
    """Return a rack type by any spelling of its name; KeyError carries the nearest names."""
    return _make(Rack, catalog.load("racks", name))


@cache
def language_model(name: str) -> LanguageModel:
    """Return a model by any spelling of its name; KeyError carries the nearest names."""
    return _make(LanguageModel, catalog.load("models", name))


@cache
def failure_classes(fleet: str) -> tuple[FailureClass, ...]:
    """Return the failure classes of a fleet by its name in the catalog."""
    entries = catalog.load("failures", fleet)["classes"]
    return tuple(_make(FailureClass, entry) for entry in entries)


def _make(kind: type[Made], figures: dict[str, Any]) -> Made:
    return kind.model_validate(catalog.plain(figures))
