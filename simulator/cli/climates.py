"""`gigawatt climates`: one campus, or several designs of it, under several skies."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from simulator import scenario as documents
from simulator.cli.exits import usage
from simulator.cli.text import number, table
from simulator.errors import display_name
from simulator.studies import climates as study
from simulator.studies.climates import Case
from simulator.studies.run import refuse_other, replacing
from simulator.weather import STATIONS

DIGITS = 4
TABLE = "climates.json"
SUFFIXES = {".epw": "epw", ".csv": "csv", ".gz": "csv", ".tmy3": "tmy3"}
"""Key of `weather` by the last suffix of a file's name, whatever its case."""
SHOWN = {
    "design": "design", "climate": "climate", "installed_mw": "installed MW",
    "usable_mw_min": "usable MW, least", "usable_mw_p05": "95 % of hours", "pue": "PUE",
    "wue_l_kwh": "WUE, L/kWh", "water_peak_day_m3": "peak day, m3", "full_work_throttles_h": "full work throttles, h",
    "margin_min_k": "least margin at full work, K",
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What the command line asks for."""

    path: Path
    weathers: tuple[str, ...]
    designs: tuple[str, ...]
    sets: tuple[str, ...]

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
    found, hours = study.compare(list(asked.cases()))
    told = {"columns": study.TABLE, "rows": found.to_dict("records")}
    print(json.dumps(told, indent=1, allow_nan=False) if as_json else "\n".join(_text(found)))
    if output is not None:
        with replacing(output) as fresh:
            found.to_csv(fresh / "climates.csv", index=False)
            found.to_parquet(fresh / "climates.parquet", index=False)
            hours.to_parquet(fresh / "climate_hours.parquet", index=False)
            (fresh / TABLE).write_text(json.dumps(told, indent=1, allow_nan=False) + "\n", "utf-8")
        if not as_json:
            print(f"\ntables: {display_name(str(output))}")


def _named(text: str) -> tuple[str, tuple[str, str]]:
    """Return the name of a climate, and the key and value of its weather."""
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise usage(f"--weather {text}: write NAME=FILE, e.g. phoenix=phoenix.epw")
    if value in STATIONS:
        return name, ("station", value)
    key = SUFFIXES.get(Path(value).suffix.lower())
    if key is None:
        known = f"{', '.join(SUFFIXES)}, or one of {', '.join(STATIONS)}"
        raise usage(f"--weather {text}: the name of a weather file ends with {known}")
    return name, (key, value)


def _text(found: pd.DataFrame) -> list[str]:
    """Return the table for a terminal."""
    shown = [c for c in SHOWN if c != "design" or found["design"].any()]
    cells = [[_cell(row[c]) for c in shown] for row in found.to_dict("records")]
    firm = f"firm import {number(float(found['firm_mw'].iloc[0]), DIGITS)} MW"
    names = sum(c in study.CASE for c in shown)
    return [firm, "", *table([SHOWN[c] for c in shown], cells, right=range(names, len(shown)))]


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else number(float(value), DIGITS)
