"""Temperatures of a transformer over steps of constant load, each step exact."""

import math

from numba import njit


@njit(cache=True)
def follow(loading, ambient_c, step_s, rated, time_s, exponents, start, hot_spot_c):
    """Fill `hot_spot_c` (steps,) with the hottest spot at the end of each step; return the state
    after the last.

    Parameters
    ----------
    loading : (steps,) of the rating
    ambient_c : (steps,)
    rated : (top oil over ambient, hot spot over top oil) in K, and load loss over no-load loss
    time_s : (oil, winding) time constants
    exponents : (oil, winding)
    start : (top oil over ambient, hot spot over top oil) in K
    """
    oil, winding = math.exp(-step_s / time_s[0]), math.exp(-step_s / time_s[1])
    top_oil_k, gradient_k = start
    for i in range(loading.size):
        x = loading[i]
        to_oil_k = rated[0] * ((x * x * rated[2] + 1.0) / (rated[2] + 1.0)) ** exponents[0]
        to_gradient_k = rated[1] * x ** exponents[1]
        top_oil_k = to_oil_k + (top_oil_k - to_oil_k) * oil
        gradient_k = to_gradient_k + (gradient_k - to_gradient_k) * winding
        hot_spot_c[i] = ambient_c[i] + top_oil_k + gradient_k
    return top_oil_k, gradient_k
