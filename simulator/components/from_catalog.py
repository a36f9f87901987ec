"""Specs made of catalog entries: the figures' values, validated as if an author had typed them."""

import math
import re
from functools import cache
from typing import Any, TypeVar

from simulator import catalog
from simulator.components.accelerator import Accelerator
from simulator.components.diffusion_model import DiffusionModel
from simulator.components.engine import Engine
from simulator.components.failure_class import FailureClass
from simulator.components.kinds import Spec
from simulator.components.language_model import LanguageModel
from simulator.components.operations import Operations
from simulator.components.power.mask import Mask
from simulator.components.power.path import PowerPath
from simulator.components.power.ride_through import GridRule
from simulator.components.rack import Rack
from simulator.components.request_profile import RequestProfile
from simulator.components.stack import Stack
from simulator.units import parse

Made = TypeVar("Made", bound=Spec)

NORMAL_95 = 1.6449
"""95th percentile of the standard normal."""


@cache
def accelerator(name: str) -> Accelerator:
    """Return a chip by any spelling of its name; KeyError carries the nearest names."""
    return _make(Accelerator, catalog.load("accelerators", name))


@cache
def rack(name: str) -> Rack:
    """Return a rack type by any spelling of its name; KeyError carries the nearest names."""
    return _make(Rack, catalog.load("racks", name))


@cache
def mask(name: str) -> Mask:
    """Return a utility's limits by any spelling of its name; KeyError carries the nearest names."""
    return _make(Mask, catalog.load("masks", name))


@cache
def language_model(name: str) -> LanguageModel:
    """Return a model by any spelling of its name; KeyError carries the nearest names."""
    return _make(LanguageModel, catalog.load("models", name))


@cache
def diffusion_model(name: str) -> DiffusionModel:
    """Return a diffusion model by any spelling of its name; KeyError carries the nearest names."""
    return _make(DiffusionModel, catalog.load("diffusion", name))


@cache
def request_profile(name: str) -> RequestProfile:
    """Return a kind of request by its name; KeyError carries the nearest names."""
    return _make(RequestProfile, catalog.load("demand", name))


@cache
def power_path(name: str) -> PowerPath:
    """Return a chain of conversions by its name; KeyError carries the nearest names."""
    return _make(PowerPath, catalog.load("power_paths", name))


@cache
def grid_rule(name: str) -> GridRule:
    """Return what a grid asks of large loads by its name; KeyError carries the nearest names."""
    return _make(GridRule, catalog.load("grid_rules", name))


@cache
def failure_classes(fleet: str) -> tuple[FailureClass, ...]:
    """Return the failure classes of a fleet by its name in the catalog, those it includes last."""
    named = [catalog.load("failures", name) for name in failure_entries(fleet)]
    return tuple(_make(FailureClass, _spread(cls)) for entry in named for cls in entry["classes"])


def failure_entries(fleet: str) -> list[str]:
    """Return the catalog entries that make up a fleet, as the catalog writes them."""
    entry = catalog.load("failures", fleet)
    return [str(entry["name"]), *entry.get("includes", ())]


def _spread(cls: dict[str, Any]) -> dict[str, Any]:
    """Return a class whose spread between fleets, unless given, is the range of its rate taken as
    5th to 95th percentile of a lognormal."""
    rate = cls["rate"]
    if "spread" in cls or not catalog.is_figure(rate) or "range" not in rate:
        return cls
    low, high = (parse(text, "1/s") for text in rate["range"])
    return cls | {"spread": math.log(high / low) / (2.0 * NORMAL_95)}


@cache
def operations(name: str) -> Operations:
    """Return a practice of running a campus by its name in the catalog."""
    return Operations.model_validate({"practice": name})


@cache
def stack(name: str) -> Stack:
    """Return a software stack by its name or an earlier version of it; KeyError carries the nearest."""
    return _make(Stack, _newest("stacks", name))


@cache
def engine(name: str) -> Engine:
    """Return a serving engine by its name or an earlier version of it; KeyError carries the nearest."""
    return _make(Engine, _newest("engines", name))


def _newest(kind: str, name: str) -> dict[str, Any]:
    """Return the figures of an entry with a version in its name.

    A version that the catalog does not have is the newest older one of its family
    (`megatron-bridge-26.05` is 25.11).
    """
    try:
        entry = catalog.load(kind, name)
    except KeyError:
        family = re.match(r"(.+?)-v?(\d+(?:\.\d+)*)$", name.lower())
        if family is None:
            raise
        older = [n for n in catalog.names(kind) if _follows(n, *family.groups())]
        if not older:
            raise
        entry = catalog.load(kind, max(older, key=_version))
    return _extended(kind, entry)


def _extended(kind: str, entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry on top of the one it extends, key by key."""
    if "extends" not in entry:
        return entry
    base = _extended(kind, catalog.load(kind, entry["extends"]))
    return _over(base, {key: value for key, value in entry.items() if key != "extends"})


def _over(base: Any, top: Any) -> Any:
    if not isinstance(base, dict) or not isinstance(top, dict) or catalog.is_figure(top):
        return top
    return base | {key: _over(base.get(key), value) for key, value in top.items()}


def _follows(name: str, family: str, version: str) -> bool:
    """Tell whether a catalog entry is an older version of a family."""
    return name.startswith(f"{family}-") and _version(name) <= _numbers(version)


def _version(name: str) -> tuple[int, ...]:
    return _numbers(name.rpartition("-")[2])


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _make(kind: type[Made], figures: dict[str, Any]) -> Made:
    return kind.model_validate(catalog.plain(figures))
