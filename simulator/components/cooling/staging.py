"""How many of a plant's units run: groups that start one after another and share the heat alike."""

import numpy as np

from simulator.components.cooling._base import Array

ROUNDING = 1e-9


def running_frac(load_frac: Array, stages: int) -> Array:
    """Return the share of the units that run: the fewest groups of `stages` that carry the load.

    Parameters
    ----------
    load_frac : heat over the capacity of all units; above 1 all run, at least one group always does
    """
    groups = np.clip(np.ceil(load_frac * stages - ROUNDING), 1.0, stages)
    return np.asarray(groups / stages)
