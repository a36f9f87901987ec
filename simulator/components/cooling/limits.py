"""Seconds to a temperature limit: what is left when flow or cooling is lost.

Lumped mass C (J/K) behind a resistance R (K/W) to a coolant: C dT/dt = P - (T - T_coolant) / R.
The solution is exact at any step size: T(t) = T_end + (T_0 - T_end) exp(-t / tau), with
T_end = T_coolant + P R and tau = R C.
"""

import math


def seconds_without_flow(
    temperature_c: float, limit_c: float, power_w: float, heat_capacity_j_k: float
) -> float:
    """Return the time from `temperature_c` to `limit_c` with no heat removed: dT/dt = P / C.

    0 when already there, infinite when nothing heats.
    """
    if temperature_c >= limit_c:
        return 0.0
    return (limit_c - temperature_c) * heat_capacity_j_k / power_w if power_w > 0.0 else math.inf


def seconds_to_limit(
    temperature_c: float, limit_c: float, end_c: float, time_constant_s: float
) -> float:
    """Return the time an exponential approach to `end_c` takes to reach `limit_c` from below.

    0 when already there, infinite when the approach ends at or below the limit.
    """
    if temperature_c >= limit_c:
        return 0.0
    if end_c <= limit_c:
        return math.inf
    return time_constant_s * math.log((end_c - temperature_c) / (end_c - limit_c))


def temperature_after_c(
    temperature_c: float, end_c: float, time_constant_s: float, seconds: float
) -> float:
    """Return the temperature after `seconds` of an exponential approach to `end_c`."""
    return end_c + (temperature_c - end_c) * math.exp(-seconds / time_constant_s)
