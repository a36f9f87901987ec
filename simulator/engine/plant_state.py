"""What of the plants, pumps and fan walls of a site runs, and the columns of heat that waits."""

import math
from dataclasses import dataclass, field

import numpy as np

from simulator.kernels.cooling_columns import CHANGES, HeatState
from simulator.kernels.site_step import STEP_S
from simulator.site import Site

NO_ROW_J_K = 1.0
"""Heat capacity of a block without coolant: nothing is ever held in it."""
MEAN_LEAD = 0.5
"""Share of a ramp over a step that what is slow against a step follows."""


@dataclass
class Plants:
    """Units that work and units that have power; `engine/plant_power.py` writes. Arrays by loop or
    hall as told."""

    intact: np.ndarray
    """(loops,) Plant units that have not failed; fans lost count as parts of one."""
    started: np.ndarray
    """(loops,) Share of them that runs: it falls to zero without power, and rises as they start."""
    moving: np.ndarray
    """(halls,) Share of fans, and of pumps without a UPS, that runs likewise."""
    pumps_out: np.ndarray
    """(loops,) Pumps of the loop that have failed."""
    walls_out: np.ndarray
    """(halls,) Fan walls that have failed."""
    fed: np.ndarray
    """(halls,) Whether what drives plants and fans has power."""
    pumps_fed: np.ndarray
    """(halls,) Whether the pumps have."""
    stilled: np.ndarray
    """(halls,) Whether fans and chilled pumps are switched off, for they would only warm what nothing cools;
    hot_trips.py."""
    turn: np.ndarray
    """(halls,) Counts losses and returns of power, so that what was planned before is dropped."""
    needs_w: np.ndarray
    """(halls,) What plants, pumps and lights drew when they last had power."""
    back_s: dict[int, float] = field(default_factory=dict)
    """When pumps without power have it again, by hall, where that is known."""


def plants_of(site: Site) -> Plants:
    """Return the plants with everything in service."""
    halls, loops = len(site.hall_names), len(site.loops)
    return Plants(
        intact=np.array([float(loop.units) for loop in site.loops]), started=np.ones(loops),
        moving=np.ones(halls),
        pumps_out=np.zeros(loops, np.int64), walls_out=np.zeros(halls, np.int64),
        fed=np.ones(halls, np.bool_), pumps_fed=np.ones(halls, np.bool_),
        stilled=np.zeros(halls, np.bool_), turn=np.zeros(halls, np.int64), needs_w=np.zeros(halls),
    )


def columns(site: Site) -> HeatState:
    """Return the columns of heat that waits; none does."""
    halls, loops, blocks = len(site.hall_names), len(site.loops), len(site.block_names)
    air = site.topology.cooling.fan_wall
    design_w = site.halls.fan_design_heat_w
    row_j_k = row_capacities_j_k(site)
    then = lambda: np.ones((loops, CHANGES))  # noqa: E731
    return HeatState(
        flow=np.ones(loops), fans=np.ones(loops), changes=np.zeros(loops, np.int64),
        change_s=np.zeros((loops, CHANGES)), units_then=then(), flow_then=then(), fans_then=then(),
        row_j=np.zeros(blocks), row_j_k=row_j_k, row_lead=_leads(site, blocks, site.rows.block, 1),
        row_settled_c=np.zeros(blocks), row_left_j=np.zeros(blocks),
        row_stands_s=np.zeros((blocks, 2)), row_met_s=np.full((blocks, 2), math.inf),
        air_j=np.zeros(halls), air_j_k=air.thermal_mass_j_k(design_w),
        made_j=np.zeros((halls, 3)),
        air_settle_s=np.full(halls, float(air.mass)),
        air_lead=_leads(site, halls, site.rows.hall, 0),
        air_range_k=np.full(halls, float(air.range)), air_full=np.full(halls, (1.0 + air.margin) / air.needed(1.0)),
        air_mixed_k=np.full(halls, air.mixed_k()),
        air_set_c=np.full(halls, air.supply_air_c(site.topology.cooling.chilled_supply)),
        envelope_w_k=air.envelope * np.array([
            sum(site.loops[int(loop)].design_heat_w for loop in loops)
            for loops in zip(site.halls.liquid_loop, site.halls.air_loop, strict=True)
        ]),
        lit=np.ones(halls), house_frac=np.array([site.topology.cooling.indoors.house]),
        indoor_w=np.zeros(halls), bridged=np.zeros(halls, np.int64),
        on_ups=np.array([
            int(site.topology.cooling.pumps_on_ups), int(site.topology.cooling.loop_pumps_on_ups)
        ]),
    )


def row_capacities_j_k(site: Site) -> np.ndarray:
    """Return the heat capacity of each block's coolant and metal at its design heat, (blocks,)."""
    unit, found = site.topology.cooling.coolant_unit, np.full(len(site.block_names), NO_ROW_J_K)
    racks = np.bincount(site.rack_block, minlength=found.size)
    for row in range(site.rows.start.size):
        b, rack = site.rows.block[row], site.rack_types[site.row_type[row]]
        heat_w = min(racks[b] * rack.nameplate, site.block_limit_w[b]) * rack.liquid_fraction
        if heat_w > 0.0:
            found[b] = max(unit.thermal_mass_j_k(heat_w), NO_ROW_J_K)
    return found


def lead(covered: float) -> float:
    """Return by which share of a step's ramp a constant coolant must lie above its start so that a
    chip ends the step where the ramp takes it: with u = step / tau and the share covered
    d = 1 - e^-u, that is (1 - d / u) / d."""
    u = -math.log1p(-covered)
    return (1.0 - covered / u) / covered


def in_part(covered: float, left_s: float) -> float:
    """Return the same for a ramp over the last `left_s` of a step, over that of a whole step."""
    tau_s = -STEP_S / math.log1p(-covered)
    follows_s = left_s + tau_s * math.expm1(-left_s / tau_s)
    return follows_s / (covered * STEP_S) / lead(covered)


def _leads(site: Site, count: int, place: np.ndarray, liquid: int) -> np.ndarray:
    """Return the lead of the first row in each place that coolant (1) or air (0) cools."""
    found = np.full(count, MEAN_LEAD)
    for row in range(place.size - 1, -1, -1):
        if site.rows.liquid_cooled[row] == liquid:
            found[place[row]] = lead(float(site.rows.decay[row]))
    return found
