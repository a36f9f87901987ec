"""Scripted incidents: failures of the scenario's own choosing, through the same effects as drawn
ones."""

from collections.abc import Iterable

from simulator.components.failure_class import FailureClass
from simulator.components.incident import Incident
from simulator.engine import effects
from simulator.engine.elements import elements
from simulator.engine.world import World


def schedule(
    world: World, classes: Iterable[FailureClass], incidents: Iterable[Incident]
) -> None:
    """Let every incident happen at its time; KeyError if it names what is not there.

    An incident strikes whether or not its element is out already: racks wait for the last repair,
    a plant or a bank loses one more unit.
    """
    by_cause = {cls.name: cls for cls in classes}
    for incident in incidents:
        cls = by_cause[incident.cause]
        target, unit = elements(world.site, cls)[incident.element]
        _at(world, incident.at, cls, (target, unit), lasts_s(cls, incident))


def lasts_s(cls: FailureClass, incident: Incident) -> float:
    """Return how long the element stays out."""
    if cls.effect == "interrupt":
        return 0.0
    return cls.repair if incident.lasts is None else incident.lasts


def _at(
    world: World, at_s: float, cls: FailureClass, where: tuple[int, int], lasts_s: float
) -> None:
    key = (cls.name, *where)

    def strike() -> None:
        element = effects.EFFECTS[cls.effect](world, cls, *where, lasts_s)
        world.log("failure", element, cls.name, lasts_s, "scripted")
        back_s = world.env.now + lasts_s
        world.repaired_s[key] = max(world.repaired_s.get(key, 0.0), back_s)

    world.env.timeout(at_s).callbacks.append(lambda _: strike())
