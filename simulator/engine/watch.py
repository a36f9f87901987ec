"""The account of elements that carry too much: since when, how much of their tolerance is used, what
is held back or switched off for their sake."""

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field


@dataclass
class Exposure:
    """An element above its continuous limit. It is used up in proportion to time over the time that
    its loading is allowed (the linear rule of inverse-time curves)."""

    since_s: float
    at_s: float
    loading: float
    """Of the rating in service, from `at_s` on."""
    allowed_s: float
    """At that loading."""
    used: float = 0.0
    """Share of its tolerance, up to `at_s`."""

    def advance(self, at_s: float) -> None:
        """Count the time up to `at_s`."""
        elapsed_s = max(at_s - self.at_s, 0.0)
        if self.allowed_s <= 0.0:
            self.used = 1.0
        elif not math.isinf(self.allowed_s):
            self.used += elapsed_s / self.allowed_s
        self.at_s = max(at_s, self.at_s)

    @property
    def ends_s(self) -> float:
        """Return when the tolerance is used up."""
        left = max(1.0 - self.used, 0.0)
        return self.at_s + left * self.allowed_s if left > 0.0 else self.at_s


@dataclass(frozen=True)
class Worst:
    """The most of all times that an element was above its continuous limit."""

    first_s: float
    loading: float
    """Of the rating in service."""
    used: float
    """Share of its tolerance."""
    over_s: float
    """Of the longest time."""


@dataclass
class Watch:
    """Of one run. Elements are nodes of the power tree, or -1 for the interconnection."""

    over: dict[int, Exposure] = field(default_factory=dict)
    act_s: float = math.inf
    """When caps take hold that were ordered by an event."""
    looked_s: float = -math.inf
    """When loadings were last foretold because something changed."""
    generation: int = 0
    """Counts the alarm clocks for the end of a tolerance; only the last one rings."""
    held_w: dict[int, float] = field(default_factory=dict)
    """What caps hold back now."""
    held_j: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    capped_s: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    shed_j: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    trips: Counter[int] = field(default_factory=Counter)
    exceeded: Counter[int] = field(default_factory=Counter)
    """Times an element was above its rating for longer than its tolerance."""
    asked: dict[int, int] = field(default_factory=dict)
    """Element for whose sake a load goes off, where that is not the interconnection."""
    worst: dict[int, Worst] = field(default_factory=dict)
    """Since somebody emptied it (`studies.contingency_watch`)."""
    _since_s: dict[int, float] = field(default_factory=dict)
    _off: dict[int, tuple[int, float, float]] = field(default_factory=dict)

    def note(self, node: int, exposure: Exposure) -> None:
        """Keep the most of what an element stands."""
        over_s = exposure.at_s - exposure.since_s
        was = self.worst.get(node, Worst(exposure.since_s, 0.0, 0.0, 0.0))
        self.worst[node] = Worst(
            was.first_s, max(was.loading, exposure.loading), max(was.used, exposure.used), max(was.over_s, over_s)
        )

    def hold(self, node: int, held_w: float, at_s: float) -> bool:
        """Note what is held back for an element from `at_s` on; return whether that begins or ends."""
        before_w = self.held_w.get(node, 0.0)
        if before_w > 0.0:
            elapsed_s = max(at_s - self._since_s[node], 0.0)
            self.held_j[node] += before_w * elapsed_s
            self.capped_s[node] += elapsed_s
        self._since_s[node] = at_s
        if held_w > 0.0:
            self.held_w[node] = held_w
        else:
            self.held_w.pop(node, None)
        return (before_w > 0.0) != (held_w > 0.0)

    def off(self, load: int, power_w: float, at_s: float) -> None:
        """Note that a load of so many watts goes off."""
        self._off[load] = (self.asked.pop(load, -1), power_w, at_s)

    def on(self, load: int, at_s: float) -> None:
        """Note that it is back."""
        node, power_w, since_s = self._off.pop(load)
        self.shed_j[node] += power_w * (at_s - since_s)

    def finish(self, end_s: float) -> None:
        """Close the account at the end of the run."""
        for node in list(self.held_w):
            self.hold(node, 0.0, end_s)
        for load in list(self._off):
            self.on(load, end_s)
