"""Text with a unit becomes a plain SI float here, once, at the border.

A field of a specification says what it is (`Power`, `Duration`, …) and, if need be, its bounds:

    rating: Annotated[Power, Positive()]

The vocabulary is closed: bits are not bytes, volt-amperes are not watts, a temperature is not a
temperature difference. Conversion factors are exact fractions, so `text` can write what `parse`
reads back bit for bit. pint is imported when the first text is parsed, not before.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction as Exact
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic_core import PydanticCustomError, core_schema

from simulator.errors import nearest

if TYPE_CHECKING:
    import pint

# Pint definitions: name = definition = symbol = other spellings. Base units are SI's, with data
# (bit and byte apart), money, operations and the two other kinds of "power" of AC circuits added.
_DEFINITIONS = """
meter = [length] = m = metre
second = [time] = s = sec
gram = [mass] = g
ampere = [current] = A = amp
kelvin = [temperature]; offset: 0 = K
degree_Celsius = kelvin; offset: 273.15 = degC = celsius
delta_celsius = kelvin = delta_degC
delta_fahrenheit = 5 / 9 * kelvin = delta_degF
degree_Fahrenheit = 5 / 9 * kelvin; offset: 233.15 + 200 / 9 = degF = fahrenheit
voltampere = [apparent_power] = VA
reactive_voltampere = [reactive_power] = var
dollar = [currency] = USD
byte = [data] = B
bit = [bits] = b
operation = [operation] = FLOP = OP
count = []
percent = 0.01 = pct
ppm = 1e-6
request = 1
token = 1
failure = 1
minute = 60 * second = min
hour = 3600 * second = h = hr
day = 86400 * second = d
week = 604800 * second
month = 2629800 * second
year = 31557600 * second = yr
hertz = 1 / second = Hz
FIT = 1e-9 / hour
rpm = 1 / minute
inch = 0.0254 * meter
foot = 0.3048 * meter = ft = feet
mile = 1609.344 * meter
tonne = 1000000 * gram = t
pound = 453.59237 * gram = lb
newton = 1000 * gram * meter / second ** 2 = N
joule = newton * meter = J
watt = joule / second = W
watthour = 3600 * joule = Wh
electronvolt = 1.602176634e-19 * joule = eV
Btu = 1055.05585262 * joule = BTU
ton_refrigeration = 3516.8528420667 * watt = TR
volt = watt / ampere = V
pascal = newton / meter ** 2 = Pa
bar = 100000 * pascal
psi = 6894.757293168 * pascal
inH2O = 249.08891 * pascal
m2 = meter ** 2
m3 = meter ** 3
ft2 = foot ** 2
ft3 = foot ** 3
liter = 0.001 * meter ** 3 = L = litre = l
gallon = 0.003785411784 * meter ** 3 = gal
gpm = gallon / minute
cfm = foot ** 3 / minute = CFM
bps = bit / second
FLOPS = operation / second = OPS
"""
_PREFIXES = {
    "n": ("nano", "1e-9"),
    "u": ("micro", "1e-6"),
    "m": ("milli", "0.001"),
    "c": ("centi", "0.01"),
    "k": ("kilo", "1000"),
    "M": ("mega", "1e6"),
    "G": ("giga", "1e9"),
    "T": ("tera", "1e12"),
    "P": ("peta", "1e15"),
    "E": ("exa", "1e18"),
    "Z": ("zetta", "1e21"),
    "Ki": ("kibi", "1024"),
    "Mi": ("mebi", "1048576"),
    "Gi": ("gibi", "1073741824"),
    "Ti": ("tebi", "1099511627776"),
    "Pi": ("pebi", "1125899906842624"),
}
# Which symbols take which prefixes; everything else stands alone.
_DECIMAL = ("k", "M", "G", "T", "P", "E", "Z")
_BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi")
_TAKES: dict[str, tuple[str, ...]] = {
    "W": ("u", "m", "k", "M", "G", "T"),
    "VA": ("k", "M", "G"),
    "var": ("k", "M", "G"),
    "Wh": ("k", "M", "G", "T"),
    "J": ("n", "u", "m", "k", "M", "G", "T"),
    "eV": ("m", "k"),
    "s": ("n", "u", "m"),
    "m": ("n", "u", "m", "c", "k"),
    "g": ("u", "m", "k"),
    "t": ("k", "M"),
    "A": ("m", "k"),
    "V": ("m", "k", "M"),
    "K": ("m",),
    "L": ("m",),
    "Pa": ("k", "M"),
    "bar": ("m",),
    "USD": ("k", "M"),
    "Hz": ("k", "M", "G"),
    "B": _DECIMAL[:-1] + _BINARY,
    "byte": (*_DECIMAL[:-1], *_BINARY),
    "b": _DECIMAL[:-1] + _BINARY,
    "bit": (*_DECIMAL[:-1], *_BINARY),
    "bps": _DECIMAL[:-1],
    "FLOP": _DECIMAL,
    "OP": _DECIMAL,
    "FLOPS": _DECIMAL,
    "OPS": _DECIMAL,
}
_LONG_PREFIXED = ("watt", "byte", "bit", "watthour", "meter", "gram", "second", "volt", "joule")
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*)", re.DOTALL)
_NAME = r"[A-Za-z_][A-Za-z_]*\d?(?:\^-?\d)?"
_PRODUCT = re.compile(rf"(?:{_NAME}|(?=/))(?:[*/](?:[\d.]+(?:e\d+)?\s*)?{_NAME})*")


class _UnitError(ValueError):
    """A text that is not a quantity of the kind asked for."""


@dataclass(frozen=True)
class Quantity:
    """What a number is: its name in messages, its SI unit, how people write it, what they mix up.

    `refuses` are (pattern, cure) pairs for units of the right dimension but the wrong meaning;
    `also` are units of another dimension with their exact factor to the SI unit; `mixups` are
    cures by the name of the quantity that was given instead.
    """

    name: str
    unit: str
    examples: tuple[str, ...]
    shown: tuple[str, ...] = ()
    refuses: tuple[tuple[str, str], ...] = ()
    also: tuple[tuple[str, Exact], ...] = ()
    mixups: dict[str, str] = field(default_factory=dict, hash=False, compare=False)

    def parse(self, given: object) -> float:
        """Return the SI value of a text such as '132 kW'; ValueError says what to write instead."""
        if isinstance(given, bool) or not isinstance(given, str | int | float):
            raise _UnitError(f"{given!r} is not {self.name}; write e.g. '{self.examples[0]}'")
        if isinstance(given, str):
            return _parse(given, self)
        if self.unit != "1":
            raise _UnitError(_no_unit(str(given), self))
        return _finite(float(given), str(given))

    def text(self, value: float) -> str:
        """Return readable text that `parse` turns back into exactly `value`."""
        if self.unit == "1":
            return _plain(float(value))
        if value == 0:
            return f"0 {self.shown[0] if self.shown else self.unit}"
        written = [_written(float(value), unit, self) for unit in self.shown or (self.unit,)]
        return min((w for w in written if w), default=(0, 0, f"{float(value)!r} {self.unit}"))[2]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: Callable[[Any], core_schema.CoreSchema]
    ) -> core_schema.CoreSchema:
        """Validate text; plain floats pass only with the validation context `{"si": True}`."""
        return core_schema.with_info_before_validator_function(
            self._validate,
            core_schema.float_schema(allow_inf_nan=False),
            serialization=core_schema.plain_serializer_function_ser_schema(
                self._dump, when_used="json-unless-none"
            ),
            metadata={"pydantic_js_functions": [self._json_schema], "quantity": self},
        )

    def _validate(self, given: Any, info: core_schema.ValidationInfo) -> float:
        context = info.context
        trusted = isinstance(context, dict) and context.get("si")
        try:
            if trusted and isinstance(given, int | float) and not isinstance(given, bool):
                return _finite(float(given), str(given))
            return self.parse(given)
        except ValueError as error:
            raise PydanticCustomError("quantity", "{why}", {"why": str(error)}) from None

    def _dump(self, value: float) -> str | float:
        return value if self.unit == "1" else self.text(value)

    def _json_schema(self, core: Any, handler: Any) -> dict[str, Any]:
        kind = ["number", "string"] if self.unit == "1" else "string"
        return {"type": kind, "examples": list(self.examples)}


@dataclass(frozen=True)
class Within:
    """Bounds of a field, both ends allowed, written as in YAML: `Within("10 degC", "60 degC")`."""

    low: str | float | None = None
    high: str | float | None = None
    above: bool = False  # the low end itself is not allowed

    def __get_pydantic_core_schema__(
        self, source: Any, handler: Callable[[Any], core_schema.CoreSchema]
    ) -> core_schema.CoreSchema:
        """Wrap the field's own validation, so that the message can quote the text as given."""
        inner = handler(source)
        kind = _quantity_in(inner)

        def check(given: Any, validate: Callable[[Any], Any]) -> Any:
            value = validate(given)
            if value is not None and not self._holds(value, kind):
                shown = given if isinstance(given, str) else kind.text(value) if kind else value
                message = f"'{shown}' is out of range: must be {self.range_text()}"
                raise PydanticCustomError("out_of_range", "{why}", {"why": message})
            return value

        return core_schema.no_info_wrap_validator_function(
            check, inner, serialization=inner.get("serialization")
        )

    def range_text(self) -> str:
        """Return the allowed range in words."""
        if self.low is not None and self.high is not None:
            return (
                f"{'above' if self.above else 'from'} {self.low} {'up ' * self.above}to {self.high}"
            )
        if self.low is not None:
            return f"more than {self.low}" if self.above else f"{self.low} or more"
        return f"{self.high} or less"

    def _holds(self, value: float, kind: Quantity | None) -> bool:
        low = -math.inf if self.low is None else _bound(self.low, kind)
        high = math.inf if self.high is None else _bound(self.high, kind)
        return low <= value <= high and not (self.above and value == low)


