"""Does the model meet the meter? Named values fitted to telemetry, later telemetry scored blind.

`of_file` reads a calibration file, fits on the first part, and scores the rest without another look;
`folder` keeps what was found.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from simulator.documents import of_another_kind
from simulator.documents import read as read_document
from simulator.errors import ScenarioError, StudyError
from simulator.scenario import Scenario, load, wording
from simulator.studies.calibrate import scores, telemetry
from simulator.studies.calibrate.fit import Fit, Problem, fit
from simulator.studies.calibrate.spec import CalibrationSpec

ABSURD = 30.0
"""Ratio of measured to predicted means beyond which a unit is wrong, not a parameter."""
PERIODS = {"month": "M", "week": "W", "day": "D"}


@dataclass(frozen=True)
class Calibration:
    """What was fitted, and how well it holds on what it has not seen."""

    name: str
    spec: CalibrationSpec
    scenario: Scenario
    """With the values found laid on."""
    fit: Fit
    table: pd.DataFrame
    """One row per interval: time (UTC), part, block, measured, model, scale; SI."""
    scores: pd.DataFrame
    """`scores.COLUMNS`."""
    drift: dict[str, float | None]
    files: tuple[Path, ...]
    """Calibration file and telemetry; the scenario names its own."""

    fitted_files: tuple[str, ...]
    """Names of the telemetry files that were fitted on."""

    @property
    def unit(self) -> str:
        """SI unit of measured and model."""
        model: Any = self.spec.model
        return str(model.reads[model.predicts].unit)


def of_file(path: Path) -> Calibration:
    """Return the calibration of a file; ScenarioError or StudyError says what is wrong."""
    document = read_document(path)
    other = of_another_kind(document, "calibration")
    if other:
        raise ScenarioError(other)
    try:
        spec = CalibrationSpec.model_validate(document.tree)
    except ValidationError as error:
        found = wording.problems(CalibrationSpec, error)
        raise ScenarioError([document.problem(place, told) for place, told in found]) from None
    folder = document.folder_of(("scenario",))
    if not (folder / spec.scenario).is_file():
        raise ScenarioError([document.problem(("scenario",), f"no file {spec.scenario}")])
    files = (path, *(folder / told.file for told in spec.telemetry))

    def laid(values: list[tuple[str, Any]]) -> Scenario:
        return load(folder / spec.scenario, [*spec.fixed.items(), *values])

    return _carried_out(path.stem, spec, laid, telemetry.read(spec, folder), files)


def _carried_out(
    name: str, spec: CalibrationSpec, laid: Any, measured: telemetry.Measured, files: tuple[Path, ...]
) -> Calibration:
    model: Any = spec.model
    problem = Problem(model, laid, spec.parameters, measured.part(measured.fitted))
    start = problem.starts(laid([]), spec.parameters)
    _check_sense(problem, start)
    found = fit(problem, start)
    scenario = laid(found.values)
    table = _table(spec, scenario, measured)
    return Calibration(
        name, spec, scenario, found, table,
        scores.score(table, spec.interval, len(found.estimates)), scores.drift(table), files,
        tuple(Path(spec.telemetry[n].file).name for n in np.unique(measured.file[measured.fitted])),
    )  # fmt: skip


def _check_sense(problem: Problem, start: np.ndarray) -> None:
    """Refuse telemetry that is a whole unit away from the model."""
    model: Any = problem.model
    measured = float(np.abs(problem.inputs.values[model.predicts]).mean())
    guessed = float(np.abs(problem.predict(start)).mean())
    if not 1.0 / ABSURD <= measured / max(guessed, 1e-300) <= ABSURD:
        unit = model.reads[model.predicts].unit
        raise StudyError(
            f"{model.predicts} is {measured:.4g} {unit} on average where the scenario says {guessed:.4g} {unit}: "
            "is its `unit` right, and does the scenario describe what was measured?"
        )


def _table(
    spec: CalibrationSpec, scenario: Scenario, measured: telemetry.Measured
) -> pd.DataFrame:
    """Return measured and model side by side; each part runs from its own first interval."""
    model: Any = spec.model
    frames = []
    for part, wanted in (("fit", measured.fitted), ("blind", ~measured.fitted)):
        inputs = measured.part(wanted)
        frame = pd.DataFrame({
            "time": pd.to_datetime((inputs.time_s * 1e9).astype(np.int64), utc=True),
            "part": part,
            "measured": inputs.values[model.predicts],
            "model": model.predict(scenario, inputs),
            "scale": model.scale(inputs),
        })  # fmt: skip
        frame.insert(2, "block", _blocks(spec, frame["time"], measured.file[wanted]))
        frames.append(frame)
    return pd.concat(frames).sort_values("time", kind="stable").reset_index(drop=True)


def _blocks(spec: CalibrationSpec, time: pd.Series, file: np.ndarray) -> list[str]:
    if spec.blocks == "file":
        return [Path(spec.telemetry[int(n)].file).name for n in file]
    return list(time.dt.tz_localize(None).dt.to_period(PERIODS[spec.blocks]).astype(str))
