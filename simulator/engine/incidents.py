"""Scripted incidents: failures of the scenario's own choosing, through the same effects as drawn
ones."""

from collections.abc import Iterable

from simulator.components.failure_class import FailureClass
from simulator.components.incident import Incident
from simulator.engine import effects
from simulator.engine.elements import elements
from simulator.engine.outage_log import Repair, of_one_stage
from simulator.engine.repair import AllIn, Shop
from simulator.engine.world import World


def schedule(
    world: World, classes: Iterable[FailureClass], incidents: Iterable[Incident],
    shop: AllIn | Shop | None = None,
) -> None:
    """Let every incident happen at its time; KeyError if it names what is not there.

    One without a duration lasts the median repair of its class: that of the shop, with the crews and
    parts that are free then, where the scenario has one.

    An incident strikes whether or not its element is out already: that then stays out for the longer of
    the two. Of what has no number of its own (links of a trunk, servers of support racks) one more goes out.
    """
    by_cause = {cls.name: cls for cls in classes}
    for incident in incidents:
        cls = by_cause[incident.cause]
        target, unit = elements(world.site, cls)[incident.element]
        _at(world, incident, cls, (target, unit), shop or AllIn())


def repair_of(cls: FailureClass, incident: Incident, now_s: float, shop: AllIn | Shop) -> Repair:
    """Return how an incident that happens now ends."""
    if incident.lasts is None:
        return shop.plan(cls, now_s, False, 0.0)
    return of_one_stage("repair", now_s + incident.lasts, incident.lasts <= cls.reset)


def _at(
    world: World, incident: Incident, cls: FailureClass, where: tuple[int, int],
    shop: AllIn | Shop,
) -> None:
    key = (cls.name, *where)

    def strike() -> None:
        repair = repair_of(cls, incident, world.env.now, shop)
        effects.inflict(world, cls, *where, repair, "scripted")
        lasts_s = 0.0 if cls.effect == "interrupt" else repair.back_s - world.env.now
        world.repaired_s[key] = max(world.repaired_s.get(key, 0.0), world.env.now + lasts_s)

    world.env.timeout(incident.at).callbacks.append(lambda _: strike())
