"""The accelerator: one chip as its datasheet describes it."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from simulator.components.kinds import Spec
from simulator.units import (
    Bandwidth,
    ComputeRate,
    DataSize,
    Fraction,
    HeatCapacity,
    NonNegative,
    Positive,
    Power,
    Temperature,
    TemperatureDelta,
    ThermalResistance,
    Within,
)


class Accelerator(Spec):
    """One accelerator chip (GPU, TPU, Maia, Trainium ...). Peaks are dense."""

    name: str
    """Name as used in scenarios, for example GB300."""
    aliases: tuple[str, ...] = ()
    """Other spellings that mean the same chip."""
    vendor: str
    first_party: bool = False
    """Designed by the operator itself."""
    peak: dict[str, Annotated[ComputeRate, Positive()]]
    """Dense peak rate by precision: bf16, fp8, fp4, int8."""
    sustained: dict[str, Annotated[Fraction, Within("1 %", "100 %")]] = Field(default_factory=dict)
    """Measured rate of large matrix products as a share of peak, by precision."""
    cores: Annotated[int, Field(ge=1)] = 128
    """Units that share the tiles of a matrix product: SMs, compute units, matrix arrays."""
    tile: Annotated[int, Field(ge=16)] = 128
    """Edge of the square of a product's result that one core works on at a time."""
    attention_forward: Annotated[Fraction, Within("1 %", "100 %")] = 0.50
    """Share of the 16-bit peak that fused attention keeps in long heads of 128, forward."""
    attention_backward: Annotated[Fraction, Within("1 %", "100 %")] = 0.40
    """The same backward, 2.5 times the work of forward."""
    memory: Annotated[DataSize, Positive()]
    """Usable high-bandwidth memory."""
    memory_bandwidth: Annotated[Bandwidth, Positive()]
    tdp: Annotated[Power, Within("10 W", "20 kW")]
    """Largest sustained chip power."""
    idle: Annotated[Power, NonNegative()]
    """Power with clocks up and no work."""
    scaleup_bandwidth: Annotated[Bandwidth, Positive()]
    """Unidirectional bandwidth per chip inside the scale-up domain."""
    scaleup_domain: Annotated[int, Field(ge=1)]
    """Chips in one scale-up domain."""
    scaleup_torus: tuple[Annotated[int, Field(ge=2)], ...] = ()
    """Chips along each axis of the torus that joins the domain; empty where switches or direct
    links join every two chips."""
    scaleout_bandwidth: Annotated[Bandwidth, Positive()]
    """Unidirectional network bandwidth per chip between domains."""
    throttle_start: Temperature = 87.0
    """Junction temperature at which clocks begin to fall."""
    throttle_full: Temperature = 89.0
    """Junction temperature at which clocks are halved."""
    shutdown: Temperature = 92.0
    """Junction temperature at which the chip switches off."""
    throttle_hysteresis: Annotated[TemperatureDelta, Within("0 K", "20 K")] = 0.0
    """A slowed clock rises again only so far below the throttle band. 0 K: a chip that goes back and
    forth within a minute runs at its settled clock on the mean; 3-5 K holds it at its slowest until
    the heat has passed (assumed)."""
    hbm_throttle: Temperature = 95.0
    """Memory temperature at which clocks begin to fall (H100 PCIe brief, vendor; taken over where a
    chip does not say); halved and off as far above it as the junction's limits are above theirs."""
    hbm_rise: Annotated[float, Field(ge=0.5, le=2.0)] = 1.1
    """Hottest memory stack over its coolant, of the junction over the same (0.9-1.25, assumed: stacks
    share the lid and cold plate, and stand on less conductive silicon)."""
    thermal_resistance: Annotated[ThermalResistance, Positive()]
    """Junction to coolant (or inlet air) at rated flow."""
    heat_capacity: Annotated[HeatCapacity, Positive()]
    """Package and cold plate or heat sink."""
    leakage_w_per_k: Annotated[float, Field(ge=0)] = 0.0
    """Extra chip power per kelvin above `leakage_reference`, W/K."""
    leakage_reference: Temperature = 65.0
    power_exponent: Annotated[float, Field(ge=1, le=4)] = 2.5
    """Dynamic power ~ clock ** exponent near the top of the voltage-frequency curve (P ~ f V^2)."""

    @model_validator(mode="after")
    def _draws_more_at_work(self) -> Self:
        if self.idle >= self.tdp:
            raise ValueError("idle must be less than tdp")
        return self
