"""Single-phase immersion: servers in oil that a pump moves through a water-cooled exchanger."""

from typing import Annotated, Literal

from simulator.components.cooling.cold_plate import ColdPlate
from simulator.components.cooling.immersion import Immersion
from simulator.components.cooling.rack_side import Bath
from simulator.units import (
    Duration,
    Fraction,
    Positive,
    TemperatureDelta,
    ThermalResistance,
    Within,
)


class SinglePhaseImmersion(Immersion):
    """Tanks of oil with pumps and exchangers; nothing boils, and the oil warms for minutes."""

    kind: Literal["single_phase_immersion"] = "single_phase_immersion"
    approach: Annotated[TemperatureDelta, Within("0.1 K", "20 K")] = 5.0
    """Oil into the tank minus facility supply at design heat (3-8 K, assumed)."""
    range: Annotated[TemperatureDelta, Within("1 K", "40 K")] = 8.0
    """Oil out of the tank minus into it at design heat (5-12 K, assumed)."""
    pump: Annotated[Fraction, Within("0 %", "20 %")] = 0.01
    """Oil pump power over design heat (0.5-2 %, assumed)."""
    chip_resistance: Annotated[ThermalResistance, Positive()] = 0.06
    """Junction to oil with an immersion heat sink in pumped oil (0.04-0.1 K/W, assumed)."""
    natural: Annotated[Fraction, Within("5 %", "100 %")] = 0.3
    """Oil past the chips by buoyancy alone, over pumped flow (0.1-0.5, assumed)."""
    mass: Annotated[Duration, Within("10 s", "2 h")] = 300.0
    """Thermal mass of oil, tank and servers: the time in which design heat warms it by 8 K, `range`
    (a 150 kW tank of 1,500 L of oil at 1.7 MJ/(m3 K) and 600 kg of steel: 160-300 s, assumed)."""

    @property
    def coolant_range_k(self) -> float:
        """Warming of the oil in the tank at design heat."""
        return self.range

    def resistance_frac(self, plate: ColdPlate, flow_frac: float = 1.0) -> float:
        """Return the chips' resistance over that in pumped oil; with pumps out buoyancy moves it. It is to
        the mixed oil, whose own warming the tank holds."""
        past = plate.model_copy(update={"warming": 0.0})
        return past.resistance_frac(max(flow_frac, self.natural))

    def bath(self, capacity_w: float) -> Bath:
        """Return the oil of units that move `capacity_w`."""
        return Bath(self.mass * capacity_w / self.range)
