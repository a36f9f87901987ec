"""Liquids of the loops: water, and PG25 (25 % propylene glycol by volume) inside the racks.

PG25 figures are CoolProp 8.0.0's INCOMP::MPG[0.25] at 20, 30, 40, 45 and 55 degC, interpolated
linearly and held beyond (error below 0.1 % inside, about 1 % at 0 and 75 degC).
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Fluid = Literal["pg25", "water"]
"""Coolants of the racks."""

WATER_SPECIFIC_HEAT_J_KGK = 4180.0
"""Water at 30 degC."""
WATER_DENSITY_KG_M3 = 992.0
"""Water at 40 degC."""
FILM_OVER_PG25: dict[Fluid, float] = {"pg25": 1.0, "water": 0.8}
"""Film resistance in narrow channels over that of PG25 at one volume flow: 0.486 / 0.631 W/(m K), the
conductivities at 40 degC, where the film is laminar, nearer one elsewhere (0.75-0.9, assumed)."""
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


def flow_m3_j(fluid: Fluid, rise_k: float, temperature_c: float = 40.0) -> float:
    """Return the flow in m3/s per W of heat at which a coolant warms by `rise_k`."""
    if fluid == "water":
        return 1.0 / (rise_k * WATER_DENSITY_KG_M3 * WATER_SPECIFIC_HEAT_J_KGK)
    return pg25_rise_k(1.0, temperature_c) / rise_k


def volume_flow_m3_s(fluid: Fluid, flow_kg_s: float, temperature_c: float = 40.0) -> float:
    """Return the volume flow of a mass flow."""
    if fluid == "water":
        return flow_kg_s / WATER_DENSITY_KG_M3
    return flow_kg_s / float(pg25_density_kg_m3(temperature_c))
