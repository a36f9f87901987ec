"""`gigawatt rare`: how likely are combinations of failures that no simulated year will show?"""

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd

from simulator import scenario as documents
from simulator.cli.text import MISSING, number, table
from simulator.errors import display_name
from simulator.studies import rare as study
from simulator.studies import rare_groups
from simulator.studies.folders import refuse_other, replacing

DIGITS = 3
TABLE = "rare.csv"


def rare(
    path: Path, sets: tuple[str, ...], chosen: str | None, years: float, output: Path | None, as_json: bool
) -> None:
    """Carry out the command."""
    if output is not None:
        refuse_other(output, TABLE, "such study")
    given = documents.load(path, sets, chosen)
    found = study.study(rare_groups.of_scenario(given), years, given.spec.seed)
    print(json.dumps(document(found, years), indent=1, allow_nan=False) if as_json else told(found, years))
    if output is not None:
        _write(found, given.spec.name, years, output)
        if not as_json:
            print(f"\nfigure: {display_name(str(output / 'rare.png'))}")


def document(found: pd.DataFrame, years: float) -> dict[str, Any]:
    """Return what `--json` prints."""
    rows = found.astype(object).where(found.notna(), None).to_dict("records")
    return {"years": years, "combinations": [{k: _finite(v) for k, v in row.items()} for row in rows]}


def told(found: pd.DataFrame, years: float) -> str:
    """Return the table as text; what is not resolved says why."""
    if found.empty:
        return "no group of this plant has a unit to spare: every failure is felt at once"
    span = "a year" if years == 1.0 else f"{years:g} years"
    header = ["out at once", "where", "groups", f"in {span}", "low", "high", "hours", "accelerator-h",
              "effective", "crude hits", "gain"]  # fmt: skip
    rows = [
        [row["combination"], row["example"], str(row["groups"]),
         *(_number(row[c]) for c in ("probability", "low", "high", "hours", "accelerator_hours")),
         f"{row['effective']:.0f}", str(row["crude_hits"]), _number(row["gain"])]
        for row in found.to_dict("records")
    ]  # fmt: skip
    lines = table(header, rows, right=range(2, len(header)))
    open_ones = found[found["reason"] != ""]
    lines += [f"not resolved: {r.combination}, {r.example}: {r.reason}" for r in open_ones.itertuples()]
    return "\n".join(lines)


def _number(value: Any) -> str:
    return MISSING if value is None or not math.isfinite(value) else number(float(value), DIGITS)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write(found: pd.DataFrame, name: str, years: float, folder: Path) -> None:
    from simulator.reports import comparison, rare  # drawing needs libraries that tables do not

    with replacing(folder) as fresh:
        comparison.write(rare.page(found, name), fresh)
        found.to_csv(fresh / TABLE, index=False)
        text = json.dumps(document(found, years), indent=1, allow_nan=False) + "\n"
        (fresh / "rare.json").write_text(text, "utf-8")
