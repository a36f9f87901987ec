"""The medium-voltage network of a campus: buses, cables and ties between them, open points."""

from typing import Annotated, Literal

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.components.power.loss import LossCurve
from simulator.units import ApparentPower, Duration, Fraction, Positive, Voltage, Within

Impedance = Annotated[Fraction, Within("0.01 %", "100 %")]


class MvBus(Spec):
    """A section of medium-voltage switchgear, or a ring main unit."""

    name: str
    transformers: Annotated[int, Field(ge=0, le=100)] = 0
    """Main transformers that feed it; those of all buses add up to `grid.transformers.count`."""
    halls: tuple[str, ...] = ()
    """Halls whose feeders start here: one hall, `train-03`, or all of a group, `train`."""


class MvBranch(Spec):
    """A cable or a bus tie between two buses."""

    name: str
    between: tuple[str, str]
    """Names of its two buses."""
    rating: Annotated[ApparentPower, Positive()]
    loss: LossCurve = LossCurve(load=0.003)
    """At rating, as of all elements; its quadratic part is the resistance."""
    reactance: Impedance = 0.006
    """At rating and nominal voltage; twice the default resistance (assumed, x/r of cables 1-3)."""
    open: bool = False
    """Normally open: closed only when a bus would be dark without it."""


class MediumVoltage(Spec):
    """Where transformers and halls meet; blank in a topology: one bus for all."""

    voltage: Annotated[Voltage, Within("1 kV", "100 kV")] = 34_500.0
    """Of the buses; 4.16 to 34.5 kV are in use (assumed)."""
    buses: Annotated[tuple[MvBus, ...], Field(min_length=1, max_length=200)]
    branches: Annotated[tuple[MvBranch, ...], Field(max_length=400)] = ()
    operation: Literal["radial", "meshed"] = "radial"
    """radial: every loop has an open point, and buses with main transformers are not tied."""
    switching: Annotated[Duration, Within("0 s", "4 h")] = 60.0
    """Until the open point of a ring is closed and a dark bus is live again; automatic schemes take
    seconds to minutes (assumed, 1 s to 5 min)."""
    line_reactance: Impedance = 0.08
    """Of a transmission line, on its rating: 30 km of 345 kV at 0.37 ohm/km and 900 MVA (assumed)."""
    transformer_impedance: Impedance = 0.12
    """Of a main transformer (assumed, 9-14 %)."""
