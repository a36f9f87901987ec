"""Temperatures against each other and against what the chips stand."""

from collections.abc import Iterator

from simulator.scenario.checks.plant import Group, Plant
from simulator.scenario.parts import Parts
from simulator.scenario.wording import Trouble

LIQUID_FROM = 0.5
"""Share of a rack's heat in its cold plates from which its chips sit on them."""
LEAST_WORK = 0.5
"""Share of a chip's dynamic power below which a hall is not worth its coolant."""


def chilled_above_warm(parts: Parts) -> Iterator[Trouble]:
    """Chilled water that is no colder than the warm loop."""
    if parts.topology is None:
        return
    cooling = parts.topology.cooling
    if cooling.chilled_supply >= cooling.supply:
        told = (
            f"chilled water of {cooling.chilled_supply:g} degC is not below the cold plates' "
            f"supply of {cooling.supply:g} degC; are the two exchanged?"
        )
        yield ("topology", "cooling", "chilled_supply"), told


def above_chip_limit(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Coolant or air so warm that chips throttle at half power already."""
    cooling = plant.topology.cooling
    told: set[str] = set()
    for g in plant.groups:
        liquid = g.rack.liquid_fraction >= LIQUID_FROM
        key = "supply" if liquid else "chilled_supply"
        coolant_c = (
            cooling.supply if liquid else cooling.fan_wall.supply_air_c(cooling.chilled_supply)
        )
        if coolant_c + _rise_k(g) >= g.chip.throttle_start and key not in told:
            told.add(key)
            yield ("topology", "cooling", key), _too_warm(g, coolant_c)


def _rise_k(group: Group) -> float:
    """Return chip over coolant temperature at half power."""
    chip = group.chip
    return chip.thermal_resistance * (chip.idle + LEAST_WORK * (chip.tdp - chip.idle))


def _too_warm(group: Group, coolant_c: float) -> str:
    chip = group.chip
    most_c = chip.throttle_start - _rise_k(group)
    return (
        f"the chips of hall '{group.hall.name}' get {coolant_c:g} degC: {chip.name} throttles "
        f"({chip.throttle_start:g} degC) at half power already; stay below {most_c:.3g} degC"
    )
