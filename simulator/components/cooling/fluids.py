"""Liquids of the loops: water, and PG25 (25 % propylene glycol by volume) inside the racks.

PG25 figures are CoolProp 8.0.0's INCOMP::MPG[0.25] at 20, 30, 40, 45 and 55 degC, interpolated
linearly and held beyond (error below 0.1 % inside, about 1 % at 0 and 75 degC).
"""

import numpy as np
from numpy.typing import NDArray

WATER_SPECIFIC_HEAT_J_KGK = 4180.0
"""Water at 30 degC."""
WATER_DENSITY_KG_M3 = 995.6
"""Water at 30 degC."""
_PG25_C = (20.0, 30.0, 40.0, 45.0, 55.0)
_PG25_DENSITY = (1019.3, 1014.9, 1009.9, 1007.2, 1001.4)
_PG25_SPECIFIC_HEAT = (3920.5, 3944.6, 3968.6, 3980.6, 4004.1)


def pg25_density_kg_m3(temperature_c: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the density of PG25 in kg/m3."""
    return np.asarray(np.interp(temperature_c, _PG25_C, _PG25_DENSITY))


def pg25_specific_heat_j_kgk(temperature_c: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the specific heat of PG25 in J/(kg K)."""
    return np.asarray(np.interp(temperature_c, _PG25_C, _PG25_SPECIFIC_HEAT))


def pg25_rise_k(flow_m3_j: float, temperature_c: float = 40.0) -> float:
    """Return the warming of PG25 that flows at `flow_m3_j` m3/s per W of heat."""
    per_volume = pg25_density_kg_m3(temperature_c) * pg25_specific_heat_j_kgk(temperature_c)
    return 1.0 / (flow_m3_j * float(per_volume))
