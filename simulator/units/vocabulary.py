"""The words of units: which spellings exist and what each is worth, in exact fractions.

The registry is our own and closed, so that `b` is never a barn and `Ws` never a plural; pint is
imported when the first text is parsed, not before.
"""

from __future__ import annotations

import re
from fractions import Fraction as Exact
from functools import cache
from typing import TYPE_CHECKING, Any

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
_PLURAL = r"(?!foot|feet|inch|celsius|fahrenheit|hertz)[a-z]{3,}"
_NAME = r"[A-Za-z_][A-Za-z_]*\d?(?:\^-?\d)?"
_PRODUCT = re.compile(rf"(?:{_NAME}|(?=/))(?:[*/](?:[\d.]+(?:e\d+)?\s*)?{_NAME})*")


class UnitError(ValueError):
    """A text that is not a quantity of the kind asked for."""


def tidy(unit: str) -> str:
    """Return a unit text in the one spelling the vocabulary knows."""
    for old, new in (("°", "deg"), ("µ", "u"), ("μ", "u"), ("²", "2"), ("³", "3"), ("·", "*")):
        unit = unit.replace(old, new)
    unit = unit.replace("%", "percent").replace("**", "^")
    unit = re.sub(r"\s*\bper\b\s*", "/", unit)
    unit = re.sub(r"(?<=[gt])\s?CO2(?:eq|e)?\b", "", unit)
    unit = re.sub(r"\bdelta_deg[CK]\b|\bdeltadegC\b", "delta_degC", unit)
    return re.sub(r"\s*([*/])\s*", r"\1", unit.strip())


def check_words(unit: str, example: str) -> None:
    """Raise when a tidy unit text is no product of known units."""
    if not _PRODUCT.fullmatch(unit):
        raise UnitError(f"'{unit}' is not a unit; write e.g. '{example}'")
    for part in re.split("[*/]", unit.lstrip("/")):
        word = re.sub(r"^[\d.]+(?:e\d+)?\s*|\^-?\d$", "", part)
        if word not in vocabulary():
            # Half the vocabulary resembles a single letter: only its other case is meant.
            like = [known for known in vocabulary() if len(word) > 1 or known.lower() == word.lower()]
            raise UnitError(f"unknown unit '{word}'{nearest(word, like)}; write e.g. '{example}'")


@cache
def convert(unit: str, target: str) -> tuple[Exact, Exact] | None:
    """Return exact scale and offset to `target`, None when the dimension differs."""
    registry = _registry()
    goal = registry.parse_units("" if target == "1" else target)
    if unit.isidentifier():  # one name: may have an offset (degC)
        one, nothing = registry.Quantity(Exact(1), unit), registry.Quantity(Exact(0), unit)
    else:
        one = registry.parse_expression(_product(unit))
        nothing = one * Exact(0)
    try:
        zero = Exact(nothing.to(goal).magnitude)
        return Exact(one.to(goal).magnitude) - zero, zero
    except TypeError:  # pint's DimensionalityError, also for a difference given as a temperature
        return None


def _product(unit: str) -> str:
    """Return a unit text as pint reads it: grouped denominators, powers, temperature steps."""
    unit = re.sub(rf"(?<=/)([\d.]+(?:e\d+)?)\s*({_NAME})", r"(\1*\2)", unit)
    for letter, scale in (("C", "elsius"), ("F", "ahrenheit")):
        words = rf"\b(?:deg{letter}|degree_{letter}{scale}|{letter.lower()}{scale})\b"
        unit = re.sub(words, f"delta_deg{letter}", unit)
    return re.sub("^/", "1/", unit.replace("^", "**"))


@cache
def _registry() -> pint.UnitRegistry[Any]:
    """Return the closed registry, with exact fractions as its numbers."""
    import pint

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(None, non_int_type=Exact)
    for symbol, (name, factor) in _PREFIXES.items():
        registry.define(f"{name}- = {factor} = {symbol}-")
    for line in _DEFINITIONS.strip().splitlines():
        registry.define(line)
    return registry


@cache
def vocabulary() -> tuple[str, ...]:
    """Return every spelling of a unit that is understood."""
    words: list[str] = []
    for line in _DEFINITIONS.strip().splitlines():
        name, _, *others = [part.strip() for part in line.split("=")]
        words += [name, *others]
        words += [f"{word}s" for word in (name, *others) if re.fullmatch(_PLURAL, word)]
    for symbol, prefixes in _TAKES.items():
        words += [prefix + symbol for prefix in prefixes]
        words += [f"{prefix}{symbol}s" for prefix in prefixes if symbol in ("byte", "bit")]
    for name in _LONG_PREFIXED:
        words += [prefix + name + s for prefix, _ in _PREFIXES.values() for s in ("", "s")]
    return tuple(dict.fromkeys(words))
