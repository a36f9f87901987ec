"""What every process of a run shares: the clock, the site, the state, the draws, the log."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import simpy

from simulator import rng
from simulator.components.fabric.tier import Tier
from simulator.components.power.transformer import DESIGN_AMBIENT_C
from simulator.engine.alarm import Alarm
from simulator.engine.elements import rack_name
from simulator.engine.fabric import Network
from simulator.engine.outage_log import Dark, Outages, Repair
from simulator.engine.plant_state import plants_of
from simulator.engine.starts import starts_of
from simulator.engine.state import State
from simulator.engine.storage import Store
from simulator.engine.support_state import support_of
from simulator.engine.watch import Watch
from simulator.kernels import philox
from simulator.kernels.entry import entry_of
from simulator.kernels.load_account import flush_load
from simulator.kernels.repair import Shop, closed
from simulator.site import Site

OnAlarm = Callable[[Alarm], object]
"""Called when something fails under a load."""
REST = -1
"""Stands for all that hangs on no lineup of racks, where lineups are told by their substations."""
AFTER_ALL = 10**9
"""Place in the order of an instant behind all that SimPy orders by itself (0 and 1), whatever the priority."""
Renetwork = Callable[[tuple[Tier, ...]], str]
"""Called with a load's tiers when they change; returns in words what follows for it."""


class Turn(simpy.Event):
    """Fires at the present instant, after all else that happens in it; the turn of higher priority first."""

    def __init__(self, env: simpy.Environment, priority: int) -> None:
        super().__init__(env)
        self._ok, self._value = True, None
        env.schedule(self, simpy.events.EventPriority(AFTER_ALL - priority))


