"""Moist air, vectorised.

Equations of the ASHRAE Handbook of Fundamentals 2017 (SI), chapter 1, numbered as there. psychrolib
implements the same equations but compiles for about 5 s in every process that imports it; these few
lines solve a year in milliseconds and are tested against it.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

LATENT_HEAT_J_KG = 2.43e6
"""Heat of evaporation of water near 30 degC."""
AIR_SPECIFIC_HEAT_J_KGK = 1006.0
"""Of dry air (equation 28)."""
KELVIN = 273.15
_GAS_CONSTANT_AIR = 287.042
_WATER_TO_AIR = 0.621945
_LOWEST_HUMIDITY = 1e-7
_TRIPLE_POINT_C = 0.01
# ln(p_ws) = c0/T + c1 + c2 T + c3 T2 + c4 T3 + c5 T4 + c6 ln T; eq. 5 (ice) and eq. 6 (water)
_ICE = (-5.6745359e3, 6.3925247, -9.677843e-3, 6.2215701e-7, 2.0747825e-9, -9.484024e-13, 4.1635019)
_WATER = (-5.8002206e3, 1.3914993, -4.8640239e-2, 4.1764768e-5, -1.4452093e-8, 0.0, 6.5459673)


def saturation_pressure_pa(temperature_c: ArrayLike) -> Array:
    """Return the saturation vapour pressure in Pa over ice below 0.01 degC, else over water.

    Valid from -100 to 200 degC (equations 5 and 6).
    """
    celsius = np.asarray(temperature_c, dtype=float)
    kelvin = celsius + KELVIN
    return np.exp(
        np.where(
            celsius <= _TRIPLE_POINT_C, _log_pressure(kelvin, _ICE), _log_pressure(kelvin, _WATER)
        )
    )


def humidity_ratio(vapour_pressure_pa: ArrayLike, pressure_pa: ArrayLike) -> Array:
    """Return kg of water per kg of dry air (equation 20)."""
    vapour = np.asarray(vapour_pressure_pa, dtype=float)
    ratio = _WATER_TO_AIR * vapour / (np.asarray(pressure_pa, dtype=float) - vapour)
    return np.asarray(np.maximum(ratio, _LOWEST_HUMIDITY))


def wet_bulb_c(dry_bulb_c: ArrayLike, rh_frac: ArrayLike, pressure_pa: ArrayLike) -> Array:
    """Return the thermodynamic wet bulb in degC from dry bulb and relative humidity (0 to 1)."""
    vapour = np.asarray(rh_frac, dtype=float) * saturation_pressure_pa(dry_bulb_c)
    return wet_bulb_of_vapour_c(dry_bulb_c, vapour, pressure_pa)


def wet_bulb_of_vapour_c(
    dry_bulb_c: ArrayLike, vapour_pressure_pa: ArrayLike, pressure_pa: ArrayLike
) -> Array:
    """Return the thermodynamic wet bulb in degC from dry bulb and vapour pressure.

    The vapour pressure at a dew point is `saturation_pressure_pa(dew_point_c)`; more vapour than
    saturation is taken as saturation. Equations 33 (above freezing) and 35 (below) are solved by
    bisection within 60 K below dry bulb; 34 halvings leave less than 1e-8 K. The two equations
    overlap just below freezing, where both have a solution: the one over water is returned.
    """
    dry, vapour, pressure = np.broadcast_arrays(dry_bulb_c, vapour_pressure_pa, pressure_pa)
    target = humidity_ratio(np.minimum(vapour, saturation_pressure_pa(dry)), pressure)
    least_over_water = humidity_from_wet_bulb(dry, 0.0, pressure)
    low, high = dry - 60.0, np.array(dry, dtype=float)
    for _ in range(34):
        middle = 0.5 * (low + high)
        humid = humidity_from_wet_bulb(dry, middle, pressure)
        too_wet = np.where(middle < 0.0, np.minimum(humid, least_over_water), humid) > target
        high = np.where(too_wet, middle, high)
        low = np.where(too_wet, low, middle)
    return np.asarray(0.5 * (low + high))


def humidity_from_wet_bulb(
    dry_bulb_c: ArrayLike, wet_bulb_c: ArrayLike, pressure_pa: ArrayLike
) -> Array:
    """Return kg of water per kg of dry air from dry and wet bulb (equations 33 and 35)."""
    dry, wet = np.asarray(dry_bulb_c, dtype=float), np.asarray(wet_bulb_c, dtype=float)
    saturated = humidity_ratio(saturation_pressure_pa(wet), pressure_pa)
    gap = dry - wet
    water = ((2501.0 - 2.326 * wet) * saturated - 1.006 * gap) / (2501.0 + 1.86 * dry - 4.186 * wet)
    ice = ((2830.0 - 0.24 * wet) * saturated - 1.006 * gap) / (2830.0 + 1.86 * dry - 2.1 * wet)
    return np.asarray(np.where(wet >= 0.0, water, ice))


def enthalpy_j_kg(temperature_c: ArrayLike, humidity: ArrayLike) -> Array:
    """Return the enthalpy of moist air in J per kg of dry air (equation 30)."""
    celsius = np.asarray(temperature_c, dtype=float)
    latent = np.asarray(humidity, dtype=float) * (2.501e6 + 1860.0 * celsius)
    return AIR_SPECIFIC_HEAT_J_KGK * celsius + latent


def air_density_kg_m3(temperature_c: ArrayLike, pressure_pa: ArrayLike) -> Array:
    """Return the density of dry air in kg/m3 (equation 26 at zero humidity)."""
    kelvin = np.asarray(temperature_c, dtype=float) + KELVIN
    return np.asarray(pressure_pa, dtype=float) / (_GAS_CONSTANT_AIR * kelvin)


def standard_pressure_pa(elevation_m: float) -> float:
    """Return the pressure of the standard atmosphere in Pa (equation 3; -5,000 to 11,000 m)."""
    return float(101_325.0 * (1.0 - 2.25577e-5 * elevation_m) ** 5.2559)


def _log_pressure(kelvin: Array, c: tuple[float, ...]) -> Array:
    series = c[1] + kelvin * (c[2] + kelvin * (c[3] + kelvin * (c[4] + kelvin * c[5])))
    return c[0] / kelvin + series + c[6] * np.log(kelvin)