def Positive() -> Within:  # noqa: N802 - reads as a property of the field
    """Return the bound `more than 0`."""
    return Within(low=0, above=True)


def NonNegative() -> Within:  # noqa: N802 - reads as a property of the field
    """Return the bound `0 or more`."""
    return Within(low=0)


@cache
def _bound(bound: str | float, kind: Quantity | None) -> float:
    """Return a bound in SI; a bare number (0) is the same in every unit."""
    return kind.parse(bound) if kind and isinstance(bound, str) else float(bound)


def _quantity_in(schema: Any) -> Quantity | None:
    """Return the quantity of a pydantic core schema, looking through wrappers and `| None`."""
    while isinstance(schema, dict):
        found = (schema.get("metadata") or {}).get("quantity")
        if isinstance(found, Quantity):
            return found
        schema = schema.get("schema")
    return None


def parse(text: str, unit: str) -> float:
    """Return the value of `text` in the SI `unit` (one of `QUANTITIES`, or any other unit text)."""
    return _quantity(unit).parse(text)


def text(value: float, unit: str) -> str:
    """Return readable text for an SI value that parses back to exactly the same value."""
    return _quantity(unit).text(value)


def quantity_of(annotation: Any) -> str | None:
    """Return the SI unit text of an annotation or a pydantic field, None when it has none."""
    metadata = getattr(annotation, "__metadata__", None) or getattr(annotation, "metadata", ())
    for part in metadata:
        if isinstance(part, Quantity):
            return part.unit
    inside = [getattr(annotation, name, None) for name in ("__origin__", "annotation")]
    inside += getattr(annotation, "__args__", ())
    return next((unit for part in inside if part and (unit := quantity_of(part))), None)


