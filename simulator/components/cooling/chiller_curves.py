"""Public curves of water-cooled chillers: capacity, work and part load, inside their range only.

    capacity = CAPFT(x, y), work per heat = EIRFT(x, y), each over its value at the reference point,
    with c0 + c1 x + c2 x2 + c3 y + c4 y2 + c5 x y; x chilled water leaving, y condenser water entering;
    work over that at full load = EIRFPLR(PLR) = a0 + a1 PLR + a2 PLR2, cycling below the least PLR.

Source: EnergyPlus Chiller:Electric:EIR data sets (CoolTools) as in LBNL modelica-buildings c4117cce.
They end near 13 degC chilled and 29 degC condenser water and must not be stretched beyond.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from simulator.components.cooling._base import Array

Bounds = tuple[float, float]


@dataclass(frozen=True)
class CurveSet:
    """One machine; temperatures in degC."""

    water_c: Bounds
    """Chilled water leaving, valid from and to."""
    entering_c: Bounds
    """Condenser water entering, valid from and to."""
    reference_c: tuple[float, float]
    """Both at the reference point."""
    rated_cop: float
    """COP there."""
    least_frac: float
    """Load over capacity below which it cycles."""
    capft: tuple[float, ...]
    eirft: tuple[float, ...]
    eirfplr: tuple[float, float, float]

    def inside(self, water_c: ArrayLike, entering_c: ArrayLike) -> tuple[Array, Array]:
        """Return the nearest temperatures inside the range."""
        return np.clip(water_c, *self.water_c), np.clip(entering_c, *self.entering_c)

    def capacity(self, water_c: ArrayLike, entering_c: ArrayLike) -> Array:
        """Return full heat over that at the reference point, at the nearest edge if outside."""
        here = _surface(self.capft, *self.inside(water_c, entering_c))
        return here / _surface(self.capft, *self.reference_c)

    def cop(self, water_c: ArrayLike, entering_c: ArrayLike) -> Array:
        """Return the COP at full load, at the nearest edge if outside."""
        here = _surface(self.eirft, *self.inside(water_c, entering_c))
        return self.rated_cop * _surface(self.eirft, *self.reference_c) / here

    def work(self, part_load: ArrayLike) -> Array:
        """Return work over that at full load, for a load over capacity of 0 to 1."""
        load = np.asarray(part_load, dtype=float)
        cycled = np.minimum(load / self.least_frac, 1.0)
        return np.asarray(self._part(np.maximum(load, self.least_frac)) * cycled / self._part(1.0))

    def _part(self, load: ArrayLike) -> Array:
        a, x = self.eirfplr, np.asarray(load)
        return np.asarray(a[0] + x * (a[1] + x * a[2]))


def _surface(c: tuple[float, ...], water_c: ArrayLike, entering_c: ArrayLike) -> Array:
    x, y = np.asarray(water_c, dtype=float), np.asarray(entering_c, dtype=float)
    return np.asarray(c[0] + x * (c[1] + x * c[2]) + y * (c[3] + y * c[4]) + c[5] * x * y)


CURVES = {
    "york_yk_5170": CurveSet(
        (4.44, 8.89), (15.56, 29.44), (6.67, 26.11), 7.15, 0.15,
        (0.1675697, -0.1191228, -0.004328384, 0.1355905, -0.005171251, 0.0103984),
        (0.5894383, -0.0292653, -0.001900238, 0.02849479, -0.0005105015, 0.001702334),
        (0.2497273, 0.1011288, 0.6499847),
    ),  # York YK, 5,170 kW, inlet vanes
    "york_yt_2233": CurveSet(
        (5.56, 8.89), (12.78, 29.44), (5.56, 12.78), 9.54, 0.1,
        (0.7585741, -0.05127829, 0.005848602, 0.04235544, -0.001606561, 0.0009364594),
        (0.7563409, -0.01966623, -0.0003927494, 0.02973607, 0.000129923, -0.0004325357),
        (0.06917141, 0.1743339, 0.7524059),
    ),  # York YT, 2,233 kW, variable speed
    "carrier_19xr_1410": CurveSet(
        (6.11, 12.78), (12.78, 23.89), (6.11, 12.78), 8.54, 0.18,
        (0.9597856, -0.006247187, -0.001117998, 0.00699104, -0.0006321252, 0.001765068),
        (1.131014, -0.06735406, 3.034309e-06, 0.01307361, 0.0003384625, 0.0007872113),
        (0.09662908, 0.7475978, 0.1566368),
    ),  # Carrier 19XR, 1,410 kW, variable speed
}  # fmt: skip
"""Curve sets by name."""
