"""What a recovery policy sees, and what it decides."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

Replacement = Literal["none", "hot", "warm", "cold"]
"""What takes the place of what is lost: nothing; chips in the same rack; a rack that is powered with
its processes up; one that is scheduled, imaged and checked first."""
Start = Literal["nothing", "communicators", "processes"]
"""What starts anew on the whole job."""


@dataclass(frozen=True)
class View:
    """The job as it stands; what a policy does not ask for is not looked up. A unit is what must be whole
    to compute a part of the batch alone: a data-parallel replica, or those that share experts."""

    look: Callable[[], tuple[np.ndarray, np.ndarray]]
    """Returns `share` and `lacking`."""
    count_warm: Callable[[], int]
    """Returns `warm`."""
    sharded: bool
    """Whether replicas share out optimizer state, so that one takes some of it with it."""

    @cached_property
    def share(self) -> np.ndarray:
        """(units,) of its chips that a unit has left, in its worst rack; 0 with a rack gone."""
        return self.look()[0]

    @cached_property
    def lacking(self) -> np.ndarray:
        """(units,) racks that a unit lacks."""
        return self.look()[1]

    @cached_property
    def warm(self) -> int:
        """Warm spare racks at hand."""
        return self.count_warm()


@dataclass(frozen=True)
class Damage:
    """What is missing now."""

    racks: int
    """Racks the job lacks."""
    within: bool
    """Whether chips are out in racks that it keeps."""


@dataclass(frozen=True)
class Decision:
    """How to go on."""

    pace: float = 1.0
    """Of full speed, with what is there."""
    waits: bool = True
    """Whether the job stands until it is whole."""
    replacement: Replacement = "none"
    rolls_back: bool = True
    """Whether it loads a checkpoint; otherwise nothing is lost."""
    starts: Start = "processes"
