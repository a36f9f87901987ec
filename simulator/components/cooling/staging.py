"""How many of a plant's units run: groups that start one after another and share the heat alike."""

from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import PrivateAttr

from simulator.components.cooling._base import LOAD_FRAC, Array, PlantSpec
from simulator.units import Within

ROUNDING = 1e-9


def running_frac(load_frac: Array, stages: int) -> Array:
    """Return the share of the units that run: the fewest groups of `stages` that carry the load.

    Parameters
    ----------
    load_frac : heat over the capacity of all units; above 1 all run, at least one group always does
    """
    groups = np.clip(np.ceil(load_frac * stages - ROUNDING), 1.0, stages)
    return np.asarray(groups / stages)


class Staged(PlantSpec):
    """A plant whose units start in groups as heat asks for them."""

    alike: ClassVar[bool] = False
    """Whether units that stand leave the others what a plant of those alone would be."""
    stages: Annotated[int, Within(1, 20)] = 1
    """Groups of units that start one after another as they are asked for, and share the heat; 1: all run always."""
    _held: int | None = PrivateAttr(default=None)

    @property
    def groups(self) -> int:
        """Groups of units."""
        return self.stages

    @property
    def held(self) -> bool:
        """Whether a number of groups runs, whatever is asked for (`holding`)."""
        return self._held is not None

    def holding(self, groups: int) -> Self:
        """Return the plant while so many groups run, whatever heat asks for: those that run carry it, as
        far as a plant's map goes, from where on more of them count."""
        held = self.model_copy()
        held._held = groups
        return held

    def running(self, load_frac: Array) -> Array:
        """Return the share of the units that run under a heat over what all of them carry."""
        if self._held is None:
            return running_frac(load_frac, self.stages)
        return np.asarray(np.maximum(self._held / self.stages, load_frac / LOAD_FRAC[-1]))
