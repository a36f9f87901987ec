"""Inverse planning of a few inputs at once: the combination that keeps the limits and makes an input, or
an indicator, as large or as small as may be.

Every input has a range and a step, so the combinations are a lattice. Of two points that keep the limits
the one with the better objective is better, then the one further from its nearest limit; of two that do
not, the one that misses them by less. Four steps look for the best:

1. Closed forms (`studies.screen`), scaled to what the engine says at the best point so far, are climbed
   over the whole lattice: they propose a point. Where the engine refuses it, the way back to the best
   point is halved. That is repeated while it helps.
2. The engine is run one step of each input away, both ways. On these slopes an integer programme proposes
   the next point within a region that shrinks where it does not hold (successive linear programming,
   Griffith and Stewart, Management Science 7(4) 1961): it follows the edge of a limit.
3. Where no step changes the goal, or nothing kept the limits yet, longer strides both ways are tried, from
   half the range down (Hooke and Jeeves, Journal of the ACM 8(2) 1961, diagonals included).
4. It ends where none of the neighbours one step away, diagonals included, is better. That is what is
   shown; where what keeps the limits lies in several parts, a better one further away can be missed.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simulator.errors import nearest
from simulator.scenario import Scenario
from simulator.studies import StudyError, limits
from simulator.studies.inverse import Direction
from simulator.studies.joint_axis import Axis, Place
from simulator.studies.joint_guess import ClosedForms
from simulator.studies.joint_move import best_move
from simulator.studies.joint_point import Point, slopes
from simulator.studies.requirements import Requirement, Runner, Screen, Trial

Loader = Callable[[dict[str, str]], Scenario]
"""Returns the scenario with inputs at values as written."""
COARSE = 5
"""Values of each input at which closed forms are read before they are climbed."""
PROPOSALS = 4
"""How often closed forms are scaled anew and asked again."""
MOST_MISSED = 1e3
"""By how many times itself a limit counts as missed at most: an indicator may have no value."""
HOPE = 0.03
"""Of a limit, by which slopes may see it missed and a point still be tried: limits are bent."""
MOST_TRIED = 2000
"""Points; a search that needs more is refused."""


@dataclass(frozen=True)
class Joint:
    """What a joint search found."""

    goal: str
    direction: Direction
    unit: str
    axes: tuple[Axis, ...]
    best: Point | None
    nearest: Point
    """The best, or where nothing keeps the limits the point that misses them least."""
    points: dict[Place, Point]
    """Everything that was tried."""


@dataclass
class JointSearch:
    """One search of a few inputs."""

    goal: str
    direction: Direction
    axes: tuple[Axis, ...]
    requirements: tuple[Requirement, ...]
    load: Loader
    run: Runner
    replicates: int
    screen: Screen | None = None
    told: Callable[[Point], None] = lambda point: None
    points: dict[Place, Point] = field(default_factory=dict)
    summaries: dict[Place, dict[str, Any]] = field(default_factory=dict)
    """Of the first replicate, by place."""
    unit: str = ""

    def __post_init__(self) -> None:
        self.trial = Trial(self.requirements, self.run, self.replicates)
        keys = [axis.key for axis in self.axes]
        self.own = keys.index(self.goal) if self.goal in keys else None
        self.sign = 1.0 if self.direction == "max" else -1.0
        if self.own is not None:
            self.unit = self.axes[self.own].unit

    def answer(self) -> Joint:
        """Return what was found; LimitError for unknown indicators, StudyError for an unknown goal."""
        best = self._proposed(self._at(tuple(axis.first for axis in self.axes)))
        while True:
            best = self._moved(best)
            longest = 1 if best.candidate.feasible and self._sloped(best) else self._longest
            found = self._at(self._climbed(best.place, self._engine, self._pruned, longest))
            if found == best:
                break
            best = found
        kept = best if self._merit(best)[0] else None
        return Joint(self.goal, self.direction, self.unit, self.axes, kept, best, self.points)

    def _proposed(self, best: Point) -> Point:
        """Return the best point that closed forms lead to."""
        for _ in range(PROPOSALS):
            place = self._guess(best)
            if place is None or place in self.points:
                break
            found = max((self._at(place), self._halved(best, place)), key=self._merit)
            if self._merit(found) <= self._merit(best):
                break
            best = found
        return best

    def _halved(self, near: Point, place: Place) -> Point:
        """Return the last point that keeps the limits on the way from one that does to one that may
        not; the first where it does not."""
        far = self._at(place)
        while near.candidate.feasible and not far.candidate.feasible:
            pairs = zip(near.place, far.place, strict=True)
            middle = tuple((a + b) // 2 for a, b in pairs)
            if middle in (near.place, far.place):
                break
            found = self._at(middle)
            near, far = (found, far) if found.candidate.feasible else (near, found)
        return near

    def _guess(self, at: Point) -> Place | None:
        """Return where closed forms see the best point; None where they do not know the goal."""
        engine = self.summaries.get(at.place)
        if self.screen is None or engine is None:
            return None
        goal = self.goal if self.own is None else self.own
        scaled = ClosedForms.scaled(self.screen, self._loaded, at.place, engine["kpis"])
        if not scaled.knows(goal):
            return None
        merit = scaled.merit(self.axes, goal, self.sign, self.requirements)
        start = max(self._coarse(), key=merit)
        return self._climbed(start, merit, lambda best, place: False, self._longest)

    def _coarse(self) -> Iterator[Place]:
        """Return combinations of a few values of each input, both ends among them."""
        levels = [
            dict.fromkeys(round(axis.last * i / (COARSE - 1)) for i in range(COARSE)) for axis in self.axes
        ]
        return itertools.product(*levels)

    def _moved(self, best: Point) -> Point:
        """Return the best point that moves on slopes lead to: as far as these see the limits kept, then
        a little further and back to the limits from there, on the slopes found there."""
        for hope in (0.0, HOPE):
            reach = 0.5
            while reach * self._longest >= 0.5:
                found = self._landed(best, self._move(best, reach, hope))
                if hope and not found.candidate.feasible:
                    found = self._at(self._move(found, reach, 0.0))
                if self._merit(found) > self._merit(best):
                    best = found
                else:
                    reach *= 0.5
        return best

    def _landed(self, best: Point, place: Place) -> Point:
        """Return the point of a move, or the last on the way there that keeps the limits where that is better."""
        if place in self.points:
            return self.points[place]
        found = self._at(place)
        kept = self._halved(best, place)
        return kept if self._merit(kept) > self._merit(best) else found

    def _move(self, at: Point, reach: float, hope: float) -> Place:
        """Return where the slopes around a point lead within a part of each range, limits being wider
        by a part of them."""
        self._next_units(at.place)
        if not at.each:
            return at.place
        gained, used, _ = slopes(self.points, at, self.sign, self.requirements)
        pairs = [(r, at.candidate.found[str(r)]) for r in self.requirements]
        scale = np.array([abs(found[0][1]) or 1.0 for _, found in pairs])
        room = np.array([max(r.slack(found), -MOST_MISSED) + hope for r, found in pairs]) * scale
        ends = [(p, axis.last, max(round(reach * axis.last), 1)) for p, axis in zip(at.place, self.axes, strict=True)]
        low = np.array([-min(p, most) for p, _, most in ends], float)
        high = np.array([min(last - p, most) for p, last, most in ends], float)
        move = best_move(gained, used, room, scale, low, high)
        return tuple(p + m for p, m in zip(at.place, move, strict=True))

    def _sloped(self, at: Point) -> bool:
        """Return whether a step of any input changes the goal; on a plateau longer ones are tried."""
        return bool(slopes(self.points, at, self.sign, ())[0].any())

    @property
    def _longest(self) -> int:
        return max(axis.last for axis in self.axes)

    def _climbed(
        self, place: Place, merit: Callable[[Place], Any], pruned: Callable[[Place, Place], bool], longest: int
    ) -> Place:
        """Return where no neighbour one step away has more merit; strides halve from half the
        longest range."""
        stride = 1 << (max(longest // 2, 1).bit_length() - 1)
        while stride >= 1:
            better = next((p for p in self._neighbours(place, stride)
                           if not pruned(place, p) and merit(p) > merit(place)), None)  # fmt: skip
            if better is None:
                stride //= 2
            else:
                place = better
        return place

    def _neighbours(self, place: Place, stride: int) -> Iterator[Place]:
        """Yield what lies a stride away along any of the inputs, those ahead in the goal first; at the
        ends of ranges what is left of a stride."""
        moves = list(itertools.product((1, -1, 0), repeat=len(self.axes)))
        if self.own is not None:
            own, ahead = self.own, (self.sign, 0.0, -self.sign)
            moves.sort(key=lambda move: ahead.index(move[own]))
        for move in moves:
            ends = zip(place, move, self.axes, strict=True)
            to = tuple(min(max(p + m * stride, 0), axis.last) for p, m, axis in ends)
            if to != place:
                yield to

    def _pruned(self, best: Place, place: Place) -> bool:
        """Return whether no run is needed to see that a point is not better: its goal is an input."""
        if self.own is None or not self.points[best].candidate.feasible:
            return False
        return self.sign * (place[self.own] - best[self.own]) < 0.0

    def _next_units(self, best: Place) -> None:
        """Try one step of each input alone, both ways: what the next unit costs."""
        for i, axis in enumerate(self.axes):
            for to in (best[i] - 1, best[i] + 1):
                if 0 <= to <= axis.last:
                    self._at((*best[:i], to, *best[i + 1 :]))

    def _engine(self, place: Place) -> tuple[bool, float, float]:
        return self._merit(self._at(place))

    def _merit(self, point: Point) -> tuple[bool, float, float]:
        """Return what makes one point better than another, the larger the better."""
        feasible = point.candidate.feasible and not math.isnan(point.objective)
        return feasible, self.sign * point.objective if feasible else -math.inf, point.slack

    def _at(self, place: Place) -> Point:
        if place not in self.points:
            if len(self.points) >= MOST_TRIED:
                raise StudyError(f"{MOST_TRIED} combinations were not enough: take narrower ranges or longer steps")
            self.points[place] = self._made(place)
            self.told(self.points[place])
        return self.points[place]

    def _made(self, place: Place) -> Point:
        values = self._values(place)
        name = ", ".join(f"{key} = {value}" for key, value in values.items())
        candidate, summaries = self.trial.judged(name, len(self.points), lambda: self._loaded(place))
        if not summaries:
            return Point(place, values, candidate, math.nan, -math.inf)
        self.summaries[place] = summaries[0]
        each = tuple(self._goal(place, summary) for summary in summaries)
        slack = min(r.slack(candidate.found[str(r)]) for r in self.requirements)
        return Point(place, values, candidate, sum(each) / len(each), slack, each)

    def _goal(self, place: Place, summary: dict[str, Any]) -> float:
        """Return the objective of one run."""
        if self.own is not None:
            return self.axes[self.own].number(place[self.own])
        kpis = summary["kpis"]
        if self.goal not in kpis:
            near = nearest(self.goal, [*kpis, *(axis.key for axis in self.axes)])
            raise StudyError(f"'{self.goal}' is neither an input of --vary nor a KPI of the run{near}")
        self.unit, value = kpis[self.goal]["unit"], kpis[self.goal]["value"]
        return math.nan if value is None else limits.in_unit(value, self.unit)

    def _values(self, place: Place) -> dict[str, str]:
        return {axis.key: axis.written(p) for axis, p in zip(self.axes, place, strict=True)}

    def _loaded(self, place: Place) -> Scenario:
        return self.load(self._values(place))
