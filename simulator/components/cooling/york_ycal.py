"""Air-cooled chiller York YCAL0033EE (100.6 kW, COP 3.1) as DOE-2 curves, and beyond them.

    capacity = CAPFT(x, y), work per heat = EIRFT(x, y), each over its value at 6.67 / 35 degC,
    with c0 + c1 x + c2 x2 + c3 y + c4 y2 + c5 x y; x chilled water leaving, y outdoor air, degC.

Source: EnergyPlus data sets as in LBNL modelica-buildings c4117cce (ElectricEIR); valid for water of
4.44 to 10.0 degC and air of 23.89 to 51.67 degC. Work is proportional to part load. Outside:
capacity and COP at the nearest edge grow or fall as Carnot's COP does from there, so that the power
at full capacity stays that of the edge.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulator.components.cooling.psychrometrics import KELVIN

Array = NDArray[np.float64]

WATER_BOUNDS_C = (4.44, 10.0)
AIR_BOUNDS_C = (23.89, 51.67)
REFERENCE_C = (6.67, 35.0)
MOST_CAPACITY_AIR_C = 30.0
"""Air below which CAPFT no longer grows (its vertex for water of 4.44 degC, derived)."""
CAPACITY_PER_K = 0.02
"""Growth of capacity per K of warmer water: CAPFT's slope at 8 and 35 degC (derived)."""
PINCH_K = 1.5
"""Leaving water minus refrigerant at the evaporator (1-2 K, assumed)."""
CONDENSING_OVER_AIR_K = 13.0
"""Condensing refrigerant minus outdoor air (10-15 K, assumed)."""
LEAST_LIFT_K = 20.0
"""Smallest condensing minus evaporating temperature the compressor works at (assumed)."""
_CAPACITY = (-0.2660645697, 0.0998714035, -0.0023814154, 0.0628316481, -0.0009644649, -0.0011249224)
_WORK = (0.1807017787, 0.0271530312, -0.0004553574, 0.0188175079, 0.0002623276, -0.0012881189)


def capacity(water_c: ArrayLike, air_c: Array) -> Array:
    """Return heat at full power over that at the reference point."""
    edge = _inside(water_c, air_c)
    inside = _curve(_CAPACITY, *edge) / _curve(_CAPACITY, *REFERENCE_C)
    return inside * _beyond(water_c, air_c)


def efficiency(water_c: ArrayLike, air_c: Array) -> Array:
    """Return COP over that at the reference point."""
    edge = _inside(water_c, air_c)
    inside = _curve(_WORK, *REFERENCE_C) / _curve(_WORK, *edge)
    return inside * _beyond(water_c, air_c)


def _beyond(water_c: ArrayLike, air_c: Array) -> Array:
    """Return Carnot's factor from the nearest edge of the curves' range; 1 inside."""
    return _carnot(water_c, air_c) / _carnot(*_inside(water_c, air_c))


def _inside(water_c: ArrayLike, air_c: Array) -> tuple[Array, Array]:
    return np.clip(np.asarray(water_c), *WATER_BOUNDS_C), np.clip(air_c, *AIR_BOUNDS_C)


def _curve(c: tuple[float, ...], x: ArrayLike, y: ArrayLike) -> Array:
    water, air = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    square = c[2] * water * water + c[4] * air * air + c[5] * water * air
    return np.asarray(c[0] + c[1] * water + c[3] * air + square)


def _carnot(water_c: ArrayLike, air_c: ArrayLike) -> Array:
    """Return Te / (Tc - Te) in K, the refrigerant's temperatures a pinch beyond water and air."""
    cold = np.asarray(water_c, dtype=float) - PINCH_K + KELVIN
    lift = np.asarray(air_c, dtype=float) + CONDENSING_OVER_AIR_K + KELVIN - cold
    return np.asarray(cold / np.maximum(lift, LEAST_LIFT_K))