@cache
def _quantity(unit: str) -> Quantity:
    known = QUANTITIES.get(unit)
    return known or Quantity(f"quantity in {unit}", unit, (f"1 {unit}",))


@lru_cache(maxsize=65536)
def _parse(given: str, kind: Quantity) -> float:
    """Return the SI value of one text; the same text is never read twice."""
    found = _NUMBER.fullmatch(given.strip())
    if found is None:
        raise _UnitError(f"'{given}' does not start with a number; write e.g. '{kind.examples[0]}'")
    number, unit = found.groups()
    if not unit and kind.unit != "1":
        raise _UnitError(_no_unit(number, kind))
    if re.match(r",\d", unit):
        raise _UnitError(f"'{given}': write the number without a comma, e.g. '{kind.examples[0]}'")
    if len(number) > 40 or abs(_exponent(number)) > 400:
        raise _UnitError(f"'{given}': the number is too long or out of range")
    scale, offset = _factor(_tidy(unit), kind) if unit else (Exact(1), Exact(0))
    try:
        return _finite(float(Exact(number) * scale + offset), given)
    except OverflowError:
        raise _UnitError(f"'{given}' is not a finite number") from None


def _exponent(number: str) -> int:
    _, _, exponent = number.lower().partition("e")
    return int(exponent or 0)


