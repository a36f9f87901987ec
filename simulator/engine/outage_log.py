"""What took racks out of service: one row per outage and rack, from which downtime is attributed.

A row is written where racks leave service (`effects.py`), so the rows and the state say the same.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

STAGES = (
    "unnoticed", "diagnosis", "waiting_part", "waiting_crew", "repair", "burn_in", "reset",
    "drain", "maintenance", "upgrade", "trip", "boot",
)
"""What the racks wait for. `repair` is all of it where the scenario has no `operations`."""
OWN, SHARED, NEIGHBOUR = "own", "shared", "neighbour"
"""How an outage reached a rack: its own part failed, or something that it shares with others, or it is
healthy and left with another to be tested."""


class Repair(NamedTuple):
    """How an outage ends: what it waits for until when, s of the run, and how it shows itself.

    `stages` are indices into STAGES and `until_s` when each is over, in order, the last when what failed
    is back.
    """

    stages: tuple[int, ...]
    until_s: tuple[float, ...]
    transient: bool = False
    unnoticed_s: float = 0.0
    diagnosis_s: float = 0.0
    planned: bool = False

    @property
    def back_s(self) -> float:
        """When it is back in service."""
        return self.until_s[-1]


class Dark(NamedTuple):
    """A block that lost power: since when, until when, and when all its racks work again, s of the run."""

    since_s: float
    fed_s: float
    lit_s: float


def then_boots(repair: Repair, fed_s: float, boots_s: float) -> Repair:
    """Return an outage after whose end, when power is back at `fed_s`, racks start for some time."""
    until_s = (*(min(t, fed_s) for t in repair.until_s[:-1]), fed_s, fed_s + boots_s)
    return repair._replace(stages=(*repair.stages, STAGES.index("boot")), until_s=until_s)


def of_one_stage(stage: str, back_s: float, transient: bool = False) -> Repair:
    """Return an outage that is told as a whole."""
    return Repair((STAGES.index(stage),), (back_s,), transient)


@dataclass
class Outages:
    """The rows so far, a list per column."""

    racks: list[np.ndarray] = field(default_factory=list)
    servers: list[np.ndarray] = field(default_factory=list)
    start_s: list[float] = field(default_factory=list)
    end_s: list[float] = field(default_factory=list)
    cause: list[str] = field(default_factory=list)
    reach: list[str] = field(default_factory=list)
    repair: list[Repair] = field(default_factory=list)

    def note(
        self, racks: np.ndarray, servers: np.ndarray, start_s: float, lasts_s: float, cause: str,
        reach: str, repair: Repair,
    ) -> None:
        """Add an outage: so many servers of each of these racks (infinite: the whole rack)."""
        self.racks.append(racks)
        self.servers.append(servers)
        self.start_s.append(start_s)
        self.end_s.append(start_s + lasts_s)
        self.cause.append(cause)
        self.reach.append(reach)
        self.repair.append(repair)

    def note_own(
        self, racks: np.ndarray, servers: np.ndarray, start_s: list[float], cause: list[str],
        repairs: list[Repair],
    ) -> None:
        """Add outages of one rack each: so many of its servers, for its own failure."""
        self.racks.extend(racks[:, None])
        self.servers.extend(servers[:, None])
        self.start_s.extend(start_s)
        self.end_s.extend(
            at_s + (repair.back_s - at_s) for at_s, repair in zip(start_s, repairs, strict=True)
        )
        self.cause.extend(cause)
        self.reach.extend([OWN] * len(start_s))
        self.repair.extend(repairs)
