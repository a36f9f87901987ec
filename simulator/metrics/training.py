"""Training jobs: pace, loss and finish."""

import math

import pandas as pd

from simulator.metrics.kpi import Kpi
from simulator.metrics.series import aggregate
from simulator.results import Results


def progress(
    results: Results, by: str | None = "element", every: str | None = None
) -> pd.DataFrame:
    """Return accelerators held, productive share, speed and work done of each job."""
    return aggregate(results, "job", by, every)


def outcome(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return one row per job with its step time, MFU, ETTR, tokens, interruptions and finish."""
    return results.tables["jobs"].reset_index(drop=True)


def kpis(results: Results) -> list[Kpi]:
    """Return the indicators of every job."""
    return [kpi for _, job in outcome(results).iterrows() for kpi in _job(job)]


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
    meanings = {
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
                "interruptions; the initial queue is excluded, and work lost to a restart is not "
                "productive."
            ),
        ),
        "tokens": ("tokens", "tokens", "Tokens trained and retained by the end of the run."),
        "interruptions": ("interruptions", "1", "Failures that stopped the job."),
        "mttf": (
            "mttf_h",
            "h",
            ("Running time of the job divided by its interruptions; null without any."),
        ),
    }
    rows = [
        Kpi(f"training.{name}.{key}", _number(job[column]), unit, f"{text} Job on {chips}.")
        for key, (column, unit, text) in meanings.items()
    ]
    finish = iso_date(job["finish"])
    return [
        *rows,
        Kpi(
            f"training.{name}.finish_time",
            finish,
            "ISO date",
            "UTC date and time at which the job reached its target "
            f"({job['target_tokens']:.4g} tokens); null if unfinished when the run ended.",
        ),
    ]


def _number(value: object) -> float | None:
    number = float(value) if value is not None else math.nan  # type: ignore[arg-type]
    return number if math.isfinite(number) else None
