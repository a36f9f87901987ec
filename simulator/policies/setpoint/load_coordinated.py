"""As warm as the load allows: the racks are supplied no warmer than at design heat, at any load.

What stands between loop and racks takes up an approach proportional to heat, so at part load the loop
may be warmer by what is not taken up. It saves fan and compressor energy. A set point must serve the
fullest block, which may carry more than its hall's mean (`SetpointView.fullest`).
"""

import numpy as np

from simulator.engine.setpoint import SetpointView


def set_c(view: SetpointView) -> np.ndarray:
    """Return the racks' supply less the approach of the fullest block at each load: (1, n_x)."""
    loaded = view.fullest * view.load_frac / view.design_load_frac
    return view.highest_c - view.exchanger_k * np.minimum(loaded, 1.0)