def _finite(value: float, given: str) -> float:
    if not math.isfinite(value):
        raise _UnitError(f"'{given}' is not a finite number")
    return value


def _no_unit(number: str, kind: Quantity) -> str:
    unit = _NUMBER.fullmatch(kind.examples[0])
    return (
        f"a bare number has no unit; write e.g. '{number} {unit.group(2) if unit else kind.unit}'"
    )


def _tidy(unit: str) -> str:
    """Return a unit text in the one spelling the vocabulary knows."""
    for old, new in (("°", "deg"), ("µ", "u"), ("μ", "u"), ("²", "2"), ("³", "3"), ("·", "*")):
        unit = unit.replace(old, new)
    unit = unit.replace("%", "percent").replace("**", "^")
    unit = re.sub(r"\s*\bper\b\s*", "/", unit)
    unit = re.sub(r"(?<=[gt])\s?CO2(?:eq|e)?\b", "", unit)
    unit = re.sub(r"\bdelta_deg[CK]\b|\bdeltadegC\b", "delta_degC", unit)
    return re.sub(r"\s*([*/])\s*", r"\1", unit.strip())


@cache
def _factor(unit: str, kind: Quantity) -> tuple[Exact, Exact]:
    """Return exact scale and offset from a tidy unit text to the SI unit of `kind`."""
    _check_words(unit, kind)
    for pattern, cure in kind.refuses:
        if re.search(pattern, unit):
            raise _UnitError(cure.format(unit=unit))
    registry = _registry()
    ours = registry.parse_units("" if kind.unit == "1" else kind.unit)
    for other, factor in (("", Exact(1)), *kind.also):
        target = registry.parse_units(other) if other else ours
        found = _convert(unit, target)
        if found:
            return found[0] * factor, found[1] * factor
    raise _UnitError(_mismatch(unit, kind))


def _convert(unit: str, target: pint.Unit) -> tuple[Exact, Exact] | None:
    """Return exact scale and offset to `target`, None when the dimension differs."""
    registry = _registry()
    if unit.isidentifier():  # one name: may have an offset (degC)
        one, nothing = registry.Quantity(Exact(1), unit), registry.Quantity(Exact(0), unit)
    else:
        one = registry.parse_expression(_product(unit))
        nothing = one * Exact(0)
    if one.dimensionality != target.dimensionality:
        return None
    zero = Exact(nothing.to(target).magnitude)
    return Exact(one.to(target).magnitude) - zero, zero


def _product(unit: str) -> str:
    """Return a unit text as pint reads it: grouped denominators, powers, temperature steps."""
    unit = re.sub(rf"(?<=/)([\d.]+(?:e\d+)?)\s*({_NAME})", r"(\1*\2)", unit)
    unit = re.sub(r"\bdeg([CF])\b", r"delta_deg\1", unit)
    return re.sub("^/", "1/", unit.replace("^", "**"))


def _check_words(unit: str, kind: Quantity) -> None:
    """Raise when a unit text is no product of known units."""
    if not _PRODUCT.fullmatch(unit):
        raise _UnitError(f"'{unit}' is not a unit; write e.g. '{kind.examples[0]}'")
    for word in re.findall(
        r"[A-Za-z_]+\d?", re.sub(r"\^-?\d|\d[\d.]*(?:e\d+)?\s*(?=[A-Za-z])", "", unit)
    ):
        if word not in vocabulary():
            raise _UnitError(f"unknown unit '{word}'{nearest(word, vocabulary())}")


