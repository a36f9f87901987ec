"""Standby generators."""

from typing import Annotated

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.units import Duration, Fraction, NonNegative, Positive, Power, Rate, Within


class Generators(Spec):
    """A plant of equal standby generator sets."""

    count: Annotated[int, Field(ge=0, le=10_000)]
    rating: Annotated[Power, Positive()]
    start: Annotated[Duration, Within("0 s", "1 h")]
    """From loss of supply to accepting load."""
    fail_to_start: Annotated[Fraction, Within("0 %", "100 %")] = 0.005
    """Probability per set and demand."""
    fail_running: Annotated[Rate, NonNegative()] = 2.8e-7
    """Failures of a running set per running time: 0.001/h, diesels of nuclear plants 0.0005-0.003
    (assumed)."""
    fuel_no_load: Annotated[float, Field(ge=0, le=1)] = 0.018
    """Fuel at no load, litres per hour per kW of rating."""
    fuel_slope: Annotated[float, Field(ge=0, le=2)] = 0.247
    """Further fuel per kWh delivered, litres."""
