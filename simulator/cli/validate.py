"""`gigawatt validate`: simulate every row of validation tables; print measured, simulated, error."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from simulator.cli.text import MISSING, number, table
from simulator.studies.progress import Stages
from simulator.studies.validate import published, study
from simulator.studies.validate.table import read

DIGITS = 5


def validate(paths: Sequence[Path], as_json: bool) -> None:
    """Carry out the command."""
    rows = read(paths or published.tables())
    with Stages("rows") as stages:
        stages.stage("validate", len(rows))
        found = study.validate(rows, stages)
    if as_json:
        print(json.dumps(study.as_json(found), indent=1, allow_nan=False))
    else:
        print("\n".join(_lines(found)))


def _lines(found: pd.DataFrame) -> list[str]:
    """Return rows by topic and group, then the summaries."""
    lines: list[str] = []
    for (topic, group), part in found.groupby(["topic", "group"], sort=False):
        lines += [f"{topic}: {group}" if group else str(topic), *_rows(part), ""]
    header = ["topic", "group"]
    lines += [*_summary(study.summary(found, ("topic", "group")), header), ""]
    return lines + _summary(study.summary(found), header[:1])


def _rows(part: pd.DataFrame) -> list[str]:
    header = ["id", "quantity", "measured", "simulated", "unit", "error", "remark"]
    cells = [
        [
            row.id, row.quantity or MISSING, number(row.measured, DIGITS),
            number(row.simulated, DIGITS), row.unit or MISSING, _percent(row.error_pct, "+.1f"),
            "; ".join(filter(None, ("plan searched" * row.searched, row.note, row.reason))),
        ]
        for row in part.itertuples()
    ]  # fmt: skip
    return table(header, cells, right=(2, 3, 5))


def _summary(stats: pd.DataFrame, names: list[str]) -> list[str]:
    header = [*names, "rows", "failed", "median error", "p90 error"]
    cells = [
        [*(str(row[name]) or MISSING for name in names), str(row["n"]), str(row["n_failed"]),
         _percent(row["median_abs_error_pct"], ".1f"), _percent(row["p90_abs_error_pct"], ".1f")]
        for row in stats.to_dict("records")
    ]  # fmt: skip
    return table(header, cells, right=range(len(names), len(header)))


def _percent(value: float | None, form: str) -> str:
    return MISSING if value is None else f"{value:{form}} %"
