"""As warm as the load allows: the racks are supplied at the same temperature at any load.

What stands between loop and racks takes up an approach proportional to heat, so at part load the loop
may be warmer by what is not taken up. It saves fan and compressor energy. The hall's mean load counts:
a block above it gets coolant warmer than the supply by as much of the approach.
"""

import numpy as np

from simulator.engine.setpoint import SetpointView


def set_c(view: SetpointView) -> np.ndarray:
    """Return the racks' supply less the approach at each load: (1, n_x)."""
    loaded = np.minimum(view.load_frac / view.design_load_frac, 1.0)
    return view.highest_c - view.exchanger_k * loaded