def _mismatch(unit: str, kind: Quantity) -> str:
    """Return what was given, what is expected, and how to get from one to the other."""
    given = next((k for k in QUANTITIES.values() if _convert(unit, _unit_of(k))), None)
    is_a = f"{unit} is {given.name}" if given else f"{unit} is something else"
    cure = kind.mixups.get(given.name) if given else None
    cure = cure or f"write e.g. '{kind.examples[0]}'"
    return f"{is_a}; this field is {kind.name} in {kind.unit}; {cure}"


def _unit_of(kind: Quantity) -> pint.Unit:
    return _registry().parse_units("" if kind.unit == "1" else kind.unit)


@lru_cache(maxsize=1)
def _registry() -> pint.UnitRegistry[Any]:
    """Return the closed registry, with exact fractions as its numbers."""
    import pint

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(None, non_int_type=Exact)
    for symbol, (name, factor) in _PREFIXES.items():
        registry.define(f"{name}- = {factor} = {symbol}-")
    for line in _DEFINITIONS.strip().splitlines():
        registry.define(line)
    return registry


@lru_cache(maxsize=1)
def vocabulary() -> tuple[str, ...]:
    """Return every spelling of a unit that is understood."""
    words: list[str] = []
    for line in _DEFINITIONS.strip().splitlines():
        name, _, *others = [part.strip() for part in line.split("=")]
        words += [name, *others]
        words += [f"{word}s" for word in (name, *others) if len(word) > 2 and word.islower()]
    for symbol, prefixes in _TAKES.items():
        words += [prefix + symbol for prefix in prefixes]
        words += [f"{prefix}{symbol}s" for prefix in prefixes if symbol in ("byte", "bit")]
    for name in _LONG_PREFIXED:
        words += [prefix + name + s for prefix, _ in _PREFIXES.values() for s in ("", "s")]
    return tuple(dict.fromkeys(words))


