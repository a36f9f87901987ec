"""As cold as the weather gives it away: an approach above wet bulb, or above dry bulb of dry plants.

Colder water lowers leakage and leaves chips room below their throttle point; it costs fan energy.
"""

import numpy as np

from simulator.engine.setpoint import SetpointView


def set_c(view: SetpointView) -> np.ndarray:
    """Return outdoors plus the approach, from the lowest to the fixed set temperature: (hours, 1)."""
    return np.clip(view.sink_c + view.approach_k, view.lowest_c, view.fixed_c)
