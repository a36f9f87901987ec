"""Heat from the chip's water to the sky, one file per kind of equipment."""

import sys

from simulator.components.cooling._base import (
    LOAD_FRAC,
    LOAD_STEP,
    HourlyWeather,
    PlantMap,
    PlantSpec,
)
from simulator.components.cooling.air_side import AirSide
from simulator.components.cooling.coolant_unit import CoolantUnit
from simulator.components.cooling.fan_wall import FanWall
from simulator.components.cooling.rack_side import RackSide
from simulator.components.cooling.staging import Staged
from simulator.components.kinds import kinds_of, union_of, union_or

PLANT_KINDS = kinds_of(sys.modules[__name__], PlantSpec)

Plant = union_of(PLANT_KINDS)
"""Any kind of heat-rejection plant, told apart by its `kind`."""

RACK_SIDE_KINDS = kinds_of(sys.modules[__name__], RackSide)

CoolantSide = union_or(CoolantUnit, RACK_SIDE_KINDS)
"""Any kind that stands between racks and facility water; a coolant unit unless it says otherwise."""

AIR_KINDS = kinds_of(sys.modules[__name__], AirSide)

AnyAirSide = union_or(FanWall, AIR_KINDS)
"""Any kind of air side; a mapping that names no kind is a fan wall."""

__all__ = [
    "AIR_KINDS", "LOAD_FRAC", "LOAD_STEP", "PLANT_KINDS", "RACK_SIDE_KINDS", "AnyAirSide", "CoolantSide", "CoolantUnit",
    "HourlyWeather", "Plant", "PlantMap", "PlantSpec", "RackSide", "Staged",
]  # fmt: skip
