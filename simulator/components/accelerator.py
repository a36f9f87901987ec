"""The accelerator: one chip as its datasheet describes it."""

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.units import (
    Bandwidth,
    ComputeRate,
    DataSize,
    Fraction,
    HeatCapacity,
    Power,
    Temperature,
    ThermalResistance,
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
    peak: dict[str, ComputeRate]
    """Dense peak rate by precision: bf16, fp8, fp4, int8."""
    sustained: dict[str, Fraction] = Field(default_factory=dict)
    """Measured rate of large matrix products as a share of peak, by precision."""
    memory: DataSize
    """Usable high-bandwidth memory."""
    memory_bandwidth: Bandwidth
    tdp: Power
    """Largest sustained chip power."""
    idle: Power
    """Power with clocks up and no work."""
    scaleup_bandwidth: Bandwidth
    """Unidirectional bandwidth per chip inside the scale-up domain."""
    scaleup_domain: int
    """Chips in one scale-up domain."""
    scaleout_bandwidth: Bandwidth
    """Unidirectional network bandwidth per chip between domains."""
    throttle_start: Temperature = 87.0
    """Junction temperature at which clocks begin to fall."""
    throttle_full: Temperature = 89.0
    """Junction temperature at which clocks are halved."""
    shutdown: Temperature = 92.0
    """Junction temperature at which the chip switches off."""
    thermal_resistance: ThermalResistance
    """Junction to coolant (or inlet air) at rated flow."""
    heat_capacity: HeatCapacity
    """Package and cold plate or heat sink."""
    leakage_w_per_k: float = 0.0
    """Extra chip power per kelvin above `leakage_reference`, W/K."""
    leakage_reference: Temperature = 65.0
    power_exponent: float = 2.5
    """Dynamic power ~ clock ** exponent near the top of the voltage-frequency curve (P ~ f V^2)."""
