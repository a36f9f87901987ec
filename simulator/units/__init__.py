"""Text with a unit becomes a plain SI float here, once, at the border.

A field of a specification says what it is (`Power`, `Duration`, …) and, if need be, its bounds:

    rating: Annotated[Power, Positive()]

The vocabulary is closed: bits are not bytes, volt-amperes are not watts, a temperature is not a
temperature difference. Conversion factors are exact fractions, so `text` can write what `parse`
reads back bit for bit. A bare number is an error unless the quantity is a plain fraction; values
that are SI floats already pass with the validation context `{"si": True}`.
"""

from fractions import Fraction as _Exact
from typing import Annotated

from simulator.units.bounds import NonNegative, Positive, Within
from simulator.units.quantity import (
    QUANTITIES,
    Quantity,
    parse,
    quantity,
    quantity_of,
    text,
)

__all__ = [
    "QUANTITIES",
    "NonNegative",
    "Positive",
    "Quantity",
    "Within",
    "parse",
    "quantity",
    "quantity_of",
    "text",
]

Fraction = Annotated[
    float,
    quantity(
        "a plain fraction",
        "1",
        "5 %",
        "0.05",
        refuses=((r"request|token|failure|count", "{unit} is a count; write a number or '5 %'"),),
    ),
]

# Electricity
Power = Annotated[
    float,
    quantity(
        "real power",
        "W",
        "132 kW",
        "1.2 GW",
        shown=("W", "kW", "MW", "GW"),
        mixups={
            "apparent power": "multiply by the power factor",
            "reactive power": "reactive power does no work; give the real power",
            "energy": "an amount of energy is not a rate; write kW, not kWh",
            "a rate of change of power": "leave out the time",
        },
    ),
]
ApparentPower = Annotated[
    float,
    quantity(
        "apparent power",
        "VA",
        "300 MVA",
        "2500 kVA",
        shown=("VA", "kVA", "MVA", "GVA"),
        mixups={"real power": "divide by the power factor and write kVA"},
    ),
]
ReactivePower = Annotated[
    float, quantity("reactive power", "var", "50 Mvar", shown=("var", "kvar", "Mvar"))
]
Energy = Annotated[
    float,
    quantity(
        "energy",
        "J",
        "200 MWh",
        "5 kWh",
        "30 kJ",
        shown=("J", "kJ", "Wh", "kWh", "MWh", "GWh"),
        mixups={"real power": "power is not an amount of energy; write kWh, not kW"},
    ),
]
RampRate = Annotated[
    float,
    quantity(
        "a rate of change of power",
        "W/s",
        "20 MW/min",
        shown=("W/s", "kW/s", "MW/s", "MW/min"),
        mixups={"real power": "add the time, e.g. '20 MW/min'"},
    ),
]
Voltage = Annotated[float, quantity("a voltage", "V", "345 kV", "480 V", shown=("V", "kV"))]
Current = Annotated[float, quantity("a current", "A", "4000 A", shown=("A", "kA"))]
Frequency = Annotated[
    float, quantity("a frequency", "Hz", "60 Hz", shown=("Hz", "kHz", "MHz", "GHz"))
]

# Time
Duration = Annotated[
    float,
    quantity(
        "a duration",
        "s",
        "5 min",
        "72 h",
        "7 years",
        shown=("us", "ms", "s", "min", "h", "day", "year"),
        mixups={"a rate": "write the time itself, not 'per time'"},
    ),
]
Rate = Annotated[
    float,
    quantity(
        "a rate",
        "1/s",
        "0.05 /year",
        "6.5 per 1000 day",
        shown=("/s", "/min", "/h", "/day", "/year", "FIT"),
        mixups={"a duration": "a mean time is not a rate: write '1 per 50 h', not '50 h'"},
    ),
]

