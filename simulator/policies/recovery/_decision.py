"""What a recovery policy sees, and what it decides."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Replacement = Literal["none", "hot", "warm", "cold"]
"""What takes the place of what is lost: nothing; chips in the same rack; a rack that is powered with
its processes up; one that is scheduled, imaged and checked first."""
Start = Literal["nothing", "communicators", "processes"]
"""What starts anew on the whole job."""


@dataclass(frozen=True)
class View:
    """The job as it stands. A unit is what must be whole to compute a part of the batch alone: a
    data-parallel replica, or those that share experts."""

    share: np.ndarray
    """(units,) of its chips that a unit has left, in its worst rack; 0 with a rack gone."""
    lacking: np.ndarray
    """(units,) racks that a unit lacks."""
    warm: int
    """Warm spare racks at hand."""
    sharded: bool
    """Whether replicas share out optimizer state, so that one takes some of it with it."""


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
