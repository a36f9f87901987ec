"""Inverse planning: the largest or smallest value of one input that keeps limits on indicators.

Closed forms (`studies.screen`), scaled to what the engine says at the first value, tell in milliseconds
where a limit is about to break; the engine's search goes on from there, and never takes their word.
Every candidate is judged by `studies.requirements`. The search assumes that what breaks a limit goes on
breaking it further out, doubles its stride until one does (on the way down to nothing it halves), and
halves the bracket; what it met on the way shows whether that held. `studies.joint` has several inputs.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import yaml

from simulator.errors import ScenarioError, nearest
from simulator.scenario import Scenario, resolved
from simulator.studies import StudyError, limits
from simulator.studies.distributions import parts_of, written
from simulator.studies.requirements import (
    Candidate,
    Requirement,
    Runner,
    Screen,
    Trial,
    chance_at_least,
    mean,
)

Direction = Literal["max", "min"]
Loader = Callable[[str], Scenario]
"""Returns the scenario with the searched key at a value as written."""
MOST_STRIDES = 40
PARTS = 100.0
"""A quantity is searched in steps of this part of its present value unless told otherwise."""


@dataclass(frozen=True)
class Answer:
    """The value found, what stops it, and what a step more would cost."""

    key: str
    direction: Direction
    best: Candidate | None
    beyond: Candidate | None
    """The next value out, which does not keep the limits; None at the end of the range."""
    tried: tuple[Candidate, ...]
    step: float
    """Distance from one value to the next, in the unit that values are written in."""

    @property
    def monotone(self) -> bool:
        """Whether no value beyond one that failed was found to pass."""
        sign = 1 if self.direction == "max" else -1
        ordered = sorted(self.tried, key=lambda c: sign * c.place)
        passed = [c.feasible for c in ordered]
        return passed == sorted(passed, reverse=True)


def present(scenario: Scenario, key: str) -> Any:
    """Return the value of a dotted key as the resolved document writes it."""
    node: Any = yaml.safe_load(resolved(scenario))
    parts = key.split(".")
    while parts:
        if isinstance(node, list):
            node = {str(item.get("name", i)): item for i, item in enumerate(node)}
        known = node if isinstance(node, dict) else {}
        # Names of items may hold dots themselves: the longest that is known wins.
        ends = [n for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in known]
        if not ends:
            near = nearest(parts[0], known)
            raise StudyError(f"{key}: no '{parts[0]}' in the resolved scenario{near}")
        node, parts = known[".".join(parts[: ends[0]])], parts[ends[0] :]
    return node["value"] if isinstance(node, dict) and "value" in node else node


@dataclass
class Search:
    """One search over whole multiples of a step."""

    key: str
    direction: Direction
    requirements: tuple[Requirement, ...]
    load: Loader
    run: Runner
    replicates: int
    start: str
    step: str | None = None
    least: str | None = None
    most: str | None = None
    told: Callable[[Candidate], None] = lambda candidate: None
    screen: Screen | None = None

    def __post_init__(self) -> None:
        number, self.unit = parts_of(self.start)
        self.whole = isinstance(self.start, int) and self.step is None
        self.size = self._number(self.step) if self.step else 1.0 if self.whole else number / PARTS
        if self.size <= 0.0:
            raise StudyError(f"{self.key} is {self.start}: say the step of the search with --step")
        self.first = round(number / self.size)
        ends = [self._number(end) / self.size if end else None for end in (self.least, self.most)]
        nothing = 0 if self.first >= 0 else -math.inf
        self.low = nothing if ends[0] is None else math.ceil(ends[0] - 1e-9)
        self.high = math.inf if ends[1] is None else math.floor(ends[1] + 1e-9)
        if self.low > self.high:
            raise StudyError(f"no step of {self.size:g} {self.unit} lies between the ends of the range")
        self.tried: dict[int, Candidate] = {}
        self.trial = Trial(self.requirements, self.run, self.replicates)
        self.summaries: dict[int, dict[str, Any]] = {}
        """Of the first replicate, by place."""

    def answer(self) -> Answer:
        """Return the outermost value that keeps every limit; LimitError for unknown indicators."""
        out = 1 if self.direction == "max" else -1
        inside, beyond = self._bracket(out)
        while inside is not None and beyond is not None and abs(beyond - inside) > 1:
            middle = (inside + beyond) // 2
            inside, beyond = (middle, beyond) if self._passes(middle) else (inside, middle)
        best = None if inside is None else self.tried[inside]
        over = None if beyond is None else self.tried[beyond]
        return Answer(self.key, self.direction, best, over, tuple(self.tried.values()), self.size)

    def _bracket(self, out: int) -> tuple[int | None, int | None]:
        """Return a place that passes and one further out that fails, None where there is none."""
        start = int(min(max(self.first, self.low), self.high))
        passes = self._passes(start)
        toward, last = (out, start) if passes else (-out, start)
        hint = self._hint(start, toward)
        if hint is not None and self._passes(hint) != passes:
            return self._back(hint, start)
        last, ahead = (start, self._next) if hint is None else (hint, self._clipped)
        stride = 1
        for _ in range(MOST_STRIDES):
            place = ahead(last, toward, stride)
            if place == last:
                return (last, None) if passes else (None, last)
            if self._passes(place) != passes:
                return (last, place) if passes else (place, last)
            last, stride = place, stride * 2
        raise StudyError(f"{self.key}: no limit is met up to {self._written(last)}; give a range")

    def _back(self, hint: int, start: int) -> tuple[int, int]:
        """Return the bracket on the way back from a hint that went too far; strides double."""
        went_too_far, toward = self._passes(hint), 1 if start > hint else -1
        last, stride = hint, 1
        while True:
            place = last + toward * min(stride, abs(start - last))
            if self._passes(place) != went_too_far:
                return (last, place) if went_too_far else (place, last)
            last, stride = place, stride * 2

    def _hint(self, start: int, toward: int) -> int | None:
        """Return the last place before closed forms see the limits change over, the end of the range
        where they see none; None where they cannot tell."""
        fits = self._in_closed_form(start)
        if fits is None:
            return None
        was, near, stride = fits(start), start, 1
        for _ in range(MOST_STRIDES):
            far = self._next(near, toward, stride)
            if far == near or fits(far) != was:
                break
            near, stride = far, stride * 2
        else:
            return None
        while abs(far - near) > 1:
            middle = (near + far) // 2
            near, far = (middle, far) if fits(middle) == was else (near, middle)
        return near

    def _in_closed_form(self, start: int) -> Callable[[int], bool] | None:
        """Return whether a place keeps the limits by closed forms, scaled to meet the engine at the
        start; None where they know none of the limits, or the start could not be run."""
        engine, screen = self.summaries.get(start), self.screen
        if screen is None or engine is None:
            return None
        here, there = screen(self.load(self._written(start))), engine["kpis"]
        known = [r for r in self.requirements if here.get(r.limit.kpi) and r.limit.kpi in there]
        ratio = {r.limit.kpi: there[r.limit.kpi]["value"] / here[r.limit.kpi] for r in known}
        if not ratio:
            return None

        def fits(place: int) -> bool:
            try:
                guessed = screen(self.load(self._written(place)))
            except ScenarioError:
                return False
            told = {k: {**there[k], "value": f * guessed[k]} for k, f in ratio.items()}
            return all(r.keeps(limits.measured(r.limit, {"kpis": told, "checks": {}})) for r in known)

        return fits

    def _next(self, last: int, toward: int, stride: int) -> int:
        """Return where to look next: a longer stride up, half the way down to a least value."""
        if toward < 0 and self.low > -math.inf:
            return last - (last - int(self.low) + 1) // 2
        return self._clipped(last, toward, stride)

    def _clipped(self, last: int, toward: int, stride: int) -> int:
        """Return the place a stride away, or the end of the range."""
        return int(min(max(last + toward * stride, self.low), self.high))

    def _passes(self, place: int) -> bool:
        if place not in self.tried:
            self.tried[place] = self._tried(place)
            self.told(self.tried[place])
        return self.tried[place].feasible

    def _tried(self, place: int) -> Candidate:
        value = self._written(place)
        candidate, summaries = self.trial.judged(value, place, lambda: self.load(value))
        if summaries:
            self.summaries[place] = summaries[0]
        return candidate

    def _number(self, text: str) -> float:
        number, unit = parts_of(text)
        if unit != self.unit:
            raise StudyError(f"{self.key} is in '{self.unit}': write {text} in the same unit")
        return number

    def _written(self, place: int) -> str:
        return str(place) if self.whole else str(written(place * self.size, self.unit))


def shadow_prices(answer: Answer, requirements: Iterable[Requirement]) -> pd.DataFrame:
    """Return for each requirement the indicator at the value found and at the next, and how far
    the value would move for one unit more of the limit.

    Columns: requirement, binding, limit, at_best and at_next (means), shadow_price (change of the
    value per unit of the indicator, along the last step), share_kept, share_shown (what the
    replicates show with 95 % confidence).
    """
    rows, out = [], 1 if answer.direction == "max" else -1
    for required in requirements:
        best, beyond = answer.best, answer.beyond
        here = best.found.get(str(required), []) if best else []
        there = beyond.found.get(str(required), []) if beyond else []
        kept = sum(required.keeps(pair) for pair in here)
        at, after = mean(here), mean(there)
        rows.append({
            "requirement": str(required),
            "binding": beyond is not None and str(required) in beyond.broken,
            "limit": here[0][1] if here else math.nan,
            "at_best": at, "at_next": after,
            "shadow_price": out * answer.step / (after - at) if after != at else math.nan,
            "share_kept": kept / len(here) if here else math.nan,
            "share_shown": chance_at_least(kept, len(here)) if here else math.nan,
        })
    return pd.DataFrame(rows)
