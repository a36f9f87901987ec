"""Columns of plants, water and outdoor air, and of heat that waits (`kernels/standing_heat.py`)."""

from typing import NamedTuple

import numpy as np

Floats = np.ndarray
Ints = np.ndarray

CHANGES = 24
"""Changes of one loop that are kept within a step; those beyond count from the last one kept."""


class ReuseMap(NamedTuple):
    """Users of the warm loops' heat."""

    frac: Floats  # (hours + 1,) demand over its most
    most_w: Floats  # (loops,) 0: none
    share: float  # most of a loop's heat
    leaving_c: float  # the return leaves no colder


class WaterState(NamedTuple):
    """Water of the day and whether plants run without; kernels/water.py writes."""

    limit_kg: Floats  # (days,) frozen; none: never short
    start_hour: Ints  # (1,) frozen: of the site's clock
    used_kg: Floats  # (2,) today; in the hour at hand
    need_kg: Floats  # (hours,) frozen: what plants take at design heat
    wanted_kg: Floats  # (hours,) frozen: of that, what must be left for an hour to get its own
    taken: Floats  # (1,) what the last hour that had water took of its need
    dry: Ints  # (1,) 1: this hour goes without
    dry_hours: Ints  # (hours,) which did


class HeatState(NamedTuple):
    """What moves heat, and heat that waits because nothing moves it; plant_power.py writes."""

    # (loops,); of (loops, CHANGES): what held before each change inside the current step
    flow: Floats  # of the loop's design flow
    fans: Floats  # share of the hall's fans that turns; 1 where the loop cools no air
    changes: Ints
    change_s: Floats
    units_then: Floats
    flow_then: Floats
    fans_then: Floats
    # (blocks,)
    row_j: Floats  # heat that waits in the coolant of the rows
    row_j_k: Floats  # frozen: heat capacity of coolant and metal
    row_lead: Floats  # frozen: share of a step's ramp that chips follow
    row_settled_c: Floats  # coolant without that heat; as it was when the loop's water came to stand
    row_left_j: Floats  # what is left of it at the end of a step that `gathering.py` followed
    row_stands_s: Floats  # (blocks, 2) from when to when in the step at hand it stands; also the kernel
    row_met_s: Floats  # (blocks, 2) when in the last step its chips met throttle point and shutdown; infinite: none did
    # (halls,)
    air_j: Floats  # heat of the air above what coils are told to hold
    air_j_k: Floats  # frozen: heat capacity of the air and what it touches
    made_j: Floats  # (halls, 3) heat made in the run by fans, pumps of coolant units, of loops; hall_cooling.py
    air_settle_s: Floats  # frozen: time in which all of the design airflow gives it off
    air_lead: Floats  # frozen
    air_range_k: Floats  # frozen: warming of the air in racks
    air_full: Floats  # frozen: most airflow over what racks take at design heat
    air_mixed_k: Floats  # frozen: what recirculation adds to the intake
    air_set_c: Floats  # intake that the coils are told to hold; from the start of the run on
    envelope_w_k: Floats  # frozen: conductance of walls and roof: of air warmer than outdoors and than told
    lit: Floats  # 1 while lights and controls have power
    house_frac: Floats  # (1,) frozen: share of their heat that the halls' air takes
    indoor_w: Floats  # losses of the power chain that it takes, of the step before; power_tree.py
    bridged: Ints  # 1 while pumps draw on the batteries of their UPS
    on_ups: Ints  # (2,) frozen: 1 if pumps of coolant units, of loops, hang on the UPS


class OutdoorAir(NamedTuple):
    """What outdoor air does for halls; shape (1, hours + 1, load grid)."""

    share: Floats  # of the air's heat
    water_kg_j: Floats  # per W of the fans' design heat
    supply_c: Floats  # (hours + 1,) what it holds alone


class DryMaps(NamedTuple):
    """The same as `PlantMaps` of plants without water, which take none; no hours where a site is never short."""

    supply_c: Floats
    power_frac: Floats
    mechanical_frac: Floats
    asked_frac: Floats
    rejects: Ints  # (plants,) 0: nothing is rejected


class Staging(NamedTuple):
    """How a plant's groups of units start as heat asks for them; shape (plants,)."""

    groups: Floats  # 1: all run always
    start_s: Floats  # from then until a group cools
    first: Ints  # row of the maps where those of its groups begin
    each: Ints  # 1: a row for each number of groups that run; 0: one for all
    alike: Ints  # 1: their columns are heat over the capacity that runs, and values per W of that; 0: of all


class PlantMaps(NamedTuple):
    """Hourly performance; shape (rows, hours + 1, load grid), the plants' rows before those of their groups.

    The first column is next to no heat; without any a plant draws nothing.
    """

    setpoint_c: Floats
    supply_c: Floats
    power_frac: Floats
    evaporation_kg_j: Floats
    blowdown_kg_j: Floats
    mechanical_frac: Floats  # share of the heat moved by compressors
    asked_frac: Floats  # (plants,): heat of groups over what all carry; no hours where none has groups
    load_step: float
    dry: DryMaps
    reuse: ReuseMap
    staging: Staging


class Outdoors(NamedTuple):
    """Shape (hours + 1,)."""

    dry_bulb_c: Floats
    wet_bulb_c: Floats
    air: OutdoorAir
