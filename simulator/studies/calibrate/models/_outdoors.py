"""Measured weather as the plants read it, and a plant's table at a measured load."""

import numpy as np

from simulator.components.cooling import LOAD_STEP, HourlyWeather
from simulator.components.cooling.psychrometrics import wet_bulb_c
from simulator.errors import StudyError
from simulator.studies.calibrate.models._base import Array, Inputs, Quantity

SEA_LEVEL_PA = 101_325.0
"""Air pressure where no column tells it."""
WEATHER = {
    "dry_bulb": Quantity("degC"), "wet_bulb": Quantity("degC", needed=False),
    "humidity": Quantity("1", needed=False), "pressure": Quantity("Pa", needed=False),
}  # fmt: skip
"""Columns of weather; of wet bulb and relative humidity one is needed."""


def weather_of(inputs: Inputs, kind: str) -> HourlyWeather:
    """Return the weather of the intervals, each as if it were an hour."""
    dry_c = inputs.values["dry_bulb"]
    pressure_pa = inputs.values.get("pressure", np.full(len(dry_c), SEA_LEVEL_PA))
    if inputs.has("wet_bulb"):
        return HourlyWeather(dry_c, inputs.values["wet_bulb"], pressure_pa)
    if not inputs.has("humidity"):
        raise StudyError(f"{kind}: give a column `wet_bulb` or `humidity`")
    return HourlyWeather(dry_c, wet_bulb_c(dry_c, inputs.values["humidity"], pressure_pa), pressure_pa)


def at_load(table: Array, load: Array) -> Array:
    """Return a plant's table (intervals, loads) at the load of each interval, over its capacity."""
    x = np.clip(load / LOAD_STEP, 0.0, table.shape[1] - 1.0)
    j = np.minimum(x.astype(int), table.shape[1] - 2)
    rows = np.arange(len(x))
    return np.asarray(table[rows, j] + (x - j) * (table[rows, j + 1] - table[rows, j]))
