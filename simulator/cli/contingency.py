"""`gigawatt contingency`: what does every single failure cost, from the peak-hour state?"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

from simulator import scenario as documents
from simulator.cli.exits import FAILED_RUNS, INTERRUPTED, usage
from simulator.cli.text import MISSING, number, table
from simulator.errors import display_name, nearest
from simulator.studies import contingency as study
from simulator.studies import forked
from simulator.studies.contingency_cases import KINDS, Wanted
from simulator.studies.contingency_columns import SEVERITIES
from simulator.studies.contingency_rows import UNCHANGED
from simulator.studies.contingency_summary import summary
from simulator.studies.folders import refuse_other, replacing
from simulator.studies.progress import Stages, say

TABLE = "contingencies.csv"
SHOWN = 20
"""Rows that are printed."""
RANK, OUT, TIGHTEST = 0, 1, 9
"""Columns in which elements differ of which one is as good as the other."""
DIGITS = 3
NONE_NEARER = "none nearer"
"""Where nothing comes nearer to its limit, as in the report."""
DARKEN = {"site": "darken the whole site", "hall": "darken halls", "block": "darken blocks of racks"}
"""What is left without a working accelerator, in words."""


@dataclass(frozen=True)
class Question:
    """What the command line asks."""

    path: Path
    sets: tuple[str, ...]
    chosen: str | None
    order: int
    at: str | None
    minutes: int
    patterns: tuple[str, ...]
    kinds: tuple[str, ...]
    severities: tuple[str, ...]
    maintenance: tuple[str, ...]
    each: bool
    seed: int | None = None

    def check(self) -> None:
        """Refuse kinds and severities that there are not."""
        for option, given, known in (
            ("--kind", self.kinds, KINDS), ("--severity", self.severities, SEVERITIES),
        ):  # fmt: skip
            for word in given:
                if word not in known:
                    cure = nearest(word, known) or f"; there are {', '.join(known)}"
                    raise usage(f"{option} {word}: no such{cure}")

    @property
    def asked(self) -> study.Asked:
        """What the study takes."""
        wanted = Wanted(self.patterns, self.kinds, self.each)
        return study.Asked(self.order, self.at, self.minutes, wanted, self.maintenance)


def contingency(
    asked: Question, output: Path | None, jobs: int | None, as_json: bool
) -> None:
    """Carry out the command."""
    asked.check()
    forked.check()
    if output is not None:
        refuse_other(output, TABLE, "such study")
    seed = () if asked.seed is None else (f"seed={asked.seed}",)
    given = documents.load(asked.path, asked.sets + seed, asked.chosen)
    with Stages("cases") as stages:
        try:
            found = study.study(given, asked.asked, jobs or joblib.cpu_count(), _Told(stages))
        except KeyboardInterrupt:
            say("interrupted before the first case")
            raise SystemExit(INTERRUPTED) from None
        told = summary(found.table, found.told)
        if output is not None:
            stages.stage("report")
            _write(found, told, output)
    rows = _of_severities(found.table, asked.severities)
    print(json.dumps(document(rows, told), indent=1, allow_nan=False) if as_json else text(rows, told))
    if output is not None and not as_json:
        print(f"\nreport: {display_name(str(output / 'report.pdf'))}")
    _leave(found, asked)


class _Told:
    """Stages of the study as stages of the progress."""

    def __init__(self, stages: Stages) -> None:
        self.stages, self.name = stages, ""

    def __call__(self, what: str, done: int, total: int) -> None:
        if what != self.name:
            self.name = what
            self.stages.stage(what, total)
        if total:
            self.stages(done)


def document(rows: pd.DataFrame, told: dict[str, Any]) -> dict[str, Any]:
    """Return what `--json` prints."""
    return {"summary": told, "rows": [_finite(row) for row in rows.to_dict("records")]}


def text(rows: pd.DataFrame, told: dict[str, Any]) -> str:
    """Return the rows that cost most as text."""
    header = ["rank", "out", "class", "alike", "severity", "MW shed", "MW capped", "accelerators", "over limit, min",
              "tightest", "loading", "back in", "a year", "accelerator-h a year, each", "all alike"]  # fmt: skip
    cells, more = _shown(rows)
    lines = table(header, cells, right=(0, 3, 5, 6, 7, 8, 10, 11, 12, 13, 14))
    kpis = {name: entry["value"] for name, entry in told["kpis"].items()}
    lines += [
        "",
        f"from {told['at']}, {told['chosen']}, {told['minutes']} minutes each{_out(told)}; "
        f"{kpis['elements']} elements in {len(rows) - 1} rows{f', {more} of them not shown' if more > 0 else ''}, "
        f"{told['simulations']} simulations",
        f"{kpis['cases_with_shed']} shed load; {number(kpis['expected_hours'], 4)} accelerator-hours a year "
        f"are to be expected of all single failures together{_while(told)}",
    ]
    if not rows["rate_per_year"].any():
        lines.append("nothing here fails by chance (reliability.rate_scale is 0): in order of severity and hours "
                     "lost at once")
    if told["order"] > 1:
        rules = rows.loc[rows["order"] > 1, "rule"].value_counts()
        tried = ", ".join(f"{count} {rule}" for rule, count in rules.items())
        lines.append(f"several at once: {tried or 0} tried, {told['pairs_left_out']} pairs left out")
    if kpis["planned_hours"]:
        lines.append(f"planned work costs {number(kpis['planned_hours'], 4)} more")
    return "\n".join([*lines, *_dark(told), "", *_broken(told)])


def _shown(rows: pd.DataFrame) -> tuple[list[list[str]], int]:
    """Return the cells of the first rows, and how many rows are left out. Neighbours that differ only in the
    names of what is out and what is tightest are one line, which says how many more there are."""
    lines: list[list[str]] = []
    counts: list[int] = []
    for row in rows.to_dict("records"):
        cells = _cells(row)
        if lines and _figures(cells) == _figures(lines[-1]):
            counts[-1] += 1
        elif len(lines) > SHOWN:
            break
        else:
            lines.append(cells)
            counts.append(1)
    for cells, count in zip(lines, counts, strict=True):
        cells[OUT] += f", {count - 1} more" if count > 1 else ""
    return lines, len(rows) - sum(counts)


def _figures(cells: list[str]) -> list[str]:
    """Return the cells of a row without rank and names of elements."""
    return [cell for place, cell in enumerate(cells) if place not in (RANK, OUT, TIGHTEST)]


def _out(told: dict[str, Any]) -> str:
    """Return what is under maintenance in every row."""
    return f", {' and '.join(told['maintenance'])} out for maintenance" if told["maintenance"] else ""


def _while(told: dict[str, Any]) -> str:
    """Return for how much of a year the state under maintenance lasts."""
    if not told["maintenance"]:
        return ""
    share = f"{number(100.0 * told['state_share'], DIGITS)} %"
    return f", in the {share} of the year in which that is out by {told['state_share_of']}"


def _cells(row: dict[str, Any]) -> list[str]:
    return [
        str(row["rank"]), _out_in(row), _cause(row), str(row["count"]), row["error"] or row["severity"],
        _number(row["shed_mw"]), _number(row["capped_mw"]), str(row["accelerators_lost"]),
        str(row["minutes_over"]), *_tightest(row),
        _back(row), _number(row["rate_per_year"]), _number(row["hours_per_year"]),
        _number(row["hours_per_year_all"]),
    ]  # fmt: skip


def _tightest(row: dict[str, Any]) -> tuple[str, str]:
    """Return the element that comes nearest to its limit, and how near; where a failure loads nothing more,
    that none does."""
    if row["limit"] == UNCHANGED:
        return NONE_NEARER, MISSING
    loading = row["post_loading"]
    return row["tightest"] or MISSING, f"{100 * loading:.0f} %" if math.isfinite(loading) else MISSING


def _out_in(row: dict[str, Any]) -> str:
    """Return what is out, of several alike the first and what they are."""
    return f"{row['case']} of {row['stands_for']}" if row["stands_for"] else str(row["case"])


def _cause(row: dict[str, Any]) -> str:
    """Return what strikes: the class of a single failure, or what is out where several classes do that."""
    first, *others = row["class"].split(", ")
    if not others:
        return f"{first}, planned" if row["planned"] else first
    return f"{row['out']}, {len(others) + 1} causes" if row["order"] == 1 else f"{first} +{len(others)}"


def _dark(told: dict[str, Any]) -> list[str]:
    """Return how many single failures, and how many of several at once, leave what without a working
    accelerator."""
    singles, tried = told["kpis"]["elements"]["value"], told["together"]
    found = ((f"of {singles} single failures", told["dark"]), (f"of {tried} at once", told["dark_together"]))
    counted = [(who, [f"{count} {DARKEN[what]}" for what, count in dark.items() if count]) for who, dark in found]
    return [f"{who}, {', '.join(counts)}" for who, counts in counted if counts]


def _broken(told: dict[str, Any]) -> list[str]:
    """Return the single failures that break a limit, by the limit that is broken first."""
    if not told["broken"]:
        what = "that stays in service " if any(told["dark"].values()) else ""
        return [f"no single failure takes an element {what}beyond a limit that the intact site keeps"]
    header = ["first beyond its limit", "elements", "out", "from minute", "longest, min", "trip", "dearest",
              "accelerator-h a year"]  # fmt: skip
    cells = [
        [row["limit"], str(row["elements"]), ", ".join(row["out"]), str(row["first_minute"]),
         str(row["most_minutes"]), str(row["tripped"]), f"{row['dearest']} ({row['dearest_limit']})",
         _number(row["hours_per_year"])]
        for row in told["broken"]
    ]  # fmt: skip
    return table(header, cells, right=(1, 3, 4, 5, 7))


def _time(seconds: float) -> str:
    if not math.isfinite(seconds):
        return MISSING
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{round(seconds / 3600, 1):g} h"


def _back(row: dict[str, Any]) -> str:
    """Return when the loads are back, and what that waits for beyond the window."""
    return _time(row["recovery_s"]) + (f" ({row['back_by']})" if row["back_by"] else "")


def _number(value: float) -> str:
    return number(float(value), DIGITS) if math.isfinite(value) else MISSING


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in row.items()
    }


def _of_severities(found: pd.DataFrame, wanted: tuple[str, ...]) -> pd.DataFrame:
    """Return the rows of these severities, the intact site always."""
    return found[found["severity"].isin(wanted) | (found["order"] == 0)] if wanted else found


def _leave(found: study.Study, asked: Question) -> None:
    """Leave with what the caller must know."""
    failed = int((found.table["error"] != "").sum())
    if not found.finished:
        say(f"interrupted: {len(found.table) - 1} rows are done; the others are missing")
        raise SystemExit(INTERRUPTED)
    if failed:
        say(f"{failed} cases have no result; the column `error` says why")
        raise SystemExit(FAILED_RUNS)


def _write(found: study.Study, told: dict[str, Any], folder: Path) -> None:
    from simulator.reports import contingency as pages  # drawing needs libraries that tables do not
    from simulator.reports import document as binding

    with replacing(folder) as fresh:
        found.table.to_csv(fresh / TABLE, index=False, lineterminator="\n")
        found.table.to_parquet(fresh / "contingencies.parquet", index=False, compression="zstd")
        (fresh / "summary.json").write_text(
            json.dumps(_strict(told), indent=1, allow_nan=False) + "\n", "utf-8"
        )
        binding.bind(pages.pages(found.table, found.shed_w, told), pages.cover(told), fresh)


def _strict(told: Any) -> Any:
    if isinstance(told, dict):
        return {key: _strict(value) for key, value in told.items()}
    return None if isinstance(told, float) and not math.isfinite(told) else told
