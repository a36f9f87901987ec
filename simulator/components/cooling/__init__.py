"""Heat from the chip's water to the sky, one file per kind of equipment."""

import sys

from simulator.components.cooling._base import LOAD_FRAC, HourlyWeather, PlantMap, PlantSpec
from simulator.components.kinds import kinds_of, union_of

PLANT_KINDS = kinds_of(sys.modules[__name__], PlantSpec)

Plant = union_of(PLANT_KINDS)
"""Any kind of heat-rejection plant, told apart by its `kind`."""

__all__ = ["LOAD_FRAC", "PLANT_KINDS", "HourlyWeather", "Plant", "PlantMap", "PlantSpec"]
