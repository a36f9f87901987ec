"""Daly's higher-order interval."""

import math


def interval_s(stall_s: float, mttf_s: float) -> float:
    """Return Daly's optimum, which holds where the stall is not small against MTTF.

    References
    ----------
    J. T. Daly, "A higher order estimate of the optimum checkpoint interval for restart dumps",
    Future Generation Computer Systems 22 (2006), eq. 37.
    """
    if stall_s >= 2.0 * mttf_s:
        return mttf_s
    root = math.sqrt(stall_s / (2.0 * mttf_s))
    return math.sqrt(2.0 * stall_s * mttf_s) * (1.0 + root / 3.0 + root * root / 9.0) - stall_s
