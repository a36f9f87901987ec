"""Numbers as a reader wants them: three figures, the right unit, thousands separated."""

import math
from typing import Any, NamedTuple

import pandas as pd

MISSING = "–"
ACRONYMS = frozenset(
    [
        "gpu",
        "hbm",
        "ups",
        "nic",
        "cpu",
        "psu",
        "cdu",
        "poi",
        "hca",
        "bmc",
        "slo",
        "tpu",
        "hbd",
        "pdu",
        "mv",
    ]
)


SPACE = "\u00a0"
"""Keeps a number and its unit on one line."""
ROUNDING = 1e-9


class Scale(NamedTuple):
    """A factor that turns SI into the unit shown."""

    factor: float
    unit: str


def power_scale(largest_w: float) -> Scale:
    """Choose MW or kW for an axis or a table."""
    return Scale(1e6, "MW") if largest_w >= 1e7 else Scale(1e3, "kW")


def number(value: float | None, digits: int = 3) -> str:
    """Return a value with so many significant digits, thousands separated, no exponent."""
    if value is None or not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{places}f}".replace("-", "−")
    return text if text.strip("−0.,") else "0"


def power(value_w: float | None) -> str:
    """Return a power in MW or kW."""
    if value_w is None:
        return MISSING
    factor, unit = (1e6, "MW") if abs(value_w) >= 1e6 else (1e3, "kW")
    return f"{number(value_w / factor)}{SPACE}{unit}"


def megawatts(value_mw: float | None) -> str:
    """Return a power given in MW."""
    return MISSING if value_mw is None else power(value_mw * 1e6)


def percent(value_frac: float | None, places: int = 1) -> str:
    """Return a share in per cent; a share just short of all is never rounded up to 100 %."""
    if value_frac is None or not math.isfinite(value_frac):
        return MISSING
    shown = round(100 * value_frac, places)
    if shown >= 100 and value_frac < 1 - ROUNDING:
        shown = 100 - 10**-places
    return f"{shown:.{places}f}{SPACE}%"


def large(value: float | None) -> str:
    """Return a count in words from a million on."""
    if value is None:
        return MISSING
    for factor, word in (
        (1e15, "quadrillion"),
        (1e12, "trillion"),
        (1e9, "billion"),
        (1e6, "million"),
    ):
        if abs(value) >= factor:
            return f"{number(value / factor)}{SPACE}{word}"
    return f"{value:,.0f}"


def mean_count(value: float) -> str:
    """Return a count, or a mean of counts, which need not be whole."""
    return f"{value:,.0f}" if value == round(value) else number(value)


def dollars(value_usd: float | None) -> str:
    """Return an amount in US dollars."""
    if value_usd is None:
        return MISSING
    return f"${large(value_usd)}" if value_usd >= 1e6 else f"${number(value_usd)}"


def seconds(value_s: float | None) -> str:
    """Return a duration in its natural unit."""
    if value_s is None or not math.isfinite(value_s):
        return MISSING
    if value_s == 0:
        return f"0{SPACE}s"
    for factor, unit in ((172_800.0, "days"), (5400.0, "h"), (90.0, "min"), (1.0, "s")):
        if value_s >= factor or unit == "s":
            divisor = {"days": 86_400.0, "h": 3600.0, "min": 60.0, "s": 1.0}[unit]
            return (
                f"{value_s * 1000:.3g}{SPACE}ms"
                if value_s < 1
                else f"{number(value_s / divisor)}{SPACE}{unit}"
            )
    return MISSING


def day(value: object) -> str:
    """Return a date as a reader writes it."""
    if value is None or pd.isna(value):  # type: ignore[call-overload]
        return "not finished"
    stamp = pd.Timestamp(value)  # type: ignore[arg-type]
    return f"{stamp.day} {stamp:%B %Y}"


def plain(name: object) -> str:
    """Return an identifier as words, acronyms in capitals."""
    words = str(name).replace("_", " ").split()
    return " ".join(w.upper() if w in ACRONYMS else w for w in words)


def quoted(name: str) -> str:
    """Return a name as its author wrote it, in quotes."""
    return f"“{name}”"


def breakable(name: str) -> str:
    """Let a long name break after its dots and underscores (zero-width spaces)."""
    return name.replace("_", "_\u200b").replace(".", ".\u200b")


def sentence(text: str) -> str:
    """Return the text with a capital first letter, the rest untouched."""
    return text[:1].upper() + text[1:]


def weather_kind(info: dict[str, Any]) -> str:
    """Return what kind of year the weather is; of a folder of an older version, typical or actual."""
    known = "typical year" if info["weather_typical"] else "actual record"
    return str(info.get("weather_kind") or known)
