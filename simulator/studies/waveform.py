"""Any minute of a run again, at 10 ms: its power, what smooths it, and which limits it keeps."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from simulator import scenario as documents
from simulator.components.kinds import Spec
from simulator.kernels.columns import POI_W
from simulator.kernels.site_step import STEP_S
from simulator.scenario import Scenario
from simulator.scenario.checks import waveform as checks
from simulator.scenario.parts import Parts
from simulator.scenario.spec import ScenarioSpec
from simulator.simulation import observe
from simulator.studies import StudyError
from simulator.studies.moments import time_of
from simulator.studies.run import load
from simulator.workloads import waveform_tables
from simulator.workloads.waveform import Waveform
from simulator.workloads.waveform_power import Drawn
from simulator.workloads.waveform_probe import Seen

RESOLVED = "scenario.resolved.yaml"
DEFAULT_MINUTES = 1
DEFAULT_AT = timedelta(hours=1)
"""Into a scenario that was not run: its jobs have started by then. Of a run: its peak minute."""
SAME = 1e-9
"""Relative difference of a minute's import up to which a run counts as the one in the folder."""


@dataclass(frozen=True)
class Asked:
    """What the command line asks for; None and empty: what the scenario says."""

    at: str | None = None
    minutes: int | None = None
    job: str | None = None
    smoothing: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """Windows of one scenario."""

    name: str
    windows: Waveform
    drawn: tuple[Drawn, ...]
    tables: dict[str, pd.DataFrame]
    recorded: float | None
    """Largest relative difference of the windows' minutes from those of the run folder, if there is
    one."""


def study(place: Path, asked: Asked, sets: tuple[str, ...] = (), chosen: str | None = None) -> Found:
    """Return the windows of a scenario or of a run folder, simulated again up to there."""
    folder = place if place.is_dir() else None
    given = documents.load(folder / RESOLVED if folder else place, sets, chosen)
    runs = load(folder) if folder else None
    minutes = runs[0].timeseries["site"] if runs else None
    windows = _windows(given, asked, minutes)
    changed = given.spec.model_copy(
        update={"verify": given.spec.verify.model_copy(update={"waveform": windows})}
    )
    troubles = list(checks.windows(Parts.of_spec(changed, given.document.tree)))
    if troubles:
        raise StudyError("\n".join(message for _, message in troubles))
    made, seen = observe(given, windows)
    start = given.spec.period.start
    recorded = None if minutes is None else _difference(seen, minutes)
    return Found(given.spec.name, windows, made, waveform_tables.tables(made, windows, start), recorded)


def _windows(given: Scenario, asked: Asked, minutes: pd.DataFrame | None) -> Waveform:
    """Return the scenario's windows with what the command line asks for in their place."""
    spec, own = given.spec, given.spec.verify.waveform
    changes: dict[str, object] = {}
    if asked.minutes is not None:
        changes["length"] = asked.minutes * 60.0
    if asked.job is not None:
        changes["job"] = asked.job
    if asked.masks:
        changes["masks"] = asked.masks
    if asked.smoothing:
        changes["smoothing"] = tuple(_smoother(text) for text in asked.smoothing)
    if asked.at is not None:
        changes["windows"] = (time_of(asked.at, spec, "--at"),)
    elif not own.windows:
        length_s = float(changes.get("length", own.length))  # type: ignore[arg-type]
        changes["windows"] = (_default(spec, length_s, minutes),)
    return own.model_copy(update=changes)


def _default(spec: ScenarioSpec, length_s: float, minutes: pd.DataFrame | None) -> datetime:
    start, last_s = spec.period.start, spec.period.duration - length_s
    if minutes is None:
        return start + min(DEFAULT_AT, timedelta(seconds=max(last_s // 60.0 * 60.0, 0.0)))
    into_s = min(60.0 * int(np.argmax(minutes["poi_w"].to_numpy())), last_s)
    return start + timedelta(seconds=into_s)


def _smoother(text: str) -> Spec:
    """Return a smoother of `kind`, or `kind:key=value,key=value`."""
    from pydantic import ValidationError, create_model

    from simulator.components.power.smoothing import Smoothing
    from simulator.scenario import wording

    kind, _, rest = text.partition(":")
    pairs = [part.partition("=") for part in rest.split(",") if part]
    values = {key.strip(): value.strip() for key, _, value in pairs}
    given = {"smoothing": {"kind": kind.strip()} | values}
    option = create_model("Option", __base__=Spec, smoothing=(Smoothing, ...))
    try:
        made: Spec = option.model_validate(given).smoothing  # type: ignore[attr-defined]
    except ValidationError as error:
        told = [
            ": ".join([*map(str, path[1:]), message])
            for path, message in wording.problems(option, error)
        ]
        raise StudyError("\n".join(f"--smoothing '{text}': {one}" for one in told)) from None
    return made


def _difference(seen: list[Seen], minutes: pd.DataFrame) -> float:
    """Return the largest relative difference of the minutes' import from those recorded."""
    poi_w = minutes["poi_w"].to_numpy()
    found = []
    for one in seen:
        first = round(one.start_s / STEP_S)
        kept_w = poi_w[first : first + len(one.site_w)]
        found.append(float(np.abs(one.site_w[:, POI_W] / kept_w - 1.0).max()))
    return max(found)

