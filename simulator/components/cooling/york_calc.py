"""Open cooling tower by the YorkCalc correlation, for a constant water flow.

    approach = sum over k, j, m in 0..2 of c[k, j, m] * r^k * range^j * wet_bulb^m

with r = (water flow / design) / (air flow / design), range and approach in K, wet bulb in degC.
Source: coefficients and bounds as in EnergyPlus (CoolingTower:VariableSpeed, YorkCalc) and LBNL
modelica-buildings c4117cce; wet bulb -34.4 to 26.7 degC, range 1.1 to 22.2 K, approach to 40 K,
r from 0.75 to 8. Outside: the wet bulb in the correlation is held at its nearest bound (so the leaving water
still follows the real wet bulb), and below a range of 1.1 K the approach falls linearly to zero.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

WET_BULB_BOUNDS_C = (-34.4, 26.7)
LEAST_RANGE_K = 1.1
GREATEST_APPROACH_K = 40.0
LEAST_RATIO = 0.75
GREATEST_RATIO = 8.0  # beyond it the fans stand still and natural draught does the rest
# c[k, j, m]: powers of flow ratio, range and wet bulb
_YORK = np.array(
    [
        [
            [-0.359741205, -0.055053608, 0.0023850432],
            [0.173926877, -0.0248473764, 0.00048430224],
            [-0.005589849456, 0.0005770079712, -0.00001342427256],
        ],
        [
            [2.84765801111111, -0.121765149, 0.0014599242],
            [1.680428651, -0.0166920786, -0.0007190532],
            [-0.025485194448, 0.0000487491696, 0.00002719234152],
        ],
        [
            [-0.0653766255555556, -0.002278167, 0.0002500254],
            [-0.0910565458, 0.00318176316, 0.000038621772],
            [-0.0034285382352, 0.00000856589904, -0.000001516821552],
        ],
    ]
)


def approach_k(wet_bulb_c: Array, range_k: Array, ratio: float | Array = 1.0) -> Array:
    """Return leaving water minus wet bulb in K; `ratio` is water over air flow, 1 at full fans."""
    constant, linear, square = _in_ratio(wet_bulb_c, range_k)
    return (constant + ratio * (linear + ratio * square)) * _small_range(range_k)


def airflow_frac(wet_bulb_c: Array, range_k: Array, wanted_k: Array) -> Array:
    """Return the airflow over design that gives an approach of `wanted_k` (0: fans off).

    The correlation is a quadratic in the flow ratio, so its rising branch has a closed form.
    """
    constant, linear, square = _in_ratio(wet_bulb_c, range_k)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = wanted_k / _small_range(range_k) - constant
        root = linear * linear + 4.0 * square * gap
        ratio = 2.0 * gap / (linear + np.sqrt(np.maximum(root, 0.0)))
    idle = (root < 0.0) | (gap > GREATEST_APPROACH_K - constant) | ~(ratio <= GREATEST_RATIO)
    return np.where(idle, 0.0, 1.0 / np.maximum(np.where(idle, 1.0, ratio), LEAST_RATIO))


def _in_ratio(wet_bulb_c: Array, range_k: Array) -> list[Array]:
    """Return the three coefficients of the quadratic in the flow ratio."""
    wet = np.clip(wet_bulb_c, *WET_BULB_BOUNDS_C)
    span = np.maximum(range_k, LEAST_RANGE_K)
    by_range = [[row[0] + wet * (row[1] + wet * row[2]) for row in block] for block in _YORK]
    return [b[0] + span * (b[1] + span * b[2]) for b in by_range]


def _small_range(range_k: Array) -> Array:
    return np.minimum(range_k / LEAST_RANGE_K, 1.0)
