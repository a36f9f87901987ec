"""Standby generators."""

from typing import Annotated

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.units import Duration, Fraction, Power


class Generators(Spec):
    """A plant of equal standby generator sets."""

    count: Annotated[int, Field(ge=0, le=10_000)]
    rating: Power
    start: Duration
    """From loss of supply to accepting load."""
    fail_to_start: Fraction = 0.005
    """Probability per set and demand."""
    fuel_no_load: float = 0.018
    """Fuel at no load, litres per hour per kW of rating."""
    fuel_slope: float = 0.247
    """Further fuel per kWh delivered, litres."""
