"""`gigawatt climates`: one campus, or several designs of it, under several skies."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from simulator import scenario as documents
from simulator.cli.exits import FAILED_RUNS, INTERRUPTED, usage
from simulator.cli.text import number, table
from simulator.errors import display_name, nearest
from simulator.studies import climate_runs
from simulator.studies import climates as study
from simulator.studies.climates import Case
from simulator.studies.folders import refuse_other, replacing
from simulator.studies.progress import Stages, say
from simulator.studies.sweep import DONE, Record
from simulator.weather import STATIONS

DIGITS = 4
TABLE = "climates.json"
SUFFIXES = {".epw": "epw", ".csv": "csv", ".gz": "csv", ".tmy3": "tmy3"}
"""Key of `weather` by the last suffix of a file's name, whatever its case."""
SHOWN = {
    "design": "design", "climate": "climate", "installed_mw": "installed MW",
    "usable_mw_min": "usable MW, least", "usable_mw_p05": "95 % of hours", "pue": "PUE",
    "wue_l_kwh": "WUE, L/kWh", "water_peak_day_m3": "peak day, m3", "full_work_throttles_h": "full work throttles, h",
    "worst_chip_throttles_h": "its worst chip, h",
    "margin_min_k": "least margin at full work, K",
}  # fmt: skip
RUN = {
    "design": "design", "climate": "climate", "engine_usable_mw_min": "usable MW, least",
    "engine_usable_mw_p05": "95 % of hours", "engine_it_mw": "racks drew, MW", "engine_pue": "PUE",
    "engine_wue_l_kwh": "WUE, L/kWh", "engine_water_peak_day_m3": "peak day, m3",
    "engine_throttled_h": "throttled, h", "engine_margin_min_k": "least margin, K",
}  # fmt: skip
"""The same by the engine, which has workloads, failures and thermal mass."""


@dataclass(frozen=True)
class Asked:
    """What the command line asks for."""

    path: Path
    weathers: tuple[str, ...]
    designs: tuple[str, ...]
    sets: tuple[str, ...]
    engine: bool = False
    jobs: int | None = None

    def cases(self) -> Iterator[Case]:
        """Yield every design under every climate."""
        named = dict(map(_named, self.weathers)) or {name: ("station", name) for name in STATIONS}
        if len(named) < len(self.weathers):
            raise usage("--weather: two climates have one name")
        for design in self.designs or (None,):
            for name, (key, value) in named.items():
                sets = [*self.sets, f"weather.{key}={value}"]
                yield Case(design or "", name, documents.load(self.path, sets, design))


def climates(asked: Asked, output: Path | None, as_json: bool) -> None:
    """Carry out the command."""
    if output is not None:
        refuse_other(output, TABLE, "comparison of climates")
    elif asked.engine:
        raise usage("--engine keeps each run as it ends: say where with -o")
    cases = list(asked.cases())
    with Stages("cases") as stages:
        stages.stage("hour by hour", len(cases))
        found, hours = study.compare(cases, stages)
    records = _run(asked, cases, output) if output is not None and asked.engine else []
    if records:
        found = climate_runs.beside(found, records)
    words = study.TABLE | {c: f"{kpi} of the engine's run" for c, kpi in climate_runs.COLUMNS.items() if c in found}
    told = {"columns": words, "rows": _plain(found)}
    print(json.dumps(told, indent=1, allow_nan=False) if as_json else "\n".join(_text(found)))
    if output is not None:
        with replacing(output) as fresh:
            found.to_csv(fresh / "climates.csv", index=False)
            found.to_parquet(fresh / "climates.parquet", index=False)
            hours.to_parquet(fresh / "climate_hours.parquet", index=False)
            (fresh / TABLE).write_text(json.dumps(told, indent=1, allow_nan=False) + "\n", "utf-8")
        if not as_json:
            folder = display_name(str(output))
            print(f"\ntables: {folder}\npages: gigawatt report {folder}")
    if any(record["status"] != DONE for record in records):
        raise SystemExit(FAILED_RUNS)


def _run(asked: Asked, cases: list[Case], output: Path) -> list[Record]:
    """Return the engine's run of each case, kept beside the comparison until told otherwise."""
    plan = climate_runs.plan_of(asked.path.stem, cases)
    try:
        with Stages("runs") as stages:
            stages.stage("runs", len(cases))
            records = climate_runs.run(plan, output.with_name(f"{output.name}-runs"), asked.jobs, stages)
    except KeyboardInterrupt:
        say("interrupted; finished runs are kept: the same command goes on from there")
        raise SystemExit(INTERRUPTED) from None
    for case, record in zip(cases, records, strict=True):
        if record["status"] != DONE:
            say(f"{f'{case.climate} {case.design}'.rstrip()}: {record['status']}: {record['error']}")
    return records


def _plain(found: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as JSON would have them, null for what a run has not."""
    kept = found.astype(object).where(found.notna(), None)
    return [dict(row) for row in kept.to_dict("records")]


def _named(text: str) -> tuple[str, tuple[str, str]]:
    """Return the name of a climate, and the key and value of its weather."""
    if text in STATIONS:
        return text, ("station", text)
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        form = f"write NAME=FILE, e.g. phoenix=phoenix.epw, or a station: {', '.join(STATIONS)}"
        raise usage(f"--weather {text}: {form}{nearest(text, STATIONS)}")
    if value in STATIONS:
        return name, ("station", value)
    key = SUFFIXES.get(Path(value).suffix.lower())
    if key is None:
        known = f"{', '.join(SUFFIXES)}, or one of {', '.join(STATIONS)}"
        raise usage(f"--weather {text}: the name of a weather file ends with {known}{nearest(value, STATIONS)}")
    return name, (key, value)


def _text(found: pd.DataFrame) -> list[str]:
    """Return the tables for a terminal."""
    lines = [f"firm import {number(float(found['firm_mw'].iloc[0]), DIGITS)} MW", "", *_columns(found, SHOWN)]
    if "engine_pue" in found:
        lines += ["", "by the engine:", *_columns(found, RUN)]
    return lines


def _columns(found: pd.DataFrame, words: dict[str, str]) -> list[str]:
    shown = [c for c in words if c != "design" or found["design"].any()]
    cells = [[_cell(row[c]) for c in shown] for row in found.to_dict("records")]
    names = sum(c in study.CASE for c in shown)
    return list(table([words[c] for c in shown], cells, right=range(names, len(shown))))


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else number(None if pd.isna(value) else float(value), DIGITS)
