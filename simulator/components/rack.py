"""The rack: accelerators, host and network parts behind power shelves."""

import math
from typing import Annotated, Self

from pydantic import Field, model_validator

from simulator.components.accelerator import Accelerator
from simulator.components.cooling.cold_plate import HEAT_SINK, ColdPlate
from simulator.components.kinds import Spec
from simulator.components.power.bbu import BatteryBackup
from simulator.components.power.loss import LossCurve
from simulator.units import (
    Fraction,
    MassFlow,
    NonNegative,
    Positive,
    Power,
    Temperature,
    ThermalConductance,
    ThermalResistance,
    Within,
)

LIQUID_FROM = 0.5
"""Share of a rack's heat in its cold plates from which its chips sit on them."""


class Rack(Spec):
    """One rack type. A rack with no accelerators is a support rack (CPU, storage, network)."""

    name: str
    aliases: tuple[str, ...] = ()
    accelerator: str | None = None
    """Chip in the rack, by catalog name."""
    accelerators: Annotated[int, Field(ge=0, le=4096)] = 0
    servers: Annotated[int, Field(ge=1, le=4096)] = 1
    """Servers or trays: the unit that leaves for repair."""
    nameplate: Annotated[Power, Within("100 W", "5 MW")]
    """Provisioned input power of the rack."""
    host_idle: Annotated[Power, NonNegative()]
    """Everything but accelerators, before the power shelves, at no work."""
    host_max: Annotated[Power, NonNegative()]
    """The same at full work."""
    utilization: Annotated[Fraction, Within("0 %", "100 %")] = 0.0
    """Steady work of a support rack, as a fraction of idle-to-maximum; accelerator racks follow
    their workload instead."""
    intake_throttle: Annotated[Temperature, Within("25 degC", "80 degC")] = 40.0
    """Air at the intake from which the first of many racks without accelerators slow or switch off
    (ASHRAE allows class A3 40 degC; 35-45, assumed)."""
    intake_shutdown: Annotated[Temperature, Within("30 degC", "90 degC")] = 50.0
    """The same at which the last of them is off, and a rack of chips switches itself off: it breathes that air
    whole, or for what of it coolant does not cool (45-60, assumed)."""
    power_shelf: LossCurve
    """Conversion loss of the power shelves, of their rating."""
    power_shelf_rating: Annotated[Power, Positive()]
    battery_backup: BatteryBackup | None = None
    """Batteries in the rack, or in the row for it; blank: none."""
    liquid_fraction: Annotated[Fraction, Within("0 %", "100 %")]
    """Share of rack heat taken by cold plates; the rest goes to air."""
    coolant_flow: Annotated[MassFlow, NonNegative()] = 0.0
    """Liquid coolant through the rack at rated flow; blank: 1.5 L/min per kW. Only a check reads it
    (too little for the chips is an error); a run follows the coolant unit's flow."""
    coolant_supply_max: Annotated[Temperature, Within("15 degC", "100 degC")] | None = None
    """Warmest coolant its maker lets into the cold plates at design; blank: not known. A warmer
    `supply` is told before a run, which goes on: chips slow by their own temperature only."""
    cold_plate: ColdPlate | None = None
    """How its chips' resistance follows the flow, and what the flow takes; blank: the defaults of
    cold plates, or of heat sinks where the chips are in air."""
    chip_resistance: Annotated[ThermalResistance, Positive()] | None = None
    """Junction to coolant of its chips at rated flow, where it is not the chip's own figure."""
    chip_leakage: Annotated[ThermalConductance, NonNegative()] | None = None
    """Extra power of each of its chips per kelvin, where it is not the chip's own figure."""
    resistance_spread: Annotated[Fraction, Within("0 %", "50 %")] = 0.05
    """Manufacturing spread (one sigma) of the hottest chip's thermal resistance between racks."""
    chip_spread: Annotated[Fraction, Within("0 %", "50 %")] = 0.03
    """The same (one sigma) between the chips of one rack, of which the hottest stands for all in a
    plan (1-6 %, assumed)."""
    chips_in_series: Annotated[int, Field(ge=1, le=64)] = 2
    """Chips of a server one behind the other in its coolant or air, as far as they divide (assumed:
    pairs, as plates of a module or the two rows of an eight-chip board)."""
    network_ports: Annotated[int, Field(ge=0, le=65_536)] = 0
    """Back-end network ports."""
    fabric: bool = False
    """Holds the switches of its halls' fabric: such racks share what the switches and their optics
    draw, instead of working at `utilization`."""
    ups: bool = False
    """Fed through a UPS (network, storage, controls); accelerator racks ride on rack batteries."""

    @model_validator(mode="after")
    def _slows_before_it_is_off(self) -> Self:
        if self.intake_throttle >= self.intake_shutdown:
            raise ValueError("intake_throttle must be colder than intake_shutdown")
        return self

    def input_w(self, chip: Accelerator, dynamic_frac: float, coolant_c: float) -> float:
        """Return the draw in W with all chips at one dynamic power, once they have settled.

        `coolant_c` is what cools the chips. Leakage and junction settle together: P = P_static + k T
        with T = T_coolant + R P.
        """
        leak = self.leakage_w_k(chip)
        cold_w = chip.idle + leak * (coolant_c - chip.leakage_reference)
        cold_w += dynamic_frac * (chip.tdp - chip.idle)
        chip_w = cold_w / (1.0 - leak * self.resistance_k_w(chip))
        host_w = self.host_idle + dynamic_frac * (self.host_max - self.host_idle)
        output_w = self.accelerators * chip_w + host_w
        return output_w + self.power_shelf.loss_w(output_w, self.power_shelf_rating)

    @property
    def series(self) -> int:
        """Return how many chips of a server stand one behind the other."""
        return math.gcd(self.chips_in_series, max(self.accelerators_per_server, 1))

    def resistance_k_w(self, chip: Accelerator) -> float:
        """Return junction to coolant of its chips at rated flow."""
        return chip.thermal_resistance if self.chip_resistance is None else self.chip_resistance

    def leakage_w_k(self, chip: Accelerator) -> float:
        """Return the extra power of each of its chips per kelvin."""
        return chip.leakage_w_per_k if self.chip_leakage is None else self.chip_leakage

    @property
    def liquid_cooled(self) -> bool:
        """Whether its chips sit on cold plates or in a fluid, not in the hall's air."""
        return self.liquid_fraction >= LIQUID_FROM

    @property
    def plate(self) -> ColdPlate:
        """How the resistance of its chips follows the flow past them."""
        return self.cold_plate or (ColdPlate() if self.liquid_cooled else HEAT_SINK)

    @property
    def accelerators_per_server(self) -> int:
        """Accelerators that leave with one server."""
        return self.accelerators // self.servers if self.servers else 0
