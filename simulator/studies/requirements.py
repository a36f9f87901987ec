"""Requirements on indicators, and what becomes of a candidate that is held against them.

A candidate is first screened: the scenario's own checks (ratings, counts, what fits where) refuse it
without a run, and one replicate refuses what misses a limit that every replicate must keep. Only what
passes is verified by every replicate.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from scipy import special

from simulator.errors import ScenarioError
from simulator.scenario import Scenario
from simulator.studies import limits
from simulator.studies.distributions import parts_of
from simulator.studies.limits import Limit, LimitError

Runner = Callable[[Scenario, Iterable[int]], list[dict[str, Any]]]
"""Runs replicates of a scenario; returns a `summary.json` document of each."""
Screen = Callable[[Scenario], dict[str, float]]
"""Returns indicators in closed form, as many as it knows, in the units of `summary.json`."""
Pairs = list[tuple[float, float]]
"""Indicator and limit of each replicate."""
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Requirement:
    """A limit, to be kept by the mean of the replicates or by a share of them."""

    limit: Limit
    share: float | None = None

    def __str__(self) -> str:
        return str(self.limit) if self.share is None else f"{self.limit} @ {100 * self.share:g} %"

    def keeps(self, pair: tuple[float, float]) -> bool:
        """Return whether an indicator keeps its limit."""
        return bool(limits.COMPARE[self.limit.operator](*pair))

    def kept(self, pairs: Pairs) -> bool:
        """Return whether the replicates keep it: their mean, or enough of them."""
        if self.share is None:
            return self.keeps((mean(pairs), pairs[0][1]))
        return sum(self.keeps(pair) for pair in pairs) >= self.share * len(pairs) - 1e-9

    def slack(self, pairs: Pairs) -> float:
        """Return how far the limit is, as a part of it: the mean's, or that of the last replicate
        which must keep it. Negative where it is not kept, -inf for an indicator without a value."""
        each = sorted((self._slack(pair) for pair in pairs), reverse=True)
        if self.share is None:
            return self._slack((mean(pairs), pairs[0][1]))
        return each[math.ceil(self.share * len(each) - 1e-9) - 1]

    def _slack(self, pair: tuple[float, float]) -> float:
        value, bound = pair
        if math.isnan(value):
            return -math.inf
        room = (bound - value) / (abs(bound) or 1.0)
        operator = self.limit.operator
        return room if operator[0] == "<" else -room if operator[0] == ">" else -abs(room)


@dataclass(frozen=True)
class Candidate:
    """What became of one value."""

    value: str
    place: int
    feasible: bool
    refused: str = ""
    """The problem for which no run was made."""
    replicates: int = 0
    found: dict[str, Pairs] = field(default_factory=dict)
    """Indicator and limit of each requirement, replicate by replicate."""
    broken: tuple[str, ...] = ()
    """Requirements that were not kept."""


@dataclass(frozen=True)
class Trial:
    """What holds candidates against requirements."""

    requirements: tuple[Requirement, ...]
    run: Runner
    replicates: int

    def judged(
        self, value: str, place: int, load: Callable[[], Scenario]
    ) -> tuple[Candidate, list[dict[str, Any]]]:
        """Return what became of a candidate, and the summaries of its replicates."""
        try:
            scenario = load()
        except ScenarioError as error:
            return Candidate(value, place, False, refused=error.problems[0].message), []
        summaries = self.run(scenario, range(1))
        if self.replicates > 1 and not self._broken(summaries, alone=True):
            summaries = summaries + self.run(scenario, range(1, self.replicates))
        broken = self._broken(summaries, alone=False)
        found = {
            str(r): [limits.measured(r.limit, s) for s in summaries] for r in self.requirements
        }
        made = Candidate(value, place, not broken, "", len(summaries), found, tuple(broken))
        return made, summaries

    def _broken(self, summaries: list[dict[str, Any]], alone: bool) -> list[str]:
        """Return the requirements that these replicates do not keep.

        One replicate alone refuses only what every replicate must keep: a share can still be met
        without it.
        """
        asked = [r for r in self.requirements if r.share == 1.0 or not alone]
        pairs = {str(r): [limits.measured(r.limit, s) for s in summaries] for r in asked}
        return [str(r) for r in asked if not r.kept(pairs[str(r)])]


def read(text: str) -> Requirement:
    """Return the requirement of `KPI <= X` or `KPI <= X @ 95 %`."""
    stated, _, share = text.partition("@")
    if not share.strip():
        return Requirement(limits.read(stated))
    try:
        number, unit = parts_of(share.strip())
    except ValueError:
        number, unit = -1.0, ""
    number *= 0.01 if unit == "%" else 1.0
    if unit not in ("", "%") or not 0.0 < number <= 1.0:
        raise LimitError(f"'{text}': after @ stands a share of the replicates, e.g. @ 95 %")
    return Requirement(limits.read(stated), number)


def chance_at_least(kept: int, replicates: int) -> float:
    """Return the share kept that is exceeded with 95 % confidence (Clopper and Pearson, 1934)."""
    if kept == 0:
        return 0.0
    return float(special.betaincinv(kept, replicates - kept + 1, 1.0 - CONFIDENCE))


def mean(pairs: Pairs) -> float:
    """Return the mean of the indicator; NaN of none."""
    return sum(value for value, _ in pairs) / len(pairs) if pairs else math.nan
