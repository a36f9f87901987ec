"""`gigawatt time-to-limit`: seconds to throttle and to trip for everything of the cooling that fails."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd

from simulator import scenario as documents
from simulator.cli.exits import usage
from simulator.cli.text import MISSING, number, table
from simulator.components.cooling.hot_chip import limit_of
from simulator.errors import display_name
from simulator.studies import StudyError, time_to_limit
from simulator.studies.folders import refuse_other, replacing
from simulator.studies.progress import Stages

DIGITS = 4
TABLE = "time_to_limit.json"
TRACES = "traces.parquet"


def run(
    path: Path, sets: tuple[str, ...], chosen: str | None, asked: time_to_limit.Asked, output: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Carry out the command."""
    if output is not None:
        refuse_other(output, TABLE, "such study")
    given = documents.load(path, sets, chosen)
    with Stages("") as stages:
        try:
            found = time_to_limit.study(given, asked, _teller(stages))
        except StudyError as error:
            raise usage(str(error)) from None
    told = found.told | {"rows": _rows(found.table), "columns": time_to_limit.COLUMNS}
    print(json.dumps(told, indent=1, allow_nan=False) if as_json else "\n".join(_text(found)))
    if output is not None:
        _write(output, told, found)
        if not as_json:
            print(f"\nreport: {display_name(str(output / 'report.pdf'))}")


def _teller(stages: Stages) -> time_to_limit.Tell:
    """Return what shows the study's stages."""

    def tell(stage: str, done: int, total: int, of: str) -> None:
        if stage != stages.name:
            stages.unit = of
            stages.stage(stage, total)
        stages(done)

    return tell


def traces(found: time_to_limit.Found) -> pd.DataFrame:
    """Return the courses as one table: hall, failure, time and temperatures."""
    parts = []
    for row, course in zip(found.table.itertuples(), found.courses, strict=True):
        part = pd.DataFrame({
            "time_s": course.time_s, "chip_c": course.chip_c, "coolant_c": course.coolant_c,
            "loop_c": course.loop_c, "air_c": course.air_c, "clock": course.clock,
        })  # fmt: skip
        part.insert(0, "hall", row.hall)
        part.insert(1, "failure", row.failure)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _text(found: time_to_limit.Found) -> list[str]:
    """Return the answer for a terminal."""
    told = found.told
    brake = told["brake_holds_s"]
    lines = [
        f"{told['name']} at {told['at']}, {number(told['dry_bulb_c'], DIGITS)} degC outdoors, "
        f"{number(told['it_w'] / 1e6, DIGITS)} MW in racks; caps hold after {told['caps_hold_s']:g} s"
        + ("" if brake is None else f", the brake after {brake:g} s"),
        f"each failure followed for {told['minutes']} min: blank is not within that time",
    ]
    head = ["failure", "element", "throttle, s", "trip, s", "by", "+10 K, s", "may go, MW", "trip with caps, s",
            "with brake, s", "avoided by", "well after, s"]  # fmt: skip
    for hall, part in found.table.groupby("hall", sort=False):
        rows = [
            [r.failure, r.element, _number_of(r.throttle_s), _number_of(r.trip_s),
             limit_of(r.throttled_by, r.tripped_by), _number_of(r.rise_10k_s),
             _number_of(r.sheddable_w / 1e6), _number_of(r.trip_with_caps_s),
             _number_of(r.trip_with_brake_s), r.avoided_by, _number_of(r.recovered_s)]
            for r in part.itertuples()
        ]  # fmt: skip
        lines += ["", f"{hall}, {part['chip'].iloc[0]}", *table(head, rows, right=(2, 3, 5, 6, 7, 8, 10))]
        notes = [f"{r.failure}: {r.note}" for r in part.itertuples() if r.note]
        lines += ["", *notes]
    return lines


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {key: None if isinstance(v, float) and not math.isfinite(v) else v for key, v in row.items()}
        for row in frame.to_dict("records")
    ]


def _number_of(value: float) -> str:
    return number(float(value), DIGITS) if math.isfinite(value) else MISSING


def _write(folder: Path, told: dict[str, Any], found: time_to_limit.Found) -> None:
    from simulator.reports import document  # drawing needs more libraries
    from simulator.reports import time_to_limit as pages

    courses = traces(found)
    told_of = pages.Tables(told, found.table, courses, found.limits_c, found.intakes_c)
    table_out = found.table.replace([math.inf], math.nan)
    with replacing(folder) as fresh:
        document.bind([pages.page(told_of)], pages.cover(told), fresh)
        table_out.to_csv(fresh / "time_to_limit.csv", index=False)
        table_out.to_parquet(fresh / "time_to_limit.parquet", index=False)
        courses.to_parquet(fresh / TRACES, index=False)
        (fresh / TABLE).write_text(json.dumps(told, indent=1, allow_nan=False) + "\n", "utf-8")
