"""Coolant between racks and facility water: enough of it, moved by pumps that can move it."""

from collections.abc import Iterator

from simulator.components.cooling import CoolantUnit
from simulator.components.cooling.cold_plate import LEAST_FLOW_M3_J, RATED_FLOW_M3_J
from simulator.components.cooling.fluids import Fluid, flow_m3_j, volume_flow_m3_s
from simulator.components.cooling.two_phase_immersion import TwoPhaseImmersion
from simulator.scenario.checks.plant import Group, Plant
from simulator.scenario.parts import Parts
from simulator.scenario.wording import Trouble

LITRES_MIN_KW = 60.0 * 1000.0 * 1000.0
"""L/min per kW in one m3/s per W."""
AT = ("topology", "cooling", "coolant_unit")


def too_little_flow(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Racks on cold plates with less coolant than their chips can do with."""
    unit = plant.topology.cooling.coolant_unit
    if not isinstance(unit, CoolantUnit):
        return
    told = False
    for g in _on_plates(plant):
        chips_w = g.rack.accelerators * g.chip.tdp
        least_m3_s = LEAST_FLOW_M3_J * chips_w
        if g.rack.coolant_flow and volume_flow_m3_s(unit.fluid, g.rack.coolant_flow) < least_m3_s:
            yield _path_of(parts, g), _dry(g, unit.fluid, g.rack.coolant_flow)
        heat_w = g.rack.nameplate * g.rack.liquid_fraction
        if flow_m3_j(unit.fluid, unit.range) * heat_w < least_m3_s and not told:
            told = True
            yield (*AT, "range"), _stretched(g, unit, least_m3_s / heat_w)


def pressure(parts: Parts) -> Iterator[Trouble]:
    """Coolant pumps whose power is less than what they would do to the coolant."""
    if parts.topology is None:
        return
    unit = parts.topology.cooling.coolant_unit
    if isinstance(unit, CoolantUnit) and 0.0 < unit.pump < unit.hydraulic_share():
        told = (
            f"{100.0 * unit.pump:.3g} % of the heat cannot give {unit.head / 1e3:.4g} kPa to coolant "
            f"that warms by {unit.range:g} K: that takes {100.0 * unit.hydraulic_share():.3g} % "
            "without any loss; lower 'head', or raise 'pump'"
        )
        yield (*AT, "pump"), told


def head_below_loop(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Pumps that cannot push the rated flow through racks and exchanger."""
    unit = plant.topology.cooling.coolant_unit
    if not isinstance(unit, CoolantUnit):
        return
    for g in _on_plates(plant):
        share = flow_m3_j(unit.fluid, unit.range) / RATED_FLOW_M3_J
        loop_pa = unit.own_drop + g.rack.plate.drop_pa(share)
        if loop_pa > unit.head:
            told = (
                f"pumps of {unit.head / 1e3:.4g} kPa cannot push the design flow through the loop of "
                f"hall '{g.hall.name}': {unit.own_drop / 1e3:.4g} kPa of exchanger and pipes and "
                f"{g.rack.plate.drop_pa(share) / 1e3:.4g} kPa of rack {g.rack.name}"
            )
            yield (*AT, "head"), told
            return


def above_boiling(parts: Parts) -> Iterator[Trouble]:
    """Condensers whose water is too warm to condense what boils."""
    if parts.topology is None:
        return
    cooling = parts.topology.cooling
    unit = cooling.coolant_unit
    if isinstance(unit, TwoPhaseImmersion) and cooling.supply > unit.boiling:
        told = (
            f"a condenser {unit.approach:g} K below {cooling.supply:g} degC does not carry design heat "
            f"of a fluid that boils at {unit.boiling:g} degC; stay at or below that"
        )
        yield ("topology", "cooling", "supply"), told


def _on_plates(plant: Plant) -> list[Group]:
    return [g for g in plant.groups if g.rack.liquid_cooled]


def _path_of(parts: Parts, group: Group) -> tuple[str | int, ...]:
    """Return where a rack type's flow stands: with the site's own racks, or the hall that names it."""
    for i, rack in parts.racks.items():
        if rack.name == group.rack.name:
            return ("topology", "racks", i, "coolant_flow")
    return ("topology", "halls", group.index, "rack")


def _dry(group: Group, fluid: Fluid, flow_kg_s: float) -> str:
    chips_w = group.rack.accelerators * group.chip.tdp
    given = volume_flow_m3_s(fluid, flow_kg_s)
    return (
        f"rack {group.rack.name} gets {given / chips_w * LITRES_MIN_KW:.3g} L/min per kW of its "
        f"{group.rack.accelerators} {group.chip.name} of {group.chip.tdp:g} W; cold plates need "
        f"{LEAST_FLOW_M3_J * LITRES_MIN_KW:.3g}, {LEAST_FLOW_M3_J * chips_w * 6e4:.4g} L/min"
    )


def _stretched(group: Group, unit: CoolantUnit, least_m3_j: float) -> str:
    most_k = 1.0 / (least_m3_j / flow_m3_j(unit.fluid, 1.0))
    return (
        f"coolant that warms by {unit.range:g} K is too little for rack {group.rack.name}: its "
        f"{group.chip.name} need {LEAST_FLOW_M3_J * LITRES_MIN_KW:.3g} L/min per kW; stay below "
        f"{most_k:.3g} K"
    )
