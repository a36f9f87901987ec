"""Temperatures against each other and against what the chips stand."""

import math
from collections.abc import Iterator
from typing import Any

from simulator.components.cooling import PlantSpec
from simulator.components.cooling.rear_door import RearDoor
from simulator.components.sizing import plant_setpoint_c
from simulator.documents import Document
from simulator.errors import nearest
from simulator.policies.setpoint import SETPOINTS
from simulator.scenario.checks.plant import Group, Plant
from simulator.scenario.parts import Parts
from simulator.scenario.spec import weather_folder
from simulator.scenario.wording import Trouble
from simulator.weather import WeatherError, for_period, read_once

LEAST_WORK = 0.5
"""Share of a chip's dynamic power below which a hall is not worth its coolant."""
HOUR_S = 3600.0
ROUNDING_K = 1e-6
DRIVES = ("held_head", "least_flow")
"""Keys of `PlantSpec` that tell of drives."""


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


def below_reach(parts: Parts) -> Iterator[Trouble]:
    """Water colder than its plant makes on the design day of its own kind."""
    if parts.topology is None:
        return
    cooling = parts.topology.cooling
    for key, plant, asked_c in (
        ("supply", cooling.warm, plant_setpoint_c(parts.topology)),
        ("chilled_supply", cooling.chilled, cooling.chilled_supply),
    ):
        reach_c = plant.reach_c()
        if reach_c is not None and asked_c < reach_c - ROUNDING_K:
            told = (
                f"the {_kind(plant)} is to deliver {asked_c:.4g} degC, but at full heat on its own "
                f"design day it reaches {reach_c:.4g} degC; raise {key}, or change the design"
            )
            yield ("topology", "cooling", key), told


def unknown_setpoint(parts: Parts) -> Iterator[Trouble]:
    """A set-point policy that is none, whatever else is wrong with the topology."""
    for key in ("setpoint", "chilled_setpoint"):
        path = ("topology", "cooling", key, "policy")
        name: Any = parts.tree
        for step in path:
            name = name.get(step) if isinstance(name, dict) else None
        if isinstance(name, str) and name not in SETPOINTS:
            near, known = nearest(name, SETPOINTS), ", ".join(sorted(SETPOINTS))
            yield path, f"'{name}' is not known{near}; one of {known}"


def lowest_above_fixed(parts: Parts) -> Iterator[Trouble]:
    """A set-point policy whose coldest water is warmer than what serves design heat."""
    if parts.topology is None:
        return
    cooling = parts.topology.cooling
    for key, spec, fixed_c in (
        ("setpoint", cooling.setpoint, plant_setpoint_c(parts.topology)),
        ("chilled_setpoint", cooling.chilled_setpoint, cooling.chilled_supply),
    ):
        if spec.lowest_c(fixed_c) > fixed_c + ROUNDING_K:
            told = (
                f"the policy may set no colder than {spec.lowest_c(fixed_c):.4g} degC, but the plant "
                f"must deliver {fixed_c:.4g} degC at design heat; lower it"
            )
            yield ("topology", "cooling", key, "lowest"), told


def unused_setpoint(parts: Parts) -> Iterator[Trouble]:
    """Figures of a set-point policy that the fixed one does not look at."""
    if parts.topology is None:
        return
    for key in ("setpoint", "chilled_setpoint"):
        spec = getattr(parts.topology.cooling, key)
        for name in sorted(spec.model_fields_set - {"policy"}) if spec.policy == "fixed" else ():
            if getattr(spec, name) == type(spec).model_fields[name].default:
                continue  # a resolved document says every default
            told = "the policy `fixed` does not look at it; name another, or leave it out"
            yield ("topology", "cooling", key, name), told


def unused_drives(parts: Parts) -> Iterator[Trouble]:
    """Figures of drives on loop pumps that have none."""
    if parts.topology is None:
        return
    for key in ("warm", "chilled"):
        plant = getattr(parts.topology.cooling, key)
        for name in DRIVES if plant.pump_speed == "constant" else ():
            if getattr(plant, name) == type(plant).model_fields[name].default:
                continue  # a resolved document says every default
            told = "pumps at constant speed do not look at it; say `pump_speed: variable`, or leave it out"
            yield ("topology", "cooling", key, name), told


def too_cold_for_users(parts: Parts) -> Iterator[Trouble]:
    """Users who ask for heat warmer than the warm loop returns at design heat."""
    if parts.topology is None or parts.topology.cooling.heat_reuse is None:
        return
    cooling, spec = parts.topology.cooling, parts.topology.cooling.heat_reuse
    most_c = plant_setpoint_c(parts.topology) + cooling.warm.range
    if spec.leaving_c >= most_c:
        told = (
            f"users ask for {spec.temperature:g} degC, but at design heat the warm loop returns at "
            f"{most_c:.4g} degC and the exchangers need {spec.approach:g} K; raise supply or the "
            "plant's range, or let users have a heat pump and ask for less"
        )
        yield ("topology", "cooling", "heat_reuse", "temperature"), told


