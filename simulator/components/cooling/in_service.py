"""The coolant of a block with the units and pumps that are in service."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeGuard

import numpy as np
from numpy.typing import NDArray

from simulator.components.cooling._base import LOAD_FRAC, Array
from simulator.components.cooling.cold_plate import ColdPlate
from simulator.components.cooling.coolant_unit import CoolantUnit
from simulator.components.cooling.rack_side import Bath, RackSide

if TYPE_CHECKING:
    from simulator.components.rack import Rack

@dataclass(frozen=True)
class CoolantColumns:
    """The coolant of every block with all its units in service, arrays (blocks,)."""

    block_approach_k_w: Array
    block_pump_w: Array
    block_coolant_units: NDArray[np.int64]
    """Spares included; 0 where air cools."""
    block_liquid_w: Array
    """Design heat."""
    block_resistance_frac: Array
    """Thermal resistance of chips over that at rated flow."""
    block_by_load: Array
    """(blocks, 3, loads) `by_load`."""
    block_bath: Array
    """(blocks, 3) heat capacity, latent heat and boiling point of tanks; all zero where none is."""


@dataclass(frozen=True)
class BlockCoolant:
    """The same of one block."""

    units: int
    liquid_w: float
    coolant: Coolant
    by_load: Array
    bath: Bath | None


QUANTITIES, RESISTANCE = 3, 2
"""Rows of a table by load: approach in K/W, pump power in W, chips' resistance over rated."""


@dataclass(frozen=True)
class Coolant:
    """What the units of a block in service give together."""

    approach_k_w: float
    """Coolant over facility supply, K per W of the block's heat; infinite without any flow."""
    pump_w: float
    resistance_frac: float
    """Thermal resistance of the block's chips over that at rated flow."""


def of_block(unit: RackSide, rack: Rack | None, liquid_w: float) -> BlockCoolant:
    """Return the coolant of a block of racks with `liquid_w` of design heat; None: no chips there."""
    duty = math.ceil(liquid_w * (1.0 + unit.margin) / unit.unit)
    if rack is None or duty == 0:
        return BlockCoolant(0, 0.0, Coolant(0.0, 0.0, 1.0), _without_heat(unit), None)
    whole, pump_w = np.ones(duty), unit.pump_w(liquid_w)
    found = coolant(unit, rack.plate, whole, pump_w)
    if not rack.liquid_cooled:
        found = replace(found, resistance_frac=1.0)
    table = by_load(unit, rack.plate, whole, pump_w)
    if not rack.liquid_cooled:
        table[RESISTANCE] = 1.0
    return BlockCoolant(duty + unit.spare_units, liquid_w, found, table, unit.bath(liquid_w))


def columns(blocks: list[BlockCoolant]) -> CoolantColumns:
    """Return the columns of all blocks."""
    none = Bath(0.0, 0.0, 0.0)
    baths = [b.bath or none for b in blocks]
    return CoolantColumns(
        block_approach_k_w=np.array([b.coolant.approach_k_w for b in blocks]),
        block_pump_w=np.array([b.coolant.pump_w for b in blocks]),
        block_coolant_units=np.array([b.units for b in blocks]),
        block_liquid_w=np.array([b.liquid_w for b in blocks]),
        block_resistance_frac=np.array([b.coolant.resistance_frac for b in blocks]),
        block_by_load=np.stack([b.by_load for b in blocks]),
        block_bath=np.array([(b.mass_j_k, b.latent_j, b.boiling_c) for b in baths]),
    )


def coolant(unit: RackSide, plate: ColdPlate, flows: Array, pump_w: float) -> Coolant:
    """Return what the units on duty of a block give at some flows.

    Units share the heat, so that 1/approach adds up; the racks hang on all of them and get the mean
    of their flows.

    Parameters
    ----------
    flows : (units on duty,) flow over design; 0: out
    pump_w : power of all pumps at design flow
    """
    moved = pump_w * float(np.mean(flows**3))
    if not flows.any():
        return Coolant(math.inf, moved, unit.resistance_frac(plate, 0.0) if _bathed(unit) else 1.0)
    if np.all(flows == flows[0]):
        approach = unit.approach_k_per_w(flows.size * unit.unit, float(flows[0]))
    else:
        approach = 1.0 / sum(1.0 / unit.approach_k_per_w(unit.unit, f) for f in flows if f > 0.0)
    return Coolant(approach, moved, unit.resistance_frac(plate, float(np.mean(flows))))


def by_load(unit: RackSide, plate: ColdPlate, flows: Array, pump_w: float) -> Array:
    """Return the same for every load of `LOAD_FRAC`, (3, loads), of the block's design heat, where
    pumps follow it; no loads where they do not."""
    if not follows_load(unit) or not flows.any():
        return _without_heat(unit)
    found = [at_load(unit, plate, flows, pump_w, float(x)) for x in LOAD_FRAC]
    return np.array([(f.approach_k_w, f.pump_w, f.resistance_frac) for f in found]).T.copy()


def at_load(unit: RackSide, plate: ColdPlate, flows: Array, pump_w: float, load_frac: float) -> Coolant:
    """Return the same at a share of the block's design heat, which pumps may follow up to `flows`."""
    if not follows_load(unit) or not flows.any():
        return coolant(unit, plate, flows, pump_w)
    each = load_frac * (flows.size / np.count_nonzero(flows))
    slowed = np.array([unit.flow_at(each, f) if f > 0.0 else 0.0 for f in flows])
    return coolant(unit, plate, slowed, pump_w)


def by_facility_flow(unit: RackSide, facility_frac: float) -> float:
    """Return a unit's approach over that at design flow of the facility's water, some of whose pumps
    may stand; 1 where all flow, or none."""
    if not 0.0 < facility_frac < 1.0:
        return 1.0
    return unit.approach_k_per_w(unit.unit, 1.0, facility_frac) / unit.approach_k_per_w(unit.unit)


def _without_heat(unit: RackSide) -> Array:
    """Return the table of a block that has no coolant, in the shape of the others."""
    return np.zeros((QUANTITIES, len(LOAD_FRAC) if follows_load(unit) else 0))


def follows_load(unit: RackSide) -> TypeGuard[CoolantUnit]:
    """Return whether the pumps of a kind slow down as the heat falls."""
    return isinstance(unit, CoolantUnit) and unit.flow == "by_load"


def _bathed(unit: RackSide) -> bool:
    return unit.bath(unit.unit) is not None
