"""Heat from the chip's water to the sky, one file per kind of equipment."""

import sys

from simulator.components.cooling._base import LOAD_FRAC, HourlyWeather, PlantMap, PlantSpec
from simulator.components.cooling.coolant_unit import CoolantUnit
from simulator.components.cooling.rack_side import RackSide
from simulator.components.kinds import kinds_of, union_of, union_or

PLANT_KINDS = kinds_of(sys.modules[__name__], PlantSpec)

Plant = union_of(PLANT_KINDS)
"""Any kind of heat-rejection plant, told apart by its `kind`."""

RACK_SIDE_KINDS = kinds_of(sys.modules[__name__], RackSide)

CoolantSide = union_or(CoolantUnit, RACK_SIDE_KINDS)
"""Any kind that stands between racks and facility water; a coolant unit unless it says otherwise."""

__all__ = [
    "LOAD_FRAC", "PLANT_KINDS", "RACK_SIDE_KINDS", "CoolantSide", "CoolantUnit", "HourlyWeather",
    "Plant", "PlantMap", "PlantSpec", "RackSide",
]  # fmt: skip
