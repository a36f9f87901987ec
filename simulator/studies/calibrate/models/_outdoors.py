"""Measured weather as the plants read it, and a plant's table at a measured load."""

import numpy as np

from simulator.components.cooling import LOAD_STEP, HourlyWeather
from simulator.components.cooling.psychrometrics import wet_bulb_c
from simulator.components.cooling.staging import running_frac
from simulator.errors import StudyError
from simulator.kernels.cooling_columns import PlantMaps
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


def by_groups(maps: PlantMaps, plant: int, load: Array, *tables: Array) -> list[Array]:
    """Return what a plant's groups of units make of it at the load of each interval, over its capacity: of each of
    the maps' `tables` (rows, intervals, loads) its value per W of capacity.

    As `kernels.cooling.in_groups`, but that all groups asked for have started.
    """
    staging, intervals = maps.staging, np.arange(len(load))
    if staging.groups[plant] == 1.0:
        return [at_load(table[plant], load) for table in tables]
    running = running_frac(at_load(maps.asked_frac[plant], load), int(staging.groups[plant]))
    row = staging.first[plant] + staging.each[plant] * (np.rint(running * staging.groups[plant]).astype(int) - 1)
    share = running if staging.alike[plant] == 1 else np.ones(len(load))
    return [share * at_load(table[row, intervals], load / share) for table in tables]
