"""Limits on indicators: `power.poi_peak <= 1 GW` read, held against what a scenario can tell, and against
a summary."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import eq, ge, gt, le, lt
from typing import Any

from simulator import catalog
from simulator.components import from_catalog
from simulator.errors import nearest
from simulator.metrics.kpis import ABSENT_IS_ZERO
from simulator.metrics.names import CHECKS, UNITS
from simulator.metrics.operations import FALSE_ALARM
from simulator.scenario.spec import ScenarioSpec
from simulator.studies import StudyError
from simulator.units import parse

COMPARE = {"<=": le, ">=": ge, "==": eq, "<": lt, ">": gt}
COUNTED = {"tCO2e": "t", "tokens": "1"}
"""Units of indicators that no physical quantity has, and what to read them as."""
_FORM = re.compile(r"\s*([^\s<>=]+)\s*(<=|>=|==|<|>)\s*([^\s<>=].*?)\s*")
_UNIT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*(.*)")


class LimitError(StudyError):
    """A limit that cannot be read, or that names no indicator of the run."""


@dataclass(frozen=True)
class Limit:
    """What an indicator must be: its name, a comparison, a value as text with or without unit."""

    kpi: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{self.kpi} {self.operator} {self.value}"


def read(text: str) -> Limit:
    """Return the limit a text states."""
    found = _FORM.fullmatch(text)
    if found is None:
        told = f"'{text}': write KPI, one of {' '.join(COMPARE)}, and a value"
        raise LimitError(f"{told}, e.g. 'power.poi_peak <= 1 GW'")
    return Limit(*found.groups())


def expected(spec: ScenarioSpec) -> dict[str, str]:
    """Return name and unit of every indicator and balance that a run of the scenario can tell.

    Whether it does may depend on what else it holds: without users of heat nothing is said of reuse.
    """
    named = {
        "job": [work.name for work in spec.workloads],
        "model": [work.name for work in spec.workloads],
        "class": [cls.name for work in spec.workloads for cls in getattr(work, "classes", ())],
        "chip": catalog.names("accelerators"),
        "cause": [FALSE_ALARM, *(cls.name for cls in from_catalog.failure_classes(spec.reliability.fleet))],
    }
    found = dict.fromkeys(CHECKS, "1")
    for pattern, unit in UNITS.items():
        head, _, rest = pattern.partition("<")
        key, _, tail = rest.partition(">")
        found |= {f"{head}{name}{tail}": unit for name in (named[key] if key else [""])}
    if spec.operations is None:
        found = {name: unit for name, unit in found.items() if not name.startswith("operations.")}
    return found


def refuse(limits: Iterable[Limit], spec: ScenarioSpec) -> None:
    """Raise one LimitError for all limits that no run of the scenario can be held against: names that
    are none, values in another unit."""
    known = expected(spec)
    wrong = [told for told in (_wrong(limit, known) for limit in limits) if told]
    if wrong:
        raise LimitError("\n".join(wrong))


def _wrong(limit: Limit, known: Mapping[str, str]) -> str:
    """Return what is wrong with a limit, nothing if it can be held."""
    if limit.kpi not in known:
        return f"{limit}: no KPI '{limit.kpi}'{nearest(limit.kpi, known)}"
    try:
        in_unit(limit.value, known[limit.kpi])
    except ValueError:
        return f"{limit}: '{limit.value}' is not {_meant(known[limit.kpi])}"
    return ""


def failures(limits: list[Limit], summary: dict[str, Any]) -> list[str]:
    """Return the limits a summary does not keep, each with the value found.

    All limits that name no indicator, or have the wrong unit, raise one LimitError together.
    """
    wrong, failed = [], []
    for limit in limits:
        try:
            value, bound = measured(limit, summary)
        except LimitError as error:
            wrong.append(str(error))
            continue
        if not COMPARE[limit.operator](value, bound):
            failed.append(f"{limit}: it is {_shown(*_values(summary, limit.kpi)[limit.kpi])}")
    if wrong:
        raise LimitError("\n".join(wrong))
    return failed


def measured(limit: Limit, summary: dict[str, Any]) -> tuple[float, float]:
    """Return an indicator and its limit as numbers of one unit; NaN, which keeps no limit, for an
    indicator without a value. LimitError where it is none, or the unit is wrong."""
    known = _values(summary, limit.kpi)
    told = _wrong(limit, {name: unit for name, (_, unit) in known.items()})
    if told:
        raise LimitError(told)
    value, unit = known[limit.kpi]
    return math.nan if value is None else in_unit(value, unit), in_unit(limit.value, unit)


def _values(summary: dict[str, Any], asked: str) -> dict[str, tuple[Any, str]]:
    """Return value and unit of every indicator and every balance; what is asked is zero where a run tells
    only what happened."""
    absent = {asked: (0.0, "1" if asked.startswith("failures.") else "h")} if asked.startswith(ABSENT_IS_ZERO) else {}
    balances = {name: (value, "1") for name, value in summary["checks"].items()}
    return absent | balances | {name: (k["value"], k["unit"]) for name, k in summary["kpis"].items()}


def in_unit(value: Any, unit: str) -> float:
    """Return a value in an indicator's unit; dates become seconds. ValueError where it is none."""
    if not isinstance(value, str):
        return float(value)
    if unit == "ISO date":
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    found = _UNIT.fullmatch(value)
    given = found.group(1) if found else ""
    if found and given in ("", unit):
        return float(value.removesuffix(given))
    return parse(value.replace("CO2e", ""), COUNTED.get(unit, unit))


def _meant(unit: str) -> str:
    return {"1": "a plain number", "ISO date": "an ISO date"}.get(unit, f"a value in {unit}")


def _shown(value: Any, unit: str) -> str:
    if value is None:
        return "not reached"
    number = value if isinstance(value, str) else f"{value:.6g}"
    return number if unit in ("1", "ISO date") else f"{number} {unit}"