@dataclass
class World:
    """One replicate in progress. Times are seconds from the start of the run."""

    env: simpy.Environment
    site: Site
    state: State
    seed: int
    replicate: int
    end_s: float
    events: list[tuple[float, str, str, str, float, str]] = field(default_factory=list)
    alarms: dict[int, OnAlarm] = field(default_factory=dict)
    networks: dict[int, Renetwork] = field(default_factory=dict)
    restored: dict[int, simpy.Event] = field(default_factory=dict)
    resumes: dict[int, tuple[np.ndarray, float]] = field(default_factory=dict)
    """Share and running of loads that are off, as they were."""
    repaired_s: dict[tuple[str, int, int], float] = field(default_factory=dict)
    """When a unit that failed is back, by class, target and unit."""
    outages: Outages = field(default_factory=Outages)
    inflicted: Repair | None = None
    """Of the failure or the planned work whose effect is being applied; None between them."""
    absent: dict[Hashable, dict[int, float]] = field(default_factory=dict)
    """When the units of a group that are or were out come back, by their number; outage.py."""
    support_changed: simpy.Event | None = None
    racks_freed: simpy.Event | None = None
    racks_lost: Callable[[np.ndarray], None] | None = None
    """Called with the loads, of each rack one, that lose racks which they share with others."""
    supply_lost_s: float | None = None
    """Since when no import is possible."""
    transformers_up: list[tuple[float, int]] = field(default_factory=list)
    """Main transformers in service since a time, after each change."""
    called_s: float | None = None
    """Since when the generators are called for, or carry what is not imported; generators.py."""
    on_bus: dict[int, float] = field(default_factory=dict)
    """Since when each generator set that runs is on the bus."""
    sets_due: dict[int, float] = field(default_factory=dict)
    """From when on its own sets carry each lineup whose bus is dead while the campus is not; infinite: they do
    not come up. Lineups are told by their substations; lineup_sets.py, as below."""
    sets_fed_s: dict[int, float] = field(default_factory=dict)
    """Since when each of them that is carried could be fed again."""
    dark: dict[int, Dark] = field(default_factory=dict)
    """Blocks that lost power and do not work again; power_loss.py."""
    struck: dict[int, tuple[str, float]] = field(default_factory=dict)
    """What took racks of a load, or switched it off, and when; until its job is back."""
    pick_up: Callable[..., None] | None = None
    """Lets racks start as fast as power may rise; None: at once. Of pick_up.py."""
    ramp_caps: np.ndarray | None = None
    """Cap on each load while power may only rise so fast; pick_up.py."""
    may_import_w: float = 0.0
    """What lines and main transformers in service, and the contract, let import."""
    back_w: float | None = None
    """What may be imported of that while the return to the grid is held by a ramp; hand_back.py."""
    back_s: float = 0.0
    """Since when it is, or was last."""
    needs_w: dict[int, float] = field(default_factory=dict)
    """What each lineup of racks drew when the supply was lost, and all else (`REST`); empty while anything is
    imported."""
    forgotten: set[int] = field(default_factory=set)
    """Lineups whose racks went dark before the return that a ramp holds: they boot in their turn."""
    off_bus: dict[int, float] = field(default_factory=dict)
    """When each lineup that nothing on site carries is carried again, as far as is known; while
    nothing is imported."""
    bus_changed: Callable[[], None] | None = None
    """Called when the sources on site carry more or less, while nothing is imported."""
    unfed: set[int] = field(default_factory=set)
    """UPS of lineups whose feed is out."""
    bridged_s: dict[int, float] = field(default_factory=dict)
    """Since when each battery of a lineup or a block carries its load; of those that ever did."""
    fuel_short: bool = False
    """Whether the generators had too little fuel in the last step."""
    overloaded: bool = False
    watched: Callable[[int], None] | None = None
    """Told of every load that changes, while someone watches."""
    watch: Watch = field(default_factory=Watch)
    """Elements above their rating, and what is capped for them."""
    outdoor_c: Callable[[], float] = lambda: DESIGN_AMBIENT_C
    """Returns the outdoor air of the moment; a hot day's where no weather is followed."""
    decide: Callable[..., list[float]] | None = None
    """The capping policy; None: nothing acts on overloads."""
    supply_changed: Callable[[], None] | None = None
    """Called when something is lost that others then carry."""
    power_changed: Callable[[str], None] | None = None
    """Called with a cause when something above a hall's plants was lost or came back."""
    shop: Shop = field(default_factory=closed)
    """Who repairs; of the failure front."""
    strike: Callable[[int], None] | None = None
    """Applies a failure of the queue, by its place; of the failure front."""
    _entries: dict[Any, Callable[..., Any]] = field(default_factory=dict)
    _rack_names: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.network = Network(self.site)
        self.store = Store(self.site)
        self.plants = plants_of(self.site)
        self.starts = starts_of(self.site)
        self.support = support_of(self.site)

    def log(
        self, kind: str, element: str, cause: str = "", duration_s: float = np.nan,
        detail: str = "", at_s: float | None = None, place: int | None = None,
    ) -> None:
        """Add a row to the event table: at its end, or before what stands at a place."""
        at_s, place = self.env.now if at_s is None else at_s, len(self.events) if place is None else place
        self.events.insert(place, (at_s, kind, element, cause, duration_s, detail))

    def close(self, event: int, at_s: float) -> None:
        """Note in the event table how long something lasted that is over."""
        began_s, kind, element, cause, _, detail = self.events[event]
        self.events[event] = (began_s, kind, element, cause, at_s - began_s, detail)

    def set_load(
        self, load: int, *, on: float | None = None, dynamic_frac: float | None = None,
        share: np.ndarray | None = None, running: float | None = None, cap: float | None = None,
        clock_bound_frac: float | None = None, at_s: float | None = None,
    ) -> None:
        """Change what a load does from now on (or from `at_s`, a step boundary)."""
        loads = self.state.loads
        arguments = (loads, int(load), float(self.env.now if at_s is None else at_s))
        self.entry(flush_load, *arguments)(*arguments)
        if on is not None:
            loads.on[load] = on
        if dynamic_frac is not None:
            loads.dynamic_frac[load] = dynamic_frac
        if share is not None:
            loads.share[load] = share
        if running is not None:
            loads.running[load] = running
        if cap is not None:
            loads.cap[load] = cap
        if clock_bound_frac is not None:
            loads.clock_bound_frac[load] = clock_bound_frac
        if self.watched is not None:
            self.watched(int(load))

    def entry(self, kernel: Any, *arguments: Any) -> Callable[..., Any]:
        """Return the entry point of a kernel that this run calls with these types only."""
        if kernel not in self._entries:
            self._entries[kernel] = entry_of(kernel, *arguments)
        return self._entries[kernel]

    def share_entries(self, other: "World") -> None:
        """Take over the entry points that another run of the same scenario has looked up."""
        self._entries |= other._entries

    def alarm(self, load: int, alarm: Alarm) -> None:
        """Tell a load that something under it failed, and how that shows itself."""
        handler = self.alarms.get(load)
        if handler is None:
            return
        if self.inflicted is not None:
            told = self.inflicted
            alarm = replace(
                alarm, unnoticed_s=told.unnoticed_s, diagnosis_s=told.diagnosis_s,
                planned=told.planned,
            )
        handler(alarm)

    def tell_power(self, cause: str) -> None:
        """Have it looked at which halls still have power for their plants."""
        if self.power_changed is not None:
            self.power_changed(cause)

    def turn(self, priority: int) -> Turn:
        """Return the event at which whoever lost racks may claim others: all losses of the instant are known
        then, and those of higher priority have had theirs."""
        return Turn(self.env, priority)

    def wake_waiting(self) -> None:
        """Tell whoever waits for racks that some came free."""
        if self.racks_freed is not None and not self.racks_freed.triggered:
            self.racks_freed.succeed()

    def wait_for_racks(self) -> simpy.Event:
        """Return an event that fires when racks come free."""
        if self.racks_freed is None or self.racks_freed.triggered:
            self.racks_freed = self.env.event()
        return self.racks_freed

    def rack_name(self, rack: int) -> str:
        """Return the name of a rack."""
        if rack not in self._rack_names:
            self._rack_names[rack] = rack_name(self.site, rack)
        return self._rack_names[rack]

    def stream(self, purpose: str) -> "Stream":
        """Return the named random stream of this replicate."""
        return Stream(*rng.key(self.seed, self.replicate, purpose))


@dataclass(frozen=True)
class Stream:
    """A keyed stream: a draw depends on its counter words alone, not on the order of calls."""

    key0: int
    key1: int

    def uniform(self, *words: int) -> float:
        """Return a uniform draw in (0, 1)."""
        return philox.uniform(self.key0, self.key1, *_four(words))

    def normal(self, *words: int) -> float:
        """Return a standard normal draw."""
        return philox.normal(self.key0, self.key1, *_four(words))


def _four(words: tuple[int, ...]) -> tuple[int, int, int, int]:
    padded = (*words, 0, 0, 0, 0)
    return padded[0], padded[1], padded[2], padded[3]
