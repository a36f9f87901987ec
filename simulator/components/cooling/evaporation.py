"""Water that open towers evaporate."""

import numpy as np

from simulator.components.cooling import psychrometrics
from simulator.components.cooling._base import Array, HourlyWeather


def from_tower_kg_j(weather: HourlyWeather, heat_frac: Array, mean_water_c: Array) -> Array:
    """Return evaporation in kg/s per W of capacity, for `heat_frac` W/W taken by the air.

    Air leaves saturated at the mean water temperature; of the heat it takes, the share
    (w_out - w_in) / (h_out - h_in) kg/J is evaporated: less in cold air, more in hot dry air.
    """
    dry, wet = weather.dry_bulb_c[:, None], weather.wet_bulb_c[:, None]
    pressure = weather.pressure_pa[:, None]
    leaving = np.maximum(mean_water_c, wet + 0.5)
    vapour = psychrometrics.saturation_pressure_pa(leaving)
    humid = psychrometrics.humidity_ratio(vapour, pressure)
    before = psychrometrics.humidity_from_wet_bulb(dry, wet, pressure)
    gained = psychrometrics.enthalpy_j_kg(leaving, humid)
    gained = gained - psychrometrics.enthalpy_j_kg(dry, before)
    return heat_frac * np.maximum(humid - before, 0.0) / gained
