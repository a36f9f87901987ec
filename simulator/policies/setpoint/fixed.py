"""The same at any hour and load: what serves design heat."""

import numpy as np

from simulator.engine.setpoint import SetpointView


def set_c(view: SetpointView) -> np.ndarray:
    """Return the fixed set temperature."""
    return np.asarray(view.fixed_c)