def drought_after_the_run(parts: Parts) -> Iterator[Trouble]:
    """A drought that begins when the run is over."""
    if parts.topology is None or parts.period is None:
        return
    for i, drought in enumerate(parts.topology.cooling.water.droughts):
        if drought.at >= parts.period.duration:
            told = "the drought begins after the end of the run"
            yield ("topology", "cooling", "water", "droughts", i, "at"), told


def frozen(parts: Parts, document: Document) -> Iterator[Trouble]:
    """Plants without frost protection in a run with air below freezing."""
    topology, source, period = parts.topology, parts.weather, parts.period
    if topology is None or source is None or period is None:
        return
    bare = [key for key in ("warm", "chilled") if getattr(topology.cooling, key).freezes()]
    if not bare:
        return
    try:
        found = read_once(source, weather_folder(source, document))
        air = for_period(found, period.start, math.ceil(period.duration / HOUR_S))
    except (WeatherError, OSError):  # told by the check of the weather itself
        return
    hours, coldest_c = int((air.dry_bulb_c < 0.0).sum()), float(air.dry_bulb_c.min())
    for key in bare if hours else ():
        told = (
            f"the {_kind(getattr(topology.cooling, key))} has no frost protection, and the air is "
            f"below freezing in {hours} hours of the run, down to {coldest_c:.3g} degC"
        )
        yield ("topology", "cooling", key, "frost_protection"), told


def _kind(plant: PlantSpec) -> str:
    """Return the kind's name as an author writes it."""
    return str(type(plant).model_fields["kind"].default)


def above_chip_limit(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Coolant or air so warm that chips throttle at half power already."""
    cooling = plant.topology.cooling
    told: set[str] = set()
    for g in plant.groups:
        liquid = g.rack.liquid_cooled
        key = "supply" if liquid else "chilled_supply"
        coolant_c = (
            cooling.coolant_unit.coolant_c(cooling.supply) if liquid
            else cooling.fan_wall.supply_air_c(cooling.chilled_supply)
        )  # fmt: skip
        if coolant_c + _rise_k(g) >= g.chip.throttle_start and key not in told:
            told.add(key)
            yield ("topology", "cooling", key), _too_warm(g, coolant_c)


def intake_above_limit(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Air in which racks switch themselves off with all cooling in service."""
    cooling = plant.topology.cooling
    intake_c, mixed_k = cooling.fan_wall.supply_air_c(cooling.chilled_supply), cooling.fan_wall.mixed_k()
    for g in plant.groups:
        weakest = min([g.rack, *(rack for rack, _ in g.support)], key=lambda rack: rack.intake_shutdown)
        off_c = weakest.intake_shutdown
        if intake_c >= off_c:
            at = ("fan_wall", "recirculation") if intake_c - mixed_k < off_c else ("chilled_supply",)
            told = (
                f"racks of hall '{g.hall.name}' take in air of {intake_c:.4g} degC with all cooling in service"
                f"{f', {mixed_k:.3g} K of it from their own exhaust' if mixed_k else ''}; {weakest.name} is off at "
                f"{off_c:g} degC"
            )
            yield ("topology", "cooling", *at), told
            return


def _rise_k(group: Group) -> float:
    """Return chip over coolant temperature at half power."""
    chip = group.chip
    return group.rack.resistance_k_w(chip) * (chip.idle + LEAST_WORK * (chip.tdp - chip.idle))


def _too_warm(group: Group, coolant_c: float) -> str:
    chip = group.chip
    most_c = chip.throttle_start - _rise_k(group)
    return (
        f"the chips of hall '{group.hall.name}' get {coolant_c:g} degC: {chip.name} throttles "
        f"({chip.throttle_start:g} degC) at half power already; stay below {most_c:.3g} degC"
    )


def coils_out_of_reach(parts: Parts) -> Iterator[Trouble]:
    """Air closer to chilled water than any coil brings it."""
    if parts.topology is None:
        return
    cooling = parts.topology.cooling
    try:
        cooling.fan_wall.coil(cooling.chilled.range)
    except ValueError:
        told = (
            f"no coil cools air by {cooling.fan_wall.range:g} K to {cooling.fan_wall.approach:g} K above water "
            f"that warms by {cooling.chilled.range:g} K; raise approach, or lower the chilled plant's range"
        )
        yield ("topology", "cooling", "fan_wall", "approach"), told


def beyond_the_doors(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Racks that give more heat to air than their rear doors take."""
    doors = plant.topology.cooling.fan_wall
    if not isinstance(doors, RearDoor):
        return
    for g in plant.groups:
        air_w = g.rack.nameplate * (1.0 - g.rack.liquid_fraction)
        if air_w > doors.unit * (1.0 + doors.margin):
            told = (
                f"{g.rack.name} of hall '{g.hall.name}' gives {air_w / 1e3:.3g} kW to air, more than "
                f"the {doors.unit * (1.0 + doors.margin) / 1e3:.3g} kW of its rear door with its margin"
            )
            yield ("topology", "cooling", "fan_wall", "unit"), told
