"""What the failures of a class can strike, by the names that stand in the event table."""

from simulator.components.failure_class import FailureClass
from simulator.engine import network_parts, populations
from simulator.site import Site

UNIT_NAMES = {
    "interrupt": "{0}", "push": "{0}", "support": "{0}", "block": "{0}", "feed": "{0}",
    "mv_bus": "{0}", "mv_branch": "{0}",
    "transfer": "{0}/transfer switch", "plant_unit": "{0}/unit {1}",
    "plant_fan": "{0}/unit {1}/fan", "line": "{0}/{1}", "transformer": "{0}/{1}",
    "loop_pump": "{0}/pump {1}", "air_unit": "{0}/air unit {1}", "mechanical": "{0}/{1}",
    "sag": "{0}", "feeder": "{0}/{1}", "generator": "{0}/{1}", "ups": "{0}/module {1}",
    "battery_unit": "{0}/{1}", "rack_battery": "{0}/rack battery {1}",
}  # fmt: skip
"""Name of one unit by effect, from its population's name and its number from 1. Effects that are
not here take racks or name their units themselves."""

BREAKERS = {
    "feeder_breaker": "/breaker", "substation_breaker": "/substation/breaker",
    "busway_breaker": "/busway/breaker",
}  # fmt: skip
"""What the name of a single breaker has after that of the element it belongs to. A substation and a
busway of one block are called after the block: their breakers say which they are of, unless the
element's own name does."""


def rack_name(site: Site, rack: int) -> str:
    """Return the name of a rack."""
    return _rack(site.hall_names[site.rack_hall[rack]], int(site.rack_number[rack]))


def _rack(hall: str, number: int) -> str:
    return f"{hall}/r{number + 1:04d}"


def coolant_unit_name(block: str, unit: int) -> str:
    """Return the name of a coolant unit: `train-03/b02/cdu 1`."""
    return f"{block}/cdu {unit + 1}"


def coolant_pump_name(block: str, unit: int, pumps: int) -> str:
    """Return the name of a pump: `train-03/b02/cdu 1/pump 2`."""
    return f"{coolant_unit_name(block, unit // pumps)}/pump {unit % pumps + 1}"


def elements(site: Site, cls: FailureClass) -> dict[str, tuple[int, int]]:
    """Return (target, unit) of everything a class can strike, by name.

    The two numbers are what its effect takes (`engine/effects.py`): the rack, block, hall, loop or
    node of the power tree, and the unit inside it.
    """
    if cls.per in populations.ON_RACKS:
        halls, numbers = site.rack_hall.tolist(), site.rack_number.tolist()
        return {_rack(site.hall_names[h], n): (r, 0) for r, (h, n) in enumerate(zip(halls, numbers, strict=True))}
    if cls.per in network_parts.POPULATIONS:
        return network_parts.elements(site, cls.per)
    of = populations.units(site, cls.per)
    groups = {group[0]: group for group in site.stand_ins} if cls.effect == "feed" else {}
    first = of.first or [0] * len(of.counts)
    return {
        named(cls, start + k, site.nodes[groups[int(target)][k]].name if int(target) in groups
              else _unit_name(site, cls, name, start + k, count)): (int(target), start + k)
        for target, name, start, count in zip(of.targets, of.names, first, of.counts, strict=True)
        for k in range(count)
    }  # fmt: skip


def named(cls: FailureClass, unit: int, element: str) -> str:
    """Return the name of what a class strikes: the element, or a breaker of its own."""
    if cls.per == "mv_branch_breaker":
        return f"{element}/breaker {unit + 1}"
    ending = BREAKERS.get(cls.per, "")
    kind, own = ending[: ending.rfind("/")], element[element.rfind("/") :]
    return element + ending.removeprefix(kind) if kind and own.startswith(kind) else element + ending


def _unit_name(site: Site, cls: FailureClass, name: str, unit: int, count: int) -> str:
    if cls.effect == "flow":
        return coolant_unit_name(name, unit)
    if cls.effect == "pump":
        return coolant_pump_name(name, unit, site.topology.cooling.coolant_unit.pumps)
    side = f"/side {unit + 1}" if cls.effect in ("block", "feed") and count == 2 else ""
    return UNIT_NAMES[cls.effect].format(name, unit + 1) + side
