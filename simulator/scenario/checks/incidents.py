"""Scripted incidents: causes of the fleet, elements that exist, within the period."""

from collections.abc import Iterator

from simulator.components import from_catalog
from simulator.components.failure_class import FailureClass
from simulator.components.incident import Incident
from simulator.engine.elements import elements
from simulator.errors import nearest
from simulator.scenario.checks.plant import Plant
from simulator.scenario.parts import Parts
from simulator.scenario.wording import Trouble
from simulator.site import compile_site

SHOWN = 4
"""Elements listed when none is like the one that was named."""


def unknown_cause(parts: Parts) -> Iterator[Trouble]:
    """Causes that the fleet's failure classes do not have."""
    classes = _classes(parts)
    for i, incident in parts.incidents.items():
        if classes and incident.cause not in classes:
            cure = nearest(incident.cause, classes) or f"; the fleet has {', '.join(classes)}"
            yield ("incidents", i, "cause"), f"unknown failure class '{incident.cause}'{cure}"


def odd_time(parts: Parts) -> Iterator[Trouble]:
    """Incidents after the end of the run, or that last where nothing is taken out."""
    classes = _classes(parts)
    for i, incident in parts.incidents.items():
        if parts.period is not None and incident.at >= parts.period.duration:
            told = f"{incident.at:g} s is not before the end of the run, "
            yield ("incidents", i, "at"), f"{told}{parts.period.duration:g} s after its start"
        cls = classes.get(incident.cause)
        if cls is not None and cls.effect == "interrupt" and incident.lasts is not None:
            told = f"'{cls.name}' takes nothing out of service and has no duration; leave it out"
            yield ("incidents", i, "lasts"), told


def unknown_element(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Elements that are not built, or that the cause cannot strike."""
    classes = _classes(parts)
    if not parts.incidents or any(g.per_block == 0 for g in plant.groups):
        return
    for i, incident in parts.incidents.items():
        if incident.cause in classes:
            told = _not_there(incident, classes[incident.cause], plant)
            if told:
                yield ("incidents", i, "element"), told


def _not_there(incident: Incident, cls: FailureClass, plant: Plant) -> str:
    known = elements(compile_site(plant.topology), cls)
    if incident.element in known:
        return ""
    if not known:
        return f"there is nothing here that '{cls.name}' could strike"
    names = list(known)
    listed = ", ".join(names[:SHOWN]) + (f", ... {names[-1]}" if len(names) > SHOWN else "")
    cure = nearest(incident.element, names) or f"; there are {listed}"
    return f"no element '{incident.element}' that '{cls.name}' could strike{cure}"


def _classes(parts: Parts) -> dict[str, FailureClass]:
    """Return the classes of the fleet by name, nothing if the fleet is not known."""
    if parts.reliability is None:
        return {}
    try:
        found = from_catalog.failure_classes(parts.reliability.fleet)
    except KeyError:
        return {}
    return {cls.name: cls for cls in found}
