"""In-row coolers: coils and small fans between the racks, close to the heat."""

from typing import Annotated, Literal

from simulator.components.cooling.air_side import AirSide
from simulator.units import Fraction, Power, TemperatureDelta, Within


class InRow(AirSide):
    """Units in the rows draw from the hot aisle and blow into the cold one: a short path."""

    kind: Literal["in_row"] = "in_row"
    approach: Annotated[TemperatureDelta, Within("0.1 K", "20 K")] = 3.0
    """Supply air minus chilled water supply (2-4 K, assumed)."""
    range: Annotated[TemperatureDelta, Within("1 K", "40 K")] = 14.0
    """Return air minus supply air (12-16 K, assumed): little bypass so close to the racks."""
    fan: Annotated[Fraction, Within(0.0, 0.2)] = 0.02
    """Fan power over air heat at design (0.015-0.03, assumed): no ducts, no raised floor."""
    unit: Annotated[Power, Within("1 kW", "10 MW")] = 50e3
    """Air heat of one unit at design (30-70 kW, assumed)."""
