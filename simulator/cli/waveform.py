"""`gigawatt waveform`: any minute of a scenario or of a run, at 10 ms."""

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd

from simulator.cli.text import MISSING, number, table
from simulator.errors import display_name
from simulator.studies import waveform as study
from simulator.studies.folders import refuse_other, replacing

DIGITS = 4
SAMPLES, JOBS, LIMITS = "waveform.parquet", "waveform_jobs.csv", "waveform_limits.csv"


def waveform(
    place: Path, sets: tuple[str, ...], chosen: str | None, asked: study.Asked, output: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Carry out the command."""
    if output is not None:
        refuse_other(output, LIMITS, "such windows")
    found = study.study(place, asked, sets, chosen)
    print(json.dumps(document(found), indent=1, allow_nan=False) if as_json else told(found))
    if output is not None:
        _write(found, output)
        if not as_json:
            print(f"\nfigures: {display_name(str(output))}")


def document(found: study.Found) -> dict[str, Any]:
    """Return what `--json` prints: jobs, limits and the largest figures of every window."""
    windows = []
    for n, one in enumerate(found.drawn):
        rows = {
            name: _plain(found.tables[name][found.tables[name]["window"] == n])
            for name in ("waveform_jobs", "waveform_limits")
        }
        windows.append({
            "start_s": one.start_s, "mean_w": float(one.poi_w.mean()),
            "least_w": float(one.poi_w.min()), "most_w": float(one.poi_w.max()),
            "grid_least_w": float(one.grid_w.min()), "grid_most_w": float(one.grid_w.max()),
            "jobs": rows["waveform_jobs"], "limits": rows["waveform_limits"],
        })  # fmt: skip
    return {"name": found.name, "recorded_difference": found.recorded, "windows": windows}


def told(found: study.Found) -> str:
    """Return the tables of jobs and limits as text."""
    jobs, limits = found.tables["waveform_jobs"], found.tables["waveform_limits"]
    lines = []
    if len(jobs):
        header = ["window", "job", "chips", "step s", "mean MW", "least", "most", "off plan %", "burnt kWh"]
        lines += table(header, [
            [r.time, r.job, f"{r.accelerators:.0f}", _number(r.step_time_s), _number(r.mean_w / 1e6),
             _number(r.least_w / 1e6), _number(r.most_w / 1e6), f"{100 * r.deviation_frac:.2f}",
             _number(r.added_j / 3.6e6)] for r in jobs.itertuples()
        ], right=range(2, len(header)))  # fmt: skip
    else:
        lines.append("no synchronous job has racks in these windows")
    lines.append("")
    header = ["window", "mask", "limit", "unit", "allowed", "as drawn", "as seen", "", "battery MW", "kWh", "ms"]
    lines += table(header, [
        [str(r.window), r.mask, r.limit, r.unit, _number(r.allowed), _number(r.plain), _number(r.found),
         _verdict(r.passes, r.reason), _number(_scaled(r.battery_w, 1e6)),
         _number(_scaled(r.battery_j, 3.6e6)), _number(_scaled(r.battery_response_s, 1e-3))]
        for r in limits.itertuples()
    ], right=(4, 5, 6, 8, 9, 10))  # fmt: skip
    if found.recorded is not None and found.recorded > study.SAME:
        lines.append(f"\nthe minutes differ from those in the folder by {100.0 * found.recorded:.3g} %: "
                     "another version, or inputs that have changed")  # fmt: skip
    return "\n".join(lines)


def _verdict(passes: object, reason: str) -> str:
    return reason if passes is None else "kept" if passes else "BROKEN"


def _scaled(value: float | None, unit: float) -> float | None:
    return None if value is None or math.isnan(value) else value / unit


def _number(value: Any) -> str:
    return MISSING if value is None or not math.isfinite(value) else number(float(value), DIGITS)


def _plain(rows: pd.DataFrame) -> list[dict[str, Any]]:
    records = rows.drop(columns="window").astype(object).where(rows.notna(), None).to_dict("records")
    return [{key: value for key, value in row.items() if key != "window"} for row in records]


def _write(found: study.Found, folder: Path) -> None:
    from simulator.reports import comparison, waveform  # drawing needs libraries that tables do not

    with replacing(folder) as fresh:
        comparison.write(waveform.page_of(found.tables), fresh)
        found.tables["waveform"].to_parquet(fresh / SAMPLES, index=False, compression="zstd")
        found.tables["waveform_jobs"].to_csv(fresh / JOBS, index=False)
        found.tables["waveform_limits"].to_csv(fresh / LIMITS, index=False)
        text = json.dumps(document(found), indent=1, allow_nan=False) + "\n"
        (fresh / "waveform.json").write_text(text, "utf-8")
