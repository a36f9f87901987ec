"""Ratings against what hangs below them: where kW for MW, or MW for GW, shows."""

from collections.abc import Iterator
from typing import Any

from simulator.components.power.bank import Bank
from simulator.errors import nearest
from simulator.policies.capping import CAPPINGS
from simulator.scenario.checks.plant import Group, Plant, watts
from simulator.scenario.parts import Parts
from simulator.scenario.wording import Trouble

CONNECTION_SHARE = 0.5
"""Campuses oversubscribe their connection; less than half of the nameplate below it is a slip."""
FAR_ABOVE = 500.0
"""A connection this many times the nameplate below it is a slip of a unit."""

SHORTEST_S, LONGEST_S = 10.0, 30.0 * 86_400.0
"""How long batteries last at their rated power; beyond that a unit slipped."""


def feeders_below_racks(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Hall feeders that cannot carry the hall's racks with one out (a single one: at all), where the
    racks are not as many as the feeders take."""
    for g in plant.groups:
        feeders = g.hall.feeders
        firm_w = plant.capacity_w(feeders.capacity_va(out=1 if feeders.units > 1 else 0))
        own = plant.topology.control.oversubscription.feeders
        if own is not None and g.hall.racks_per_block is None:
            continue
        if g.nameplate_w > firm_w * (1.0 + (plant.topology.oversubscription if own is None else own)):
            yield ("topology", "halls", g.index, "feeders", "rating"), _feeders(g, firm_w)


def connection_below_halls(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Lines or main transformers far below the halls."""
    below_w = _nameplate_w(plant)
    for key, bank in _connection(plant):
        capacity_w = plant.capacity_w(bank.capacity_va())
        if capacity_w < CONNECTION_SHARE * below_w:
            told = (
                f"all {bank.units} carry {watts(capacity_w)}, less than half of the "
                f"{watts(below_w)} of racks below: a slip of a unit (kVA, MVA, GVA)?"
            )
            yield ("topology", "grid", key, "rating"), told


def connection_oversubscribed(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Halls whose racks are counted by hand beyond what the site allows itself over its firm import."""
    most = plant.topology.control.oversubscription.connection
    firm_w, limit = plant.topology.grid.firm_w()
    below_w = _nameplate_w(plant)
    by_hand = any(hall.racks_per_block is not None for hall in plant.topology.halls)
    if most is not None and by_hand and below_w > firm_w * (1.0 + most):
        told = (
            f"{watts(below_w)} of racks by nameplate are {below_w / firm_w - 1.0:.0%} over the firm "
            f"import of {watts(firm_w)} ({limit}), more than the {most:.0%} allowed"
        )
        yield ("topology", "control", "oversubscription", "connection"), told


def unknown_capping(parts: Parts) -> Iterator[Trouble]:
    """A capping policy that is none, whatever else is wrong with the topology."""
    name: Any = parts.tree.get("topology")
    for key in ("control", "policy"):
        name = name.get(key) if isinstance(name, dict) else None
    if not isinstance(name, str) or name in CAPPINGS:
        return
    told = f"'{name}' is not known{nearest(name, CAPPINGS)}; one of {', '.join(sorted(CAPPINGS))}"
    yield ("topology", "control", "policy"), told


def connection_far_above_halls(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Lines or main transformers hundreds of times what the halls can draw."""
    below_w = _nameplate_w(plant)
    for key, bank in _connection(plant):
        capacity_w = plant.capacity_w(bank.capacity_va())
        if below_w > 0.0 and capacity_w > FAR_ABOVE * below_w:
            told = (
                f"all {bank.units} carry {watts(capacity_w)}, {capacity_w / below_w:.0f} times the "
                f"{watts(below_w)} of racks below: a slip of a unit (kVA, MVA, GVA)?"
            )
            yield ("topology", "grid", key, "rating"), told


def contract_above_equipment(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """An import contract that the equipment can never use."""
    grid = plant.topology.grid
    most_w, what = min(
        (plant.capacity_w(bank.capacity_va()), key) for key, bank in _connection(plant)
    )
    if grid.import_limit is not None and grid.import_limit > most_w:
        told = f"{watts(grid.import_limit)} is more than all {what} carry, {watts(most_w)}"
        yield ("topology", "grid", "import_limit"), told


def idle_above_firm_import(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """A campus whose idle racks alone need more than the firm import."""
    firm_w, limit = plant.topology.grid.firm_w()
    idle_w = sum(g.hall.count * g.idle_w for g in plant.groups)
    slip = [*connection_below_halls(parts, plant), *house_above_racks(parts, plant)]
    if idle_w > firm_w and not slip:
        told = (
            f"overloaded at rest: the idle campus draws {watts(idle_w)}, the firm import is "
            f"{watts(firm_w)} ({limit})"
        )
        yield ("topology", "grid", *_binding(plant, limit)), told


def house_above_racks(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Lights and offices that draw more than the racks of their hall."""
    for g in plant.groups:
        if g.hall.house > g.nameplate_w:
            told = (
                f"{watts(g.hall.house)} for lights, controls and offices is more than the racks "
                f"of the hall, {watts(g.nameplate_w)}: a slip of a unit?"
            )
            yield ("topology", "halls", g.index, "house"), told


def mechanical_far_below_halls(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Unit substations of plants of which a hall would need hundreds."""
    rating_w = plant.topology.mechanical.rating * plant.topology.grid.power_factor
    for g in plant.groups:
        if rating_w * FAR_ABOVE < g.nameplate_w:
            told = (
                f"one of {watts(rating_w)} is less than a {FAR_ABOVE:.0f}th of the racks of hall "
                f"'{g.hall.name}', {watts(g.nameplate_w)}, whose plants hang on them: a slip of a unit (kVA, MVA)?"
            )
            yield ("topology", "mechanical", "rating"), told
            return


def odd_battery(parts: Parts) -> Iterator[Trouble]:
    """A battery that is empty at once, or never."""
    battery = parts.topology.battery if parts.topology else None
    if battery is not None:
        lasts_s = battery.energy / battery.power
        if not SHORTEST_S <= lasts_s <= LONGEST_S:
            told = (
                f"at {watts(battery.power)} the battery lasts {lasts_s:.4g} s, not between "
                "10 s and 30 days: a slip of a unit (kWh, MWh, GWh)?"
            )
            yield ("topology", "battery", "energy"), told


def _feeders(group: Group, firm_w: float) -> str:
    count = group.hall.feeders.units
    state = f"{count} feeders with one out" if count > 1 else "its only feeder"
    return (
        f"{state} carry {watts(firm_w)}, the racks of hall '{group.hall.name}' need "
        f"{watts(group.nameplate_w)} by nameplate"
    )


def _binding(plant: Plant, limit: str) -> tuple[str, ...]:
    """Return the key, below `grid`, of what limits the firm import."""
    for key, bank in _connection(plant):
        if key in limit:
            return key, "rating" if bank.units > 1 else "count"
    return ("import_limit",)


def _connection(plant: Plant) -> tuple[tuple[str, Bank], ...]:
    grid = plant.topology.grid
    return ("lines", grid.lines), ("transformers", grid.transformers)


def _nameplate_w(plant: Plant) -> float:
    return sum(g.hall.count * g.nameplate_w for g in plant.groups)
