"""`gigawatt compare`: is run B better than run A, by how much, and what was changed."""

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd

from simulator.cli.text import MISSING, number, table
from simulator.errors import display_name
from simulator.metrics.intervals import CONFIDENCE
from simulator.studies import compare as study
from simulator.studies.compare import EQUAL, UNRESOLVED, Comparison
from simulator.studies.folders import refuse_other, replacing

DIGITS = 5
COMPARISON = "comparison.csv"
MOST_INPUTS = 40


def compare(a: Path, b: Path, output: Path | None, as_json: bool) -> None:
    """Carry out the command."""
    if output is not None:
        refuse_other(output, COMPARISON, "comparison")
    found = study.of_folders(a, b)
    print(json.dumps(document(found), indent=1, allow_nan=False) if as_json else _told(found))
    if output is not None:
        _write(found, (a.name or "A", b.name or "B"), output)
        if not as_json:
            print(f"\nfigure: {display_name(str(output / 'forest.png'))}")


def document(found: Comparison) -> dict[str, Any]:
    """Return what `--json` prints: indicators, inputs that changed, notes; no number is null."""
    rows = found.table.astype(object).where(found.table.notna(), None).to_dict("records")
    clean = [{k: _finite(v) for k, v in row.items()} for row in rows]
    return {
        "confidence": CONFIDENCE,
        "kpis": {str(row.pop("kpi")): row for row in clean},
        "inputs": found.inputs.to_dict("records"),
        "notes": list(found.notes),
    }


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _told(found: Comparison) -> str:
    lines = [*_inputs(found.inputs), ""]
    differing = found.table[found.table["verdict"] != EQUAL]
    lines += _rows(differing) if len(differing) else ["no indicator differs"]
    same = len(found.table) - len(differing)
    if same:
        lines += ["", f"{same} further indicators are equal in every pair"]
    least = found.table.loc[found.table["verdict"] == UNRESOLVED, "n"]
    if len(least):
        lines.append(
            f"{len(least)} of {len(differing)} differences are not resolvable with "
            f"{int(least.max())} replicates: their 95 % interval holds zero"
        )
    return "\n".join([*lines, *(f"note: {text}" for text in found.notes)])


def _inputs(inputs: pd.DataFrame) -> list[str]:
    cells = [[r["path"], r["a"] or MISSING, r["b"] or MISSING] for r in inputs.to_dict("records")]
    if not cells:
        return ["inputs: no difference"]
    more = [f"and {len(cells) - MOST_INPUTS} more"] if len(cells) > MOST_INPUTS else []
    return table(["input", "A", "B"], cells[:MOST_INPUTS]) + more


def _rows(differing: pd.DataFrame) -> list[str]:
    header = ["kpi", "A", "B", "B - A", "low", "high", "unit", "B beats A", "n", "verdict"]
    cells = [
        [row["kpi"], *(_number(row[c]) for c in ("a", "b", "difference", "low", "high")),
         row["unit"], _chance(row), str(row["n"]), _verdict(row)]
        for row in differing.to_dict("records")
    ]  # fmt: skip
    return table(header, cells, right=(1, 2, 3, 4, 5, 7, 8))


def _number(value: float) -> str:
    return number(value, DIGITS) if math.isfinite(value) else MISSING


def _chance(row: dict[str, Any]) -> str:
    """Return the probability that B beats A with its interval, in percent."""
    if math.isnan(row["b_better"]):
        return MISSING
    low, high = 100.0 * row["b_better_low"], 100.0 * row["b_better_high"]
    return f"{100.0 * row['b_better']:.0f} % ({low:.0f}-{high:.0f})"


def _verdict(row: dict[str, Any]) -> str:
    if row["verdict"] != UNRESOLVED or not math.isfinite(row["needed"]):
        return str(row["verdict"])
    return f"{UNRESOLVED}: about {row['needed']:.0f} needed"


def _write(found: Comparison, names: tuple[str, str], folder: Path) -> None:
    """Write tables and figure, whole or not at all."""
    from simulator.reports import comparison  # drawing needs libraries that tables do not

    drawn = comparison.page(found.table, names, found.notes)
    with replacing(folder) as fresh:
        found.table.to_csv(fresh / COMPARISON, index=False)
        found.inputs.to_csv(fresh / "inputs.csv", index=False)
        text = json.dumps(document(found), indent=1, allow_nan=False) + "\n"
        (fresh / "comparison.json").write_text(text, "utf-8")
        comparison.write(drawn, fresh)
