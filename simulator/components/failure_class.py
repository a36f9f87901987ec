"""A class of failures: how often, how it ages, what it takes out, how long repair lasts."""

from typing import Annotated, Literal

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.units import (
    Duration,
    Fraction,
    NonNegative,
    Positive,
    Rate,
    Temperature,
    TemperatureDelta,
)

Population = Literal[
    "accelerator", "server", "rack", "block", "hall", "leaf_switch", "spine_switch",
    "core_switch", "uplink", "optic", "hall_group", "support_server",
    "liquid_plant_unit", "air_plant_unit", "liquid_plant_fan", "air_plant_fan",
    "coolant_unit", "coolant_pump", "line", "transformer", "feeder", "ups_module", "generator",
    "substation", "busway", "mv_section", "transfer_switch", "mv_bus", "mv_branch",
    "liquid_loop_pump", "air_loop_pump", "air_unit", "mechanical_substation", "connection",
    "feeder_breaker", "substation_breaker", "busway_breaker", "mv_branch_breaker", "battery_unit",
    "rack_battery",
]
Effect = Literal[
    "interrupt", "server", "rack", "block", "flow", "pump", "switch", "uplink", "plant_unit",
    "plant_fan", "line", "transformer", "feeder", "ups", "generator", "support", "corrupt", "push",
    "feed", "transfer", "mv_bus", "mv_branch", "loop_pump", "air_unit", "mechanical", "sag",
    "battery_unit", "rack_battery",
]

Crew = Literal["it", "network", "mechanical", "electrical"]


class FailureClass(Spec):
    """One hazard that competes with the others on every member of its population."""

    name: str
    """Cause, as it appears in `failures.<cause>`."""
    per: Population
    """What one unit of the population is."""
    rate: Annotated[Rate, NonNegative()]
    """Failures per unit and time at the reference temperature, at age `age_reference`."""
    shape: Annotated[float, Field(gt=0.2, le=5)] = 1.0
    """Weibull shape: below 1 infant mortality, 1 exponential, above 1 wear-out."""
    age_reference: Annotated[Duration, Positive()] = 31_557_600.0
    """Age at which the hazard equals `rate`."""
    temperature: Literal["junction", "air", "coolant"] = "junction"
    """Which temperature speeds it up: of the rack's hottest chip, of its hall's air, of the coolant
    supplied to it."""
    temperature_reference: Temperature = 65.0
    doubling: Annotated[TemperatureDelta, Positive()] | None = None
    """Temperature rise that doubles the hazard; blank for none."""
    effect: Effect
    """What leaves service. `interrupt` takes nothing out but stops the job above it; `flow` and
    `pump` take a coolant unit or one of its pumps, and where no coolant is left the racks trip when
    their chips are too hot; `feed` takes a substation, a busway or a switchgear section, with the
    blocks that nothing else feeds, `transfer` a transfer switch with its block; `mv_bus` and
    `mv_branch` parts of the medium-voltage network; `loop_pump` a pump of a water loop, `air_unit` one
    of a hall's fan walls, `mechanical` a unit substation of its plants; `battery_unit` a unit of the
    battery plant with its power and charge, `rack_battery` the battery units of one rack, which are
    missed when the supply is; `sag` lowers the voltage of the whole campus to `voltage` for as long as
    it lasts; `corrupt` takes the
    server out once the wrong numbers are found; `push` takes servers of a whole hall group, hall by
    hall."""
    transient: Annotated[Fraction, Field(ge=0, le=1)] = 0.0
    """Share that a restart cures, with `reset` instead of `repair`."""
    reset: Annotated[Duration, NonNegative()] = 600.0
    repair: Annotated[Duration, Positive()]
    """Median time to repair, detection and parts included."""
    repair_spread: Annotated[float, Field(ge=0, le=2)] = 0.5
    """Log-standard deviation of the repair time."""
    crew: Crew = "it"
    """Trade that repairs it, where the scenario has `operations`."""
    part: str | None = None
    """Spare part that a repair takes; blank for none."""
    hands_on: Annotated[Duration, Positive()] | None = None
    """Median time of a crew at it, with the crew and the part at hand; blank: `repair`."""
    detection: Annotated[Duration, NonNegative()] = 0.0
    """Median time until it is noticed, where that is not part of `repair`."""
    detection_spread: Annotated[float, Field(ge=0, le=2)] = 0.5
    """Log-standard deviation of the time until it is noticed."""
    infant: Annotated[float, Field(ge=0, le=1000)] = 0.0
    """Further hazard of a new unit over `rate`; fades with `infant_decay`."""
    infant_decay: Annotated[Duration, Positive()] = 2_592_000.0
    """Time in which infant mortality falls to 1/e."""
    common_cause: Annotated[Fraction, Field(ge=0, le=1)] = 0.0
    """Share of failures that take every redundant unit of the group (beta factor)."""
    spread: Annotated[float, Field(ge=0, le=2)] = 0.0
    """Log-standard deviation of the rate between fleets; blank in the catalog: its range, taken as
    5th to 95th percentile."""
    voltage: Annotated[Fraction, Field(ge=0, lt=1)] = 0.4
    """Effect `sag`: voltage that is left, of nominal."""
    push_share: Annotated[Fraction, Field(ge=0, le=1)] = 0.0
    """Effect `push`: share of the servers it reaches that fail."""
    push_wave: Annotated[Duration, Positive()] = 86_400.0
    """Effect `push`: time from one hall to the next, until it is noticed (`detection`)."""
