"""`gigawatt calibrate`: fit named values of a scenario to telemetry, score later telemetry blind."""

import json
import math
from pathlib import Path

from simulator.cli.text import MISSING, number, table
from simulator.errors import display_name
from simulator.studies import calibrate as study
from simulator.studies.calibrate import Calibration, folder, scores
from simulator.studies.folders import replacing
from simulator.studies.progress import say

DIGITS = 5


def calibrate(path: Path, output: Path | None, as_json: bool) -> None:
    """Carry out the command."""
    if output is not None:
        folder.check(output)
    found = study.of_file(path)
    for text in found.fit.warnings:
        say(f"warning: {text}")
    print(json.dumps(folder.document(found), indent=1, allow_nan=False) if as_json else told(found))
    if output is not None:
        _write(found, output)
        if not as_json:
            print(f"\nvalues: {display_name(str(output / folder.OVERRIDES))}")


def told(found: Calibration) -> str:
    """Return parameters, scores and drift as text."""
    rows = [
        [e.key, number(e.start, DIGITS), number(e.value, DIGITS), _known(e.low), _known(e.high), e.unit]
        for e in found.fit.estimates
    ]
    lines = table(["parameter", "start", "found", "low", "high", "unit"], rows, right=(1, 2, 3, 4))
    header = ["part", "block", "n", "measured", "model", "NMBE %", "CV-RMSE %", "a constant's %", "within"]
    rows = [
        [r["part"], r["block"], str(r["n"]), number(r["measured"], DIGITS), number(r["model"], DIGITS),
         *(f"{r[c]:.2f}" for c in ("nmbe_pct", "cv_rmse_pct", "constant_cv_rmse_pct")),
         "yes" if r["within"] else "no"]
        for r in found.scores.to_dict("records")
    ]  # fmt: skip
    lines += ["", *table(header, rows, right=range(2, len(header) - 1))]
    most = scores.limits(found.spec.interval)
    return "\n".join([
        *lines, "",
        f"within: |NMBE| <= {most['nmbe_pct']:g} % and CV-RMSE <= {most['cv_rmse_pct']:g} % (ASHRAE Guideline 14); "
        "NMBE is positive where the model is low",
        *_drift(found),
        f"the {(found.table['part'] == 'fit').sum()} intervals fitted are worth {found.fit.effective:.0f} independent "
        "ones; intervals of parameters allow for that",
    ])  # fmt: skip


def _drift(found: Calibration) -> list[str]:
    """Return what happens to the residual over time, with its intervals."""
    lines = []
    for name, what in (("trend", "over the whole time"), ("step", "from the fitted part to the blind one")):
        value, low, high = (found.drift[f"{name}_{end}"] for end in ("pct", "low", "high"))
        assert value is not None and low is not None and high is not None
        sure = "" if low <= 0.0 <= high else ": a drift"
        lines.append(f"measured less model moves by {value:+.2f} % ({low:+.2f} to {high:+.2f}) {what}{sure}")
    return lines


def _known(value: float | None) -> str:
    return MISSING if value is None or not math.isfinite(value) else number(value, DIGITS)


def _write(found: Calibration, output: Path) -> None:
    """Write the folder, whole or not at all."""
    from simulator.reports import (  # drawing needs libraries that tables do not
        calibration,
        comparison,
    )

    with replacing(output) as fresh:
        folder.write(found, fresh)
        comparison.write(calibration.page(found.table, found.scores, found.unit, found.name), fresh)
