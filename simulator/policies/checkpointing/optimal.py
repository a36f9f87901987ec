"""The interval that makes the complete model best."""

import math

from scipy.special import lambertw


def interval_s(stall_s: float, mttf_s: float) -> float:
    """Return the useful time between saves at which most work is kept.

    Of useful time t per save that costs d, failures with mean time M between them leave
    ``t exp(-(R + T) / M) / (M (exp((t + d) / M) - 1))`` of the time (`ettr`): restarts R and
    transfers T are factors, so they do not move the optimum. Where the derivative is zero,
    ``1 - t / M = exp(-(t + d) / M)``, which Lambert's W solves.

    References
    ----------
    J. T. Daly, FGCS 22 (2006), eq. 20, solved without his expansion.
    """
    if not math.isfinite(mttf_s):
        return math.inf
    inner = -math.exp(-1.0 - stall_s / mttf_s)
    return mttf_s * (1.0 + float(lambertw(inner).real))


def ettr(
    interval_s: float, cost_s: float, mttf_s: float, restart_s: float, transfer_s: float = 0.0
) -> float:
    """Return the share of time that is kept work, failures exponential and at any moment.

    A gap between failures is longer than the restart with exp(-R/M); what is left of it keeps
    floor((x - T) / (t + d)) saves, as one is safe only T after it was taken.
    """
    cycles = 1.0 / math.expm1((interval_s + cost_s) / mttf_s)
    return interval_s / mttf_s * cycles * math.exp(-(restart_s + transfer_s) / mttf_s)
