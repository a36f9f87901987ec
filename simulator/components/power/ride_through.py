"""What loads do in a voltage sag, and what grids ask of them."""

import math
from typing import Annotated

from pydantic import Field, model_validator

from simulator.components.kinds import Spec
from simulator.units import Duration, Fraction, NonNegative, Positive, RampRate, Within

NOTICE_S = 2.0
"""Load counts as lost that is not drawn so long after the voltage is back: ERCOT's window."""

Voltage = Annotated[Fraction, Within("0 %", "150 %")]


class Withstand(Spec):
    """How long low voltage is borne, in steps as ITIC and CBEMA draw it."""

    below: Annotated[tuple[Voltage, ...], Field(min_length=1)]
    """Voltages of nominal, rising; at the last or above, nothing happens."""
    time: Annotated[tuple[Annotated[Duration, NonNegative()], ...], Field(min_length=1)]
    """How long voltage below each is borne, not falling."""

    @model_validator(mode="after")
    def _steps(self) -> "Withstand":
        if len(self.below) != len(self.time):
            raise ValueError(f"{len(self.below)} voltages need as many times, not {len(self.time)}")
        if list(self.below) != sorted(set(self.below)) or list(self.time) != sorted(self.time):
            raise ValueError("voltages must rise, and times must not fall")
        return self

    def holds_s(self, voltage: float) -> float:
        """Return how long a voltage, of nominal, is borne; infinite at the last step or above."""
        for below, seconds in zip(self.below, self.time, strict=True):
            if voltage < below:
                return seconds
        return math.inf


def _withstand(below: tuple[float, ...], time: tuple[str, ...]) -> Withstand:
    return Withstand.model_validate({"below": below, "time": time})


class RideThrough(Spec):
    """How the loads of a campus take a voltage sag."""

    supplies: Withstand = _withstand((0.7, 0.8, 0.9), ("20 ms", "0.5 s", "10 s"))
    """Power supplies of racks (derived: the ITIC curve, 20 ms without voltage, 0.5 s at 70 %, 10 s
    at 80 %)."""
    full_power: Annotated[Fraction, Within("10 %", "100 %")] = 0.8
    """Voltage down to which power supplies draw full power; below it their current is at its limit
    (assumed, 75-90 %)."""
    supplies_start: Annotated[Duration, NonNegative()] = 3.0
    """From voltage back until power supplies that went off deliver again, of `boot`; until then they draw
    nothing (assumed, 1-5 s: supplies of servers are specified to 3 s)."""
    boot: Annotated[Duration, NonNegative()] = 480.0
    """From voltage back until racks that lost power stand idle again, after a sag or an outage (assumed,
    5-15 min)."""
    restart: Annotated[Duration, NonNegative()] = 600.0
    """From there until their work runs again (assumed, 5-30 min); in a run of served models and batch
    work only, as jobs restart by their own rules."""
    boot_draw: Annotated[Fraction, Within("0 %", "150 %")] = 1.0
    """What racks draw as they boot, of what they draw at rest (assumed, 60-120 %: processors and fans work,
    accelerators wait for their driver)."""
    ramp: Annotated[RampRate, Positive()] | None = None
    """How fast the power of the campus may rise as racks that lost power, or were switched off, come back:
    they start one after another, the highest priority first, and loads are capped; blank: as they boot."""
    machines: Withstand = _withstand((0.5, 0.7, 0.8), ("20 ms", "100 ms", "1 s"))
    """Contactors and drives of pumps, fans and chillers that no UPS feeds (assumed: contactors drop
    out below 50 % within a cycle or two, drives trip below 70 %)."""
    machines_restart: Annotated[Duration, NonNegative()] = 60.0
    """From voltage back until they start (assumed, 15 s-5 min)."""
    machines_ramp: Annotated[Duration, NonNegative()] = 120.0
    """One after another, until all run (assumed, 1-5 min)."""


    def boots(self, rest: float) -> list[tuple[float, float]]:
        """Return what racks draw in turn from when they have voltage until they stand idle, and each how long
        after the one before in s: as they boot, and `rest`."""
        off_s = min(self.supplies_start, self.boot)
        return [(off_s, self.boot_draw * rest), (self.boot - off_s, rest)]


class GridRule(Spec):
    """What a grid asks of large loads in a sag."""

    name: str
    applies: str
    """To whom, in words."""
    stay: Withstand | None = None
    """Voltages in which load must stay for so long; blank: no curve."""
    recovery_share: Annotated[Fraction, Within("50 %", "100 %")]
    """Of the power before that must be drawn again."""
    recovery: Annotated[Duration, NonNegative()]
    """Time for that, once the voltage is back."""
    counting: bool = True
    """Whether transferring load after a count of sags is allowed."""

    def asks(self, voltage: float, seconds: float) -> bool:
        """Return whether load must ride through a sag: it is in the curve, or there is none."""
        return self.stay is None or seconds <= self.stay.holds_s(voltage)
