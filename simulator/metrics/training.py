"""Training jobs: pace, loss, stops and finish."""

from __future__ import annotations

import math

import pandas as pd

from simulator.metrics.kpi import Kpi
from simulator.metrics.series import aggregate
from simulator.results import Results

STOPS = ("interruptions", "planned_stops", "false_alarms")
"""Columns of `jobs` that count its stops, by kind; a folder of an older version has the first alone."""


MEANINGS = {
    "step_time": (
        "step_time_s",
        "s",
        (
            "Mean wall time of one optimizer step while computing, at the pace "
            "of the slowest member; stops are not in it."
        ),
    ),
    "mfu": (
        "mfu",
        "1",
        (
            "Model FLOPs of a step (recomputation not counted) divided by what the "
            "job's accelerators could do in the step time at their dense peak of the precision "
            "used."
        ),
    ),
    "ettr": (
        "ettr",
        "1",
        (
            "Productive time divided by running time plus requeue time after "
            "stops; the initial queue is excluded, and work lost to a restart is not "
            "productive."
        ),
    ),
    "tokens": ("tokens", "tokens", "Tokens trained and retained by the end of the run."),
    "interruptions": (
        "interruptions",
        "1",
        "Failures that stopped the job; planned work and false alarms are not counted.",
    ),
    "planned_stops": (
        "planned_stops",
        "1",
        "Stops of the job for planned work: maintenance and upgrades.",
    ),
    "false_alarms": (
        "false_alarms",
        "1",
        "Stops of the job for a false alarm, under which nothing had failed.",
    ),
    "communication_frac": (
        "communication_frac",
        "1",
        "Share of the planned step that waits for the network and nothing hides.",
    ),
    "mttf": (
        "mttf_h",
        "h",
        (
            "Running time of the job divided by the failures that stopped it; null without "
            "any. Planned stops and false alarms are not counted."
        ),
    ),
}
"""Column, unit and definition of each indicator of a job."""
WRITING = (
    "generation_frac", "1",
    "Share of the planned iteration that writes and scores answers, beside training or not.",
)


def progress(
    results: Results, by: str | None = "element", every: str | None = None
) -> pd.DataFrame:
    """Return accelerators held, productive share, speed and work done of each job."""
    return aggregate(results, "job", by, every)


def outcome(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return one row per job with its step time, MFU, ETTR, tokens, stops and finish."""
    return results.tables["jobs"].reset_index(drop=True)


def stops(jobs: pd.DataFrame) -> pd.Series:
    """Return how often each job was stopped, for whatever reason."""
    return jobs[[column for column in STOPS if column in jobs]].astype(float).sum(axis=1)


def phases(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return what the step of each job is made of: time, share, power."""
    return results.tables["phases"].reset_index(drop=True)


def tests(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return one row per evaluation or safety test of a job: how often, how long, its hours."""
    return results.tables["tests"].reset_index(drop=True)


def preparations(
    results: Results, by: str | None = None, every: str | None = None
) -> pd.DataFrame:
    """Return one row per data preparation: racks, rate, tokens, finish."""
    return results.tables["preparations"].reset_index(drop=True)


def kpis(results: Results) -> list[Kpi]:
    """Return the indicators of every job, every test of a model and every data preparation."""
    rows = [kpi for _, job in outcome(results).iterrows() for kpi in _job(job)]
    rows += [kpi for _, test in tests(results).iterrows() for kpi in _test(test)]
    rows += [kpi for _, work in preparations(results).iterrows() for kpi in _preparation(work)]
    return rows


def iso_date(time: object) -> str | None:
    """Return the ISO form of a UTC time to the second, or None."""
    if time is None or pd.isna(time):  # type: ignore[call-overload]
        return None
    stamp = pd.Timestamp(time)  # type: ignore[arg-type]
    stamp = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
    return stamp.floor("s").isoformat()


def _job(job: pd.Series) -> list[Kpi]:
    name = str(job["job"])
    chips = f"{job['accelerators']:,.0f} {job['accelerator']}"
    told = {"generation_frac": WRITING} if job["kind"] == "rl_post_training" else {}
    rows = [
        Kpi(f"training.{name}.{key}", _number(job.get(column)), unit, f"{text} Job on {chips}.")
        for key, (column, unit, text) in (MEANINGS | told).items()
    ]
    return [*rows, _finish(job)]


def _finish(job: pd.Series) -> Kpi:
    return Kpi(
        f"training.{job['job']}.finish_time",
        iso_date(job["finish"]),
        "ISO date",
        "UTC date and time at which the job reached its target "
        f"({job['target_tokens']:.4g} tokens); null if unfinished when the run ended.",
    )


def _test(test: pd.Series) -> list[Kpi]:
    """Return how often a test was made and at what cost."""
    where = "in pauses of the job" if test["in_pauses"] else "beside the job"
    of = f"Tests of {test['job']} on {test['accelerators']:,.0f} accelerators {where}."
    name = f"training.{test['test']}"
    return [
        Kpi(f"{name}.tests", float(test["completed"]), "1", f"Tests made. {of}"),
        Kpi(
            f"{name}.accelerator_hours", float(test["accelerator_hours"]), "h",
            f"Accelerator-hours of the tests that were made, useful hours of this test. {of}",
        ),
        Kpi(f"{name}.tokens", float(test["tokens"]), "tokens", f"Tokens read and written. {of}"),
    ]


def _preparation(work: pd.Series) -> list[Kpi]:
    """Return what was delivered, and when all of it."""
    told = (
        f"Tokens delivered by the end of the run, by {work['racks']:,.0f} support racks at "
        f"{work['tokens_per_s']:.4g} tokens/s (held up by {work['bound_by']})."
    )
    return [
        Kpi(f"training.{work['job']}.tokens", float(work["tokens"]), "tokens", told),
        _finish(work),
    ]


def _number(value: object) -> float | None:
    number = float(value) if value is not None else math.nan  # type: ignore[arg-type]
    return number if math.isfinite(number) else None
