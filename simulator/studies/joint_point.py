"""A combination of a joint search, and the slopes around it: what one step of each input changes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.studies.joint_axis import Place
from simulator.studies.requirements import Candidate, Requirement

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Point:
    """A combination, and what became of it."""

    place: Place
    values: dict[str, str]
    candidate: Candidate
    objective: float
    """Mean of the replicates made, or the input's number; NaN where nothing was run."""
    slack: float
    """Distance of the nearest limit as a part of it, negative where one is missed."""
    each: tuple[float, ...] = ()
    """The objective of each replicate."""


Points = Mapping[Place, Point]


def beside(points: Points, at: Point, i: int, way: int) -> Point | None:
    """Return the point one step of one input away; None beyond the range."""
    own = at.place
    return points.get((*own[:i], own[i] + way, *own[i + 1 :]))


def around(points: Points, at: Point) -> list[Point]:
    """Return what was tried of the neighbours one step away, diagonals included."""
    return [
        point for place, point in points.items()
        if max(abs(a - b) for a, b in zip(place, at.place, strict=True)) == 1
    ]  # fmt: skip


def gain(point: Point, at: Point, sign: float) -> float:
    """Return by how much a point's objective is better, on the replicates that both have; NaN of none."""
    pairs = list(zip(point.each, at.each, strict=False))
    return sign * sum(a - b for a, b in pairs) / len(pairs) if pairs else math.nan


def taken(point: Point, at: Point, required: Requirement) -> float:
    """Return how much nearer to a limit a point's indicator is, in its unit, on the replicates of both."""
    sign = -1.0 if required.limit.operator[0] == ">" else 1.0
    pairs = zip(point.candidate.found[str(required)], at.candidate.found[str(required)], strict=False)
    found = [there - here for (there, _), (here, _) in pairs]
    return sign * sum(found) / len(found)


def slopes(
    points: Points, at: Point, sign: float, requirements: Sequence[Requirement]
) -> tuple[Array, Array, Array]:
    """Return per step of each input: the objective's gain, (inputs,); what it takes of each limit,
    (inputs, limits); and a column for each way that an input cannot go, (inputs, ends).

    The mean of both ways where both were run, one of them otherwise, nothing where none was.
    """
    count = len(at.place)
    gained, used, ends = np.zeros(count), np.zeros((count, len(requirements))), []
    for i in range(count):
        found = {way: beside(points, at, i, way) for way in (-1, 1)}
        known = {way: p for way, p in found.items() if p is not None and not math.isnan(p.objective)}
        for way, point in known.items():
            gained[i] += way * gain(point, at, sign) / len(known)
            each = [taken(point, at, required) for required in requirements]
            used[i] += way * np.nan_to_num(each) / len(known)
        ends += [[way * float(k == i) for k in range(count)] for way in found.keys() - known.keys()]
    return gained, used, np.array(ends, float).reshape(-1, count).T
