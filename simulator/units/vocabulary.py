"""The words of units: which spellings exist and what each is worth, in exact fractions.

The registry is our own and closed, so that `b` is never a barn and `Ws` never a plural. What a unit is
worth is a product of these words; pint, which reads the same definitions, is the tests' oracle. It takes
longer to import than a scenario to load.
"""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction as Exact
from functools import cache
from typing import NamedTuple

from simulator.errors import nearest

# In pint's notation: name = definition = symbol = other spellings. Base units are SI's, with data
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
_WORD = r"[A-Za-z_][A-Za-z_]*\d?"
_NAME = rf"{_WORD}(?:\^-?\d)?"
_PART = re.compile(rf"([*/]?)(\d[\d.]*(?:e-?\d+)?)?\s*({_WORD})?(?:\^(-?\d))?")
_BASE = re.compile(r"\[(\w*)\]")
_STEPS = ("delta_celsius", "delta_degC", "delta_fahrenheit", "delta_degF")
"""Differences of temperatures, which are no temperatures."""
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
            raise UnitError(f"unknown unit '{word}'{nearest(word, vocabulary())}")


class Worth(NamedTuple):
    """What one of a unit is: `factor` base units and, on a scale that does not begin at zero, `offset`."""

    factor: Exact
    powers: tuple[tuple[str, int], ...]
    """Of the base units, without those that cancel."""
    offset: Exact = Exact(0)


@cache
def convert(unit: str, target: str) -> tuple[Exact, Exact] | None:
    """Return exact scale and offset to `target`, None when the dimension differs, or a temperature
    difference is given as a temperature."""
    words = _words()
    given, goal = (words.get(text) or _product(text, words) for text in (unit, target))
    if given.powers != goal.powers or (goal.offset and unit in _STEPS):
        return None
    return given.factor / goal.factor, (given.offset - goal.offset) / goal.factor


def _product(text: str, words: dict[str, Worth]) -> Worth:
    """Return what a product is worth. A number stands for its own, or belongs to the unit behind it
    (`6.5 per 1000 day`); of a temperature it is the size of a degree."""
    factor, powers = Exact(1), Counter[str]()
    for sign, number, word, power in _PART.findall(text):
        one = words[word] if word else Worth(Exact(1), ())
        side = -1 if sign == "/" else 1
        n = side * int(power or 1)
        factor *= Exact(number or 1) ** side * one.factor**n
        for base, times in one.powers:
            powers[base] += n * times
    return Worth(factor, tuple(sorted((base, n) for base, n in powers.items() if n)))


@cache
def _words() -> dict[str, Worth]:
    """Return what every spelling that is understood is worth."""
    words: dict[str, Worth] = {}
    for line in _DEFINITIONS.strip().splitlines():
        name, definition, *others = [part.strip() for part in line.split("=")]
        worth = _defined(definition, words)
        plurals = [f"{word}s" for word in (name, *others) if re.fullmatch(_PLURAL, word)]
        words |= dict.fromkeys([name, *others, *plurals], worth)
    for symbol, prefixes in _TAKES.items():
        made = {prefix + symbol: _times(prefix, words[symbol]) for prefix in prefixes}
        ending = "s" if symbol in ("byte", "bit") else ""
        words |= made | {word + ending: worth for word, worth in made.items()}
    for name in _LONG_PREFIXED:
        words |= {
            full + name + s: _times(prefix, words[name])
            for prefix, (full, _) in _PREFIXES.items() for s in ("", "s")
        }  # fmt: skip
    return words


def _defined(definition: str, words: dict[str, Worth]) -> Worth:
    """Return the worth of a word as its line defines it."""
    body, _, offset = definition.partition("; offset: ")
    scale = _BASE.fullmatch(body)
    worth = Worth(Exact(1), ((scale[1], 1),) if scale[1] else ()) if scale else _product(_tight(body), words)
    terms = [_product(_tight(term), words).factor for term in offset.split("+") if term]
    return worth._replace(offset=sum(terms, Exact(0)))


def _tight(text: str) -> str:
    return text.replace(" ", "").replace("**", "^")


def _times(prefix: str, worth: Worth) -> Worth:
    return worth._replace(factor=Exact(_PREFIXES[prefix][1]) * worth.factor)


@cache
def vocabulary() -> tuple[str, ...]:
    """Return every spelling of a unit that is understood."""
    return tuple(_words())
