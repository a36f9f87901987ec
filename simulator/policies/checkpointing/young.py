"""Young's interval."""

import math


def interval_s(stall_s: float, mttf_s: float) -> float:
    """Return sqrt(2 stall MTTF).

    References
    ----------
    J. W. Young, "A first order approximation to the optimum checkpoint interval", CACM 17 (1974).
    """
    return math.sqrt(2.0 * stall_s * mttf_s)
