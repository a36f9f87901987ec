"""What a utility allows a large load to do inside a minute: limits on ramps, swings and oscillation."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simulator.components.kinds import Spec
from simulator.components.power import swings
from simulator.units import (
    Duration,
    Fraction,
    Frequency,
    NonNegative,
    Positive,
    Power,
    RampRate,
    Within,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Verdict:
    """One limit against a trace."""

    limit: str
    unit: str
    allowed: float
    found: float | None
    """None where the trace is too short to tell."""
    reason: str = ""

    @property
    def passes(self) -> bool | None:
        """Whether it is kept; None where that cannot be told."""
        return None if self.found is None else self.found <= self.allowed


class Limit(Spec):
    """One limit."""

    kind: str
    unit: str = "MW"

    @abstractmethod
    def allowed(self, power_w: Floats) -> float:
        """Return the limit in its unit."""

    @abstractmethod
    def found(self, power_w: Floats, dt_s: float) -> float:
        """Return what the trace does, in the limit's unit; ValueError says why it cannot be told."""

    @abstractmethod
    def told(self) -> str:
        """Return the limit in words."""

    def judge(self, power_w: Floats, dt_s: float) -> Verdict:
        """Hold a trace in W, sampled every `dt_s`, against the limit."""
        try:
            return Verdict(self.told(), self.unit, self.allowed(power_w), self.found(power_w, dt_s))
        except ValueError as error:
            return Verdict(self.told(), self.unit, self.allowed(power_w), None, str(error))


class Ramp(Limit):
    """Change of power over a while."""

    kind: Literal["ramp"]
    unit: Literal["MW/min"] = "MW/min"
    most: Annotated[RampRate, Positive()]
    over: Annotated[Duration, Within("10 ms", "1 h")] = 60.0
    """Between the two powers."""
    average: Annotated[Duration, Within("0 s", "1 h")] = 0.0
    """Each of them a mean over so long."""
    least: Annotated[Power, NonNegative()] = 0.0
    """Only changes above this count, from one turn of the power to the next."""

    def allowed(self, power_w: Floats) -> float:
        """Return MW/min."""
        return self.most * 60e-6

    def found(self, power_w: Floats, dt_s: float) -> float:
        """Return the steepest."""
        return swings.ramp_w_s(power_w, dt_s, self.over, self.average, self.least) * 60e-6

    def told(self) -> str:
        """Return it in words."""
        mean = f", means of {self.average:g} s" if self.average else ""
        least = f", of changes above {self.least * 1e-6:g} MW" if self.least else ""
        return f"ramp over {self.over:g} s{mean}{least}"


class Swing(Limit):
    """Difference between any two powers within a while."""

    kind: Literal["swing"]
    most: Annotated[Power, Positive()]
    within: Annotated[Duration, Within("10 ms", "1 h")]

    def allowed(self, power_w: Floats) -> float:
        """Return MW."""
        return self.most * 1e-6

    def found(self, power_w: Floats, dt_s: float) -> float:
        """Return the largest."""
        if power_w.size * dt_s < self.within:
            raise ValueError(f"needs at least {self.within:g} s")
        return swings.peak_to_peak_w(power_w, dt_s, self.within) * 1e-6

    def told(self) -> str:
        """Return it in words."""
        return f"peak to peak within {self.within:g} s"


class Band(Limit):
    """Oscillation in a band of frequencies: half its largest swing."""

    kind: Literal["band"]
    most: Annotated[Power, Positive()]
    share: Annotated[Fraction, Within("0.01 %", "100 %")] | None = None
    """Of mean power, where that is less."""
    low: Annotated[Frequency, Positive()]
    high: Annotated[Frequency, Positive()]

    def allowed(self, power_w: Floats) -> float:
        """Return MW."""
        share_w = (self.share or 1.0) * float(np.mean(power_w))
        return min(self.most, share_w if self.share else self.most) * 1e-6

    def found(self, power_w: Floats, dt_s: float) -> float:
        """Return the amplitude; above half the sampling rate there is nothing to see."""
        return swings.band_amplitude_w(power_w, dt_s, self.low, self.high) * 1e-6

    def told(self) -> str:
        """Return it in words."""
        return f"amplitude in {self.low:g}-{self.high:g} Hz"


class BandShare(Limit):
    """Energy of a band as a share of that of all frequencies above zero."""

    kind: Literal["band_share"]
    unit: Literal["%"] = "%"
    most: Annotated[Fraction, Within("0 %", "100 %")]
    low: Annotated[Frequency, Positive()]
    high: Annotated[Frequency, Positive()]

    def allowed(self, power_w: Floats) -> float:
        """Return percent."""
        return 100.0 * self.most

    def found(self, power_w: Floats, dt_s: float) -> float:
        """Return percent."""
        return 100.0 * swings.spectrum(power_w, dt_s).share(self.low, self.high)

    def told(self) -> str:
        """Return it in words."""
        return f"share of energy in {self.low:g}-{self.high:g} Hz"


AnyLimit = Annotated[Ramp | Swing | Band | BandShare, Field(discriminator="kind")]


class Mask(Spec):
    """The limits of one utility or proposal."""

    name: str
    aliases: tuple[str, ...] = ()
    limits: Annotated[tuple[AnyLimit, ...], Field(min_length=1)]

    def judge(self, power_w: Floats, dt_s: float) -> list[Verdict]:
        """Hold a trace against every limit."""
        return [limit.judge(power_w, dt_s) for limit in self.limits]
