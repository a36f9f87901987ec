"""Closed forms as a map of a joint search: what they tell of a combination, scaled to the engine."""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.errors import ScenarioError
from simulator.scenario import Scenario
from simulator.studies import limits
from simulator.studies.joint_axis import Axis, Place
from simulator.studies.requirements import Requirement, Screen

Merit = tuple[bool, float, float]
"""Whether every limit is kept, the objective, the distance of the nearest limit: larger is better."""
NONE: Merit = (False, -math.inf, -math.inf)


@dataclass(frozen=True)
class ClosedForms:
    """Closed forms, each times what the engine says over what they say at one combination."""

    screen: Screen
    load: Callable[[Place], Scenario]
    ratio: dict[str, float]
    units: dict[str, Any]
    """Indicators of the engine there, with their units."""

    @classmethod
    def scaled(
        cls, screen: Screen, load: Callable[[Place], Scenario], at: Place, engine: dict[str, Any]
    ) -> "ClosedForms":
        """Return them scaled at a combination that the engine has run."""
        here = screen(load(at))
        known = {k: v for k, v in here.items() if v and k in engine and engine[k]["value"]}
        return cls(screen, load, {k: engine[k]["value"] / v for k, v in known.items()}, engine)

    def knows(self, goal: str | int) -> bool:
        """Return whether they tell an objective: an input's place, or an indicator they have."""
        return bool(self.ratio) and (isinstance(goal, int) or goal in self.ratio)

    def merit(
        self, axes: Sequence[Axis], goal: str | int, sign: float, requirements: Sequence[Requirement]
    ) -> Callable[[Place], Merit]:
        """Return what tells the merit of a combination; limits that they do not know are left out."""
        asked = [r for r in requirements if r.limit.kpi in self.ratio]

        @functools.cache
        def told(place: Place) -> Merit:
            kpis = self._kpis(place)
            if kpis is None:
                return NONE
            pairs = [(r, [limits.measured(r.limit, {"kpis": kpis, "checks": {}})]) for r in asked]
            if not all(r.keeps(pair) for r, (pair,) in pairs):
                return False, -math.inf, min(r.slack(p) for r, p in pairs)
            value = axes[goal].number(place[goal]) if isinstance(goal, int) else kpis[goal]["value"]
            return True, sign * value, min((r.slack(p) for r, p in pairs), default=0.0)

        return told

    def _kpis(self, place: Place) -> dict[str, Any] | None:
        """Return the scaled indicators of a combination; None where its checks or they refuse it."""
        try:
            found = self.screen(self.load(place))
        except ScenarioError:
            return None
        if not self.ratio.keys() <= found.keys():
            return None
        return {k: {**self.units[k], "value": f * found[k]} for k, f in self.ratio.items()}
