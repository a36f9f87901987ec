"""Standby generators: how they come up, what they burn."""

import math
from typing import Annotated, Literal

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.units import (
    Duration,
    Fraction,
    NonNegative,
    Positive,
    Power,
    Rate,
    VolumeFlow,
    Within,
)

LITRES = 1000.0  # of a cubic metre
HOUR_S, KILO = 3600.0, 1000.0
ROUNDING = 1e-9
"""Relative; a set that its load fills exactly is not too small for it."""


class Generators(Spec):
    """Equal standby generator sets: a plant on one bus, or some of them at the lineups of racks."""

    count: Annotated[int, Field(ge=0, le=10_000)] | None = None
    """Blank: as many as carry what `backs` names, and `spare` more."""
    backs: Literal["support", "campus", "lineups"] | None = None
    """What they carry at design load. `support`: support racks, plants and offices; `campus`: all of
    it; `lineups`: every lineup of racks has sets of its own for all that its unit substation carries
    continuously, so that a redundancy scheme has its own generators too, and the rest of the campus has
    a plant. Without import a lineup whose own sets are not all there is not fed. Blank: `count`
    says how many there are, on one bus."""
    starts: Literal["lost", "short"] = "lost"
    """When the plant starts. `lost`: no import is possible; `short`: also when lines and main transformers in
    service let less be imported than the campus draws. Sets of a lineup start for it alone when its own bus is dead."""
    retransfer: Annotated[Duration, Within("0 s", "24 h")] = 900.0
    """From when a lineup whose own sets carry it alone could be fed again until it is (assumed, 5-30 min: a
    utility that is stable again)."""
    spare: Annotated[int, Field(ge=0, le=1000)] = 1
    """Sets of the plant beyond those that carry its load, where `count` is blank; lineups have none,
    their scheme is the reserve."""
    rating: Annotated[Power, Positive()]
    start: Annotated[Duration, Within("0 s", "1 h")]
    """From loss of supply to accepting load."""
    synchronise: Annotated[Duration, Within("0 s", "30 min")] = 0.0
    """From the first set on the bus to the last, one after another; 15-60 s for large plants. Blank:
    all at once."""
    first_step: Annotated[Fraction, Within("5 %", "100 %")] = 1.0
    """Share of a set's rating that it takes at once; ISO 8528-5 class G3 takes 50-70 %. Blank: all."""
    further_step: Annotated[Fraction, Within("1 %", "100 %")] = 0.2
    """Share that it takes with every further step (assumed, 10-25 %)."""
    recovery: Annotated[Duration, Within("0 s", "60 s")] = 4.0
    """Between steps, until frequency and voltage are back (derived: class G3 3-4 s)."""
    block: Annotated[Power, Positive()] | None = None
    """Load that is switched on as one: the sets that are on the bus carry as many of these as they can
    take, and the rest of the campus waits for the next. Blank: loads come on in as small steps as the
    sets need."""
    fail_to_start: Annotated[Fraction, Within("0 %", "100 %")] = 0.005
    """Probability per set and demand."""
    fail_running: Annotated[Rate, NonNegative()] = 2.8e-7
    """Failures of a running set per running time: 0.001/h, diesels of nuclear plants 0.0005-0.003
    (assumed)."""
    fuel_no_load: Annotated[float, Field(ge=0, le=1)] = 0.018
    """Fuel at no load, litres per hour per kW of rating."""
    fuel_slope: Annotated[float, Field(ge=0, le=2)] = 0.247
    """Further fuel per kWh delivered, litres."""
    tank: Annotated[Duration, Positive()] | None = None
    """Fuel on site, as time of all sets at full output; practice 24-48 h. Blank: fuel never runs
    out."""
    tank_start: Annotated[Fraction, Within("0 %", "100 %")] = 1.0
    """Filling of the tanks at the start of the run."""
    refuel_after: Annotated[Duration, Within("0 s", "30 days")] = 28_800.0
    """From the loss of supply until trucks deliver (assumed, 4-24 h)."""
    refuel: Annotated[VolumeFlow, NonNegative()] = 0.0
    """What trucks deliver from then on, until the tanks are full again. Blank: nothing."""

    @property
    def sets(self) -> int:
        """Sets that are built; ValueError as long as they are not counted (`scenario.provision`)."""
        if self.count is None:
            raise ValueError("how many generators are needed is not known yet")
        return self.count

    def sets_for(self, load_w: float) -> int:
        """Return the sets whose ratings carry a load."""
        return math.ceil(load_w / self.rating * (1.0 - ROUNDING))

    def fuel_l_s(self, sets: int, output_w: float) -> float:
        """Return the consumption, in litres per second, of so many running sets together."""
        no_load = self.fuel_no_load * sets * self.rating
        return (no_load + self.fuel_slope * output_w) / KILO / HOUR_S

    @property
    def tank_l(self) -> float:
        """Fuel that the tanks hold, in litres; infinite if it never runs out."""
        if self.tank is None:
            return math.inf
        return self.fuel_l_s(self.sets, self.sets * self.rating) * self.tank

    def on_bus_s(self, sets: int) -> list[float]:
        """Return when each of `sets` started sets is on the bus, after the first."""
        gap_s = self.synchronise / (sets - 1) if sets > 1 else 0.0
        return [gap_s * i for i in range(sets)]

    def takes(self, since_s: float) -> float:
        """Return the share of its rating that a set carries so long after it is on the bus."""
        if since_s < 0.0:
            return 0.0
        if self.recovery == 0.0:
            return 1.0
        steps = math.floor(since_s / self.recovery + 1e-9)
        return min(self.first_step + self.further_step * steps, 1.0)

    def takes_s(self, sets: int, load_w: float) -> float:
        """Return from when `sets` of the plant carry a load, or all that they do, after the first of them is on
        the bus; they come as close to each other as all of the plant would."""
        on_s = self.on_bus_s(max(self.sets, sets))[:sets]
        times = sorted(t + step_s for t in on_s for step_s in self._steps_s())
        return next((t for t in times if self._carried_w(on_s, t) >= load_w), times[-1])

    def steps(self, sets: int) -> list[tuple[float, float]]:
        """Return (time after the first set is on the bus, power that the bus can carry from then
        on) of every step until all `sets` carry their rating."""
        on_s = self.on_bus_s(sets)
        times = sorted({t + step_s for t in on_s for step_s in self._steps_s()})
        carried = [(t, self._carried_w(on_s, t)) for t in times]
        return [
            step for i, step in enumerate(carried) if i == 0 or step[1] > carried[i - 1][1]
        ]

    def _steps_s(self) -> list[float]:
        """Return when a set takes its steps of load, after it is on the bus."""
        each = math.ceil((1.0 - self.first_step) / self.further_step - 1e-9)
        return [self.recovery * k for k in range(each + 1)]

    def _carried_w(self, on_s: list[float], at_s: float) -> float:
        """Return what sets carry at a time, each on the bus since a time."""
        return self.rating * math.fsum(self.takes(at_s - s) for s in on_s)
