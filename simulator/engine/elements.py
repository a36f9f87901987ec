"""What the failures of a class can strike, by the names that stand in the event table."""

from simulator.components.failure_class import FailureClass
from simulator.engine import hazards, network_parts
from simulator.site import Site

UNIT_NAMES = {
    "block": "{0}", "flow": "{0}", "plant_unit": "{0}/unit {1}", "line": "{0}/{1}",
    "transformer": "{0}/{1}",
}
"""Name of one unit by effect, from its population's name and its number from 1. Effects that are
not here take racks."""


def rack_name(site: Site, rack: int) -> str:
    """Return the name of a rack."""
    return f"{site.hall_names[site.rack_hall[rack]]}/r{site.rack_number[rack] + 1:04d}"


def elements(site: Site, cls: FailureClass) -> dict[str, tuple[int, int]]:
    """Return (target, unit) of everything a class can strike, by name.

    The two numbers are what its effect takes (`engine/effects.py`): the rack, block, hall, loop or
    node of the power tree, and the unit inside it.
    """
    if cls.per in hazards.ON_RACKS:
        return {rack_name(site, r): (r, 0) for r in range(site.rack_row.size)}
    if cls.per in network_parts.POPULATIONS:
        return network_parts.elements(site, cls.per)
    targets, names, counts = hazards.units(site, cls)
    return {
        UNIT_NAMES[cls.effect].format(name, unit + 1): (int(target), unit)
        for target, name, count in zip(targets, names, counts, strict=True)
        for unit in range(count)
    }