def _plain(value: float) -> str:
    """Return the shortest digits that read back as the same float."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _written(value: float, unit: str, kind: Quantity) -> tuple[int, int, str] | None:
    """Return (untidiness, odd size, text) of a value in one unit, None if it cannot be exact."""
    scale, offset = _factor(_tidy(unit), kind)
    amount = float((Exact(value) - offset) / scale)
    for digits in (15, 16, 17):
        number = _plain(float(f"{amount:.{digits}g}"))
        whole = f"{number} {unit}"
        if _parse(whole, kind) == value:
            return len(number), int(not 1 <= abs(amount) < 1000), whole
    return None


def _kinds(*kinds: Quantity) -> dict[str, Quantity]:
    return {kind.unit: kind for kind in kinds}


QUANTITIES: dict[str, Quantity] = _kinds(
    Quantity(
        "a plain fraction",
        "1",
        ("5 %", "0.05"),
        refuses=((r"request|token|failure|count", "{unit} is a count; write a number or '5 %'"),),
    ),
    Quantity(
        "real power",
        "W",
        ("132 kW", "1.2 GW"),
        ("W", "kW", "MW", "GW"),
        mixups={
            "apparent power": "multiply by the power factor",
            "reactive power": "reactive power does no work; give the real power",
            "energy": "an amount of energy is not a rate; write kW, not kWh",
            "a rate of change of power": "leave out the time",
        },
    ),
    Quantity(
        "apparent power",
        "VA",
        ("300 MVA", "2500 kVA"),
        ("VA", "kVA", "MVA", "GVA"),
        mixups={"real power": "divide by the power factor and write kVA"},
    ),
    Quantity("reactive power", "var", ("50 Mvar",), ("var", "kvar", "Mvar")),
    Quantity(
        "energy",
        "J",
        ("200 MWh", "5 kWh", "30 kJ"),
        ("J", "kJ", "Wh", "kWh", "MWh", "GWh"),
        mixups={"real power": "power is not an amount of energy; write kWh, not kW"},
    ),
    Quantity(
        "a duration",
        "s",
        ("5 min", "72 h", "7 years"),
        ("us", "ms", "s", "min", "h", "day", "year"),
        mixups={"a rate": "write the time itself, not 'per time'"},
    ),
    Quantity(
        "a temperature",
        "degC",
        ("45 degC", "318 K"),
        refuses=(
            (r"delta_", "{unit} is a temperature difference; this field is a temperature in degC"),
        ),
    ),
    Quantity(
        "a temperature difference",
        "K",
        ("10 K",),
        refuses=(
            (
                r"^(?:deg|cel|fahr)",
                "{unit} is a point on a scale; this field is a temperature difference: write "
                "e.g. '10 K' or '10 delta_degC'",
            ),
        ),
    ),
    Quantity("a voltage", "V", ("345 kV", "480 V"), ("V", "kV")),
    Quantity("a current", "A", ("4000 A",), ("A", "kA")),
    Quantity("a mass", "kg", ("1.6 t", "24 kg"), ("g", "kg", "t")),
    Quantity(
        "a mass flow",
        "kg/s",
        ("2.5 kg/s",),
        mixups={"a volume flow": "multiply by the density of the liquid"},
    ),
    Quantity("a volume", "m3", ("60 L", "400 m3"), ("mL", "L", "m3")),
    Quantity(
        "a volume flow",
        "m3/s",
        ("150 L/min", "0.4 m3/s"),
        ("L/min", "L/s", "m3/h", "m3/s"),
        mixups={"a mass flow": "divide by the density of the liquid"},
    ),
    Quantity("a pressure", "Pa", ("250 kPa", "1.5 bar", "40 psi"), ("Pa", "kPa", "MPa")),
    Quantity("a length", "m", ("30 m", "1.2 km"), ("mm", "m", "km")),
    Quantity("an area", "m2", ("5000 m2",)),
    Quantity(
        "an amount of data",
        "B",
        ("288 GB", "1.5 TB"),
        ("B", "kB", "MB", "GB", "TB", "PB", "KiB", "MiB", "GiB", "TiB"),
        mixups={
            "an amount of bits": "bits, not bytes: divide by 8 and write GB, not Gb",
            "a bandwidth": "leave out the time",
        },
    ),
    Quantity("an amount of bits", "b", ("8 b",)),  # only named in messages
    Quantity(
        "a bandwidth",
        "B/s",
        ("400 Gb/s", "50 GB/s"),
        ("B/s", "kB/s", "MB/s", "GB/s", "TB/s"),
        also=(("b/s", Exact(1, 8)),),
        mixups={"an amount of data": "add the time, e.g. '50 GB/s'"},
    ),
    Quantity(
        "a compute rate",
        "FLOP/s",
        ("989 TFLOPS", "5 PFLOP/s"),
        ("FLOPS", "GFLOPS", "TFLOPS", "PFLOPS", "EFLOPS"),
        mixups={"a number of operations": "add the time: write TFLOPS or TFLOP/s"},
    ),
    Quantity("a number of operations", "FLOP", ("3e24 FLOP",), ("FLOP", "TFLOP", "EFLOP")),
    Quantity("a thermal resistance", "K/W", ("0.03 K/W",)),
    Quantity("a thermal conductance", "W/K", ("45 kW/K",), ("W/K", "kW/K", "MW/K")),
    Quantity("a heat capacity", "J/K", ("500 J/K",), ("J/K", "kJ/K", "MJ/K")),
    Quantity("a specific heat", "J/kg/K", ("3.98 kJ/kg/K",), ("J/kg/K", "kJ/kg/K")),
    Quantity("a density", "kg/m3", ("1007 kg/m3",)),
    Quantity(
        "a rate",
        "1/s",
        ("0.05 /year", "6.5 per 1000 day"),
        ("/s", "/min", "/h", "/day", "/year", "FIT"),
        mixups={"a duration": "a mean time is not a rate: write 1 over it, '1 /h' for '1 h'"},
    ),
    Quantity("a frequency", "Hz", ("60 Hz",), ("Hz", "kHz", "MHz", "GHz")),
    Quantity("a rate of change of power", "W/s", ("20 MW/min",), ("W/s", "kW/s", "MW/s", "MW/min")),
    Quantity("a rate of change of temperature", "K/s", ("2 K/min",), ("K/s", "K/min", "K/h")),
    Quantity("a volume per energy", "m3/J", ("1.5 L/min/kW", "0.3 L/kWh"), ("L/min/kW", "L/kWh")),
    Quantity("money", "USD", ("3.5 MUSD", "40000 USD"), ("USD", "kUSD", "MUSD")),
    Quantity(
        "a price of energy",
        "USD/J",
        ("65 USD/MWh",),
        ("USD/MWh", "USD/kWh"),
        refuses=(
            (r"/[kMG]?W\b", "{unit} is a price of power; this is a price of energy: USD/MWh"),
        ),
    ),
    Quantity(
        "a price of power over time",
        "USD/W/s",
        ("12 USD/kW/month",),
        ("USD/kW/month", "USD/kW/year", "USD/MW/day"),
        refuses=(
            (r"Wh\b|J\b", "{unit} is a price of energy; this is a demand price: USD/kW/month"),
        ),
    ),
    Quantity("a price of capacity", "USD/W", ("11 MUSD/MW",), ("USD/kW", "MUSD/MW")),
    Quantity("a price of volume", "USD/m3", ("2 USD/m3",)),
    Quantity("a price of mass", "USD/kg", ("85 USD/t",), ("USD/t", "USD/kg")),
    Quantity(
        "a carbon intensity",
        "kg/J",
        ("350 kg/MWh", "0.4 kg/kWh"),
        ("kg/MWh", "g/kWh"),
    ),
)

Fraction = Annotated[float, QUANTITIES["1"]]
Power = Annotated[float, QUANTITIES["W"]]
ApparentPower = Annotated[float, QUANTITIES["VA"]]
ReactivePower = Annotated[float, QUANTITIES["var"]]
Energy = Annotated[float, QUANTITIES["J"]]
Duration = Annotated[float, QUANTITIES["s"]]
Temperature = Annotated[float, QUANTITIES["degC"]]
TemperatureDelta = Annotated[float, QUANTITIES["K"]]
TemperatureRate = Annotated[float, QUANTITIES["K/s"]]
Voltage = Annotated[float, QUANTITIES["V"]]
Current = Annotated[float, QUANTITIES["A"]]
Mass = Annotated[float, QUANTITIES["kg"]]
MassFlow = Annotated[float, QUANTITIES["kg/s"]]
Volume = Annotated[float, QUANTITIES["m3"]]
VolumeFlow = Annotated[float, QUANTITIES["m3/s"]]
VolumePerEnergy = Annotated[float, QUANTITIES["m3/J"]]
Pressure = Annotated[float, QUANTITIES["Pa"]]
Length = Annotated[float, QUANTITIES["m"]]
Area = Annotated[float, QUANTITIES["m2"]]
Density = Annotated[float, QUANTITIES["kg/m3"]]
DataSize = Annotated[float, QUANTITIES["B"]]
Bandwidth = Annotated[float, QUANTITIES["B/s"]]
ComputeRate = Annotated[float, QUANTITIES["FLOP/s"]]
Operations = Annotated[float, QUANTITIES["FLOP"]]
ThermalResistance = Annotated[float, QUANTITIES["K/W"]]
ThermalConductance = Annotated[float, QUANTITIES["W/K"]]
HeatCapacity = Annotated[float, QUANTITIES["J/K"]]
SpecificHeat = Annotated[float, QUANTITIES["J/kg/K"]]
Rate = Annotated[float, QUANTITIES["1/s"]]
Frequency = Annotated[float, QUANTITIES["Hz"]]
RampRate = Annotated[float, QUANTITIES["W/s"]]
Money = Annotated[float, QUANTITIES["USD"]]
EnergyPrice = Annotated[float, QUANTITIES["USD/J"]]
PowerPrice = Annotated[float, QUANTITIES["USD/W/s"]]
CapacityPrice = Annotated[float, QUANTITIES["USD/W"]]
VolumePrice = Annotated[float, QUANTITIES["USD/m3"]]
MassPrice = Annotated[float, QUANTITIES["USD/kg"]]
CarbonIntensity = Annotated[float, QUANTITIES["kg/J"]]
