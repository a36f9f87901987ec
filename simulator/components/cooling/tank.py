"""A tank of fluid whose course is followed alone: the law of the engine's tanks, step by step."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from simulator.components.cooling.rack_side import Bath
from simulator.kernels import rack_side

Array = NDArray[np.float64]


class Tank(NamedTuple):
    """The columns of one block that `rack_side.exchange` reads and writes, arrays (1,)."""

    mass_j_k: Array
    boiling_c: Array
    latent_j: Array
    coolant_c: Array
    vapour_j: Array
    received_j: Array
    given_j: Array

    @classmethod
    def of(cls, bath: Bath, fluid_c: float, vapour_j: float) -> Self:
        """Return the tank at a temperature in degC, its vapour space holding `vapour_j`."""
        given = bath.mass_j_k, bath.boiling_c, bath.latent_j, fluid_c, vapour_j, 0.0, 0.0
        return cls(*(np.array([value]) for value in given))

    @property
    def fluid_c(self) -> float:
        """Temperature of the fluid."""
        return float(self.coolant_c[0])

    def gives_w(self, heat_w: float, facility_c: float, approach_k_w: float, dt_s: float) -> float:
        """Advance by a step under a heat; return what its exchanger gives to facility water, in W;
        an infinite approach is water or pumps that stand."""
        return float(rack_side.exchange(self, 0, heat_w, facility_c, approach_k_w, dt_s))