# Heat and flow
Temperature = Annotated[
    float,
    quantity(
        "a temperature",
        "degC",
        "45 degC",
        "318 K",
        refuses=(
            (r"delta_", "{unit} is a temperature difference; this field is a temperature: degC"),
        ),
    ),
]
TemperatureDelta = Annotated[
    float,
    quantity(
        "a temperature difference",
        "K",
        "10 K",
        refuses=(
            (
                r"^(?:deg|cel|fahr)",
                "{unit} is a point on a scale; this is a temperature difference: write e.g. '10 K'",
            ),
        ),
    ),
]
TemperatureRate = Annotated[
    float, quantity("a rate of change of temperature", "K/s", "2 K/min", shown=("K/s", "K/min"))
]
ThermalResistance = Annotated[float, quantity("a thermal resistance", "K/W", "0.03 K/W")]
ThermalConductance = Annotated[
    float, quantity("a thermal conductance", "W/K", "45 kW/K", shown=("W/K", "kW/K", "MW/K"))
]
ConductancePerPower = Annotated[
    float, quantity("a thermal conductance per power", "W/K/W", "0.2 W/K/kW", shown=("W/K/kW",))
]
HeatCapacity = Annotated[
    float, quantity("a heat capacity", "J/K", "500 J/K", shown=("J/K", "kJ/K", "MJ/K"))
]
SpecificHeat = Annotated[
    float, quantity("a specific heat", "J/kg/K", "3.98 kJ/kg/K", shown=("J/kg/K", "kJ/kg/K"))
]
Mass = Annotated[float, quantity("a mass", "kg", "1.6 t", "24 kg", shown=("g", "kg", "t"))]
MassFlow = Annotated[
    float,
    quantity(
        "a mass flow",
        "kg/s",
        "2.5 kg/s",
        mixups={"a volume flow": "multiply by the density of the liquid"},
    ),
]
Density = Annotated[float, quantity("a density", "kg/m3", "1007 kg/m3")]
Volume = Annotated[float, quantity("a volume", "m3", "60 L", "400 m3", shown=("mL", "L", "m3"))]
VolumeFlow = Annotated[
    float,
    quantity(
        "a volume flow",
        "m3/s",
        "150 L/min",
        "0.4 m3/s",
        shown=("L/min", "L/s", "m3/h", "m3/s"),
        mixups={"a mass flow": "divide by the density of the liquid"},
    ),
]
VolumePerEnergy = Annotated[
    float,
    quantity(
        "a volume per energy",
        "m3/J",
        "1.5 L/min/kW",
        "0.3 L/kWh",
        shown=("L/min/kW", "L/kWh"),
    ),
]
VolumePerPower = Annotated[
    float, quantity("a volume per power", "m3/W", "7.2 m3/MW", shown=("m3/MW",))
]
Pressure = Annotated[
    float, quantity("a pressure", "Pa", "250 kPa", "1.5 bar", "40 psi", shown=("Pa", "kPa", "MPa"))
]
Length = Annotated[float, quantity("a length", "m", "30 m", "1.2 km", shown=("mm", "m", "km"))]
Area = Annotated[float, quantity("an area", "m2", "5000 m2")]

# Data and compute
DataSize = Annotated[
    float,
    quantity(
        "an amount of data",
        "B",
        "288 GB",
        "1.5 TB",
        shown=("B", "kB", "MB", "GB", "TB", "PB", "KiB", "MiB", "GiB", "TiB"),
        mixups={
            "bits": "bits, not bytes: divide by 8 and write GB, not Gb",
            "a bandwidth": "leave out the time",
        },
    ),
]
_BITS = quantity("bits", "b", "8 b")  # named in messages only; no field is in bits
Bandwidth = Annotated[
    float,
    quantity(
        "a bandwidth",
        "B/s",
        "400 Gb/s",
        "50 GB/s",
        shown=("B/s", "kB/s", "MB/s", "GB/s", "TB/s"),
        also=(("b/s", _Exact(1, 8)),),
        mixups={
            "an amount of data": "add the time, e.g. '50 GB/s'",
            "bits": "add the time, e.g. '400 Gb/s'",
        },
    ),
]
ComputeRate = Annotated[
    float,
    quantity(
        "a compute rate",
        "FLOP/s",
        "989 TFLOPS",
        "5 PFLOP/s",
        shown=("FLOPS", "GFLOPS", "TFLOPS", "PFLOPS", "EFLOPS"),
        mixups={"a number of operations": "add the time: write TFLOPS or TFLOP/s"},
    ),
]
Operations = Annotated[
    float,
    quantity(
        "a number of operations",
        "FLOP",
        "3e24 FLOP",
        shown=("FLOP", "TFLOP", "EFLOP"),
        mixups={"a compute rate": "leave out the time: write TFLOP, not TFLOPS"},
    ),
]

# Money and carbon
Money = Annotated[
    float, quantity("money", "USD", "3.5 MUSD", "40000 USD", shown=("USD", "kUSD", "MUSD"))
]
EnergyPrice = Annotated[
    float,
    quantity(
        "a price of energy",
        "USD/J",
        "65 USD/MWh",
        shown=("USD/MWh", "USD/kWh"),
        refuses=((r"/[kMG]?W\b", "{unit} is a price of power; this is of energy: USD/MWh"),),
    ),
]
PowerPrice = Annotated[
    float,
    quantity(
        "a price of power over time",
        "USD/W/s",
        "12 USD/kW/month",
        shown=("USD/kW/month", "USD/kW/year", "USD/MW/day"),
        refuses=((r"Wh\b|J\b", "{unit} is a price of energy; this is of power: USD/kW/month"),),
    ),
]
CapacityPrice = Annotated[
    float, quantity("a price of capacity", "USD/W", "11 MUSD/MW", shown=("USD/kW", "MUSD/MW"))
]
TimePrice = Annotated[
    float, quantity("a price of time", "USD/s", "2.50 USD/h", shown=("USD/h",))
]
VolumePrice = Annotated[float, quantity("a price of volume", "USD/m3", "2 USD/m3")]
MassPrice = Annotated[
    float, quantity("a price of mass", "USD/kg", "85 USD/t", shown=("USD/t", "USD/kg"))
]
CarbonIntensity = Annotated[
    float,
    quantity("a carbon intensity", "kg/J", "350 kg/MWh", "0.4 kg/kWh", shown=("kg/MWh", "g/kWh")),
]
