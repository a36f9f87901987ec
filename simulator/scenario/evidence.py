"""The register of assumptions: the document's figures, the defaults it takes, the catalog's, and
the constants of the performance models."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel

from simulator import catalog
from simulator.components import from_catalog
from simulator.components.kinds import told
from simulator.components.sizing import rack_named
from simulator.performance.constants import constants
from simulator.scenario.spec import Scenario
from simulator.workloads import BatchWork, ServedDiffusion, models_of

_EVIDENCE = re.compile(r"\b(?:measured|vendor|derived|assumed)\b")


class Assumption(NamedTuple):
    """One figure behind a result: where it is used, what it says, who says so, how sure that is."""

    path: str
    value: str
    source: str
    evidence: str
    range: str | None
    note: str | None


def assumptions(scenario: Scenario) -> list[Assumption]:
    """Return the document's figures, the defaults it takes, the catalog figures it uses and the
    constants of the models that time its work."""
    own = [
        Assumption(f.path, f.text, f.source, f.evidence, _range(f.range), f.note or None)
        for f in scenario.document.figures
    ]
    used = sorted(set(_entries(scenario)))
    entries = [row for kind, name in used for row in _of_catalog(kind, name)]
    models = [Assumption(c.name, f"{c.value:g}", *c[2:], None) for c in constants()]
    return [*own, *defaults(scenario.spec), *entries, *models]


def defaults(spec: BaseModel, path: str = "") -> Iterator[Assumption]:
    """Yield every physical default that the document does not replace; zeros mean "none"."""
    plain = {key for key, value in spec if isinstance(value, float) and value} - spec.model_fields_set
    shown = spec.model_dump(mode="json", include=plain) if plain else {}
    for key in type(spec).model_fields:
        value, here = getattr(spec, key), f"{path}.{key}" if path else key
        if isinstance(value, BaseModel):
            yield from defaults(value, here)
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                if isinstance(item, BaseModel):
                    yield from defaults(item, f"{here}.{getattr(item, 'name', index)}")
        elif key in shown:  # what another figure stands for is not written
            text = " ".join(told(type(spec)).get(key, key).split())
            source = f"default of {type(spec).__name__}: {text}"
            yield Assumption(here, str(shown[key]), source, _evidence(text), None, None)


def _evidence(told: str) -> str:
    """Return the class of evidence a description names; what names none is assumed."""
    found = _EVIDENCE.search(told)
    return found.group() if found else "assumed"


def _entries(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Yield (kind, name as the catalog writes it) of everything the scenario takes from it."""
    spec, topology = scenario.spec, scenario.spec.topology
    own = {rack.name for rack in topology.racks}
    for name in (n for h in topology.halls for n in (h.rack, *(s.rack for s in h.support))):
        rack = rack_named(topology, name)
        if name not in own:
            yield "racks", rack.name
        if rack.accelerator is not None:
            yield "accelerators", from_catalog.accelerator(rack.accelerator).name
    for path in {hall.path for hall in topology.halls if hall.path}:
        yield "power_paths", from_catalog.power_path(path).name
    for work in spec.workloads:
        for name in models_of(work):
            yield "models", from_catalog.language_model(name).name
        if isinstance(work, ServedDiffusion):
            yield "diffusion", from_catalog.diffusion_model(work.generator).name
        requests = getattr(work, "requests", None)
        if requests and requests.profile:
            yield "demand", from_catalog.request_profile(requests.profile).name
        if requests and requests.languages:
            yield "languages", "premiums"
        for cls in getattr(work, "classes", ()):
            if cls.profile:
                yield "demand", from_catalog.request_profile(cls.profile).name
        if isinstance(work, BatchWork):
            for name in work.accelerators:
                yield "accelerators", from_catalog.accelerator(name).name
    if spec.operations is not None:
        yield "operations", spec.operations.practice
    yield from (("failures", n) for n in from_catalog.failure_entries(spec.reliability.fleet))


def _of_catalog(kind: str, name: str) -> Iterator[Assumption]:
    for path, figure in catalog.evidenced(kind, name):
        yield Assumption(
            f"catalog.{kind}.{name}.{path}",
            _written(figure["value"]),
            figure["source"],
            figure["evidence"],
            _range(figure.get("range")),
            figure.get("note"),
        )


def _range(limits: Any) -> str | None:
    return f"{_written(limits[0])} to {_written(limits[1])}" if limits else None


def _written(value: Any) -> str:
    """Return a value as it would stand in YAML."""
    return str(value).lower() if isinstance(value, bool) else str(catalog.plain(value))
