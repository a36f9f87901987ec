"""The best move on slopes: an integer programme of the objective and the limits made straight."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

Array = NDArray[np.float64]
MISSED, SPARE = 1e3, 1e-3
"""Weight of missing a limit by all of it, and of keeping clear of it by as much, over that of the largest
gain there is: first the limits, then the objective, then the distance."""


def best_move(gained: Array, used: Array, room: Array, scale: Array, low: Array, high: Array) -> tuple[int, ...]:
    """Return how many steps of each input to go.

    Parameters
    ----------
    gained : (inputs,)
        Gain of the objective per step.
    used : (inputs, limits)
        What a step takes of each limit.
    room, scale : (limits,)
        What is left of each limit, negative where it is missed, and what all of it is.
    low, high : (inputs,)
        Fewest and most steps.
    """
    inputs, limits = used.shape
    most = float(np.abs(gained) @ np.maximum(np.abs(low), np.abs(high))) or 1.0
    cost = np.concatenate([-gained / most, [MISSED, -SPARE]])
    rows = np.hstack([used.T / scale[:, None], -np.ones((limits, 1)), np.ones((limits, 1))])
    kept = [LinearConstraint(rows, ub=room / scale)] if limits else []
    found = milp(
        cost, constraints=kept, integrality=[*[1] * inputs, 0, 0],
        bounds=Bounds(np.append(low, [0.0, 0.0]), np.append(high, [np.inf, 1.0])),
    )  # fmt: skip
    return (0,) * inputs if found.x is None else tuple(round(m) for m in found.x[:inputs])
