"""Effective training time against scale: the formula in common use, the complete model, the clockwork."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulator.metrics import intervals, training
from simulator.policies.checkpointing import INTERVALS
from simulator.results import SCALE, Results
from simulator.studies import clockwork
from simulator.studies.clockwork import DAY_S, Practice

SCALES = (1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 100_000, 131_072, 262_144)
DAYS = 30.0
REPLICATES = 400
HOUR_S = 3600.0
STOPPED = ("lost_restart", "lost_queue")
"""Categories of the time from a stop to the first step after it."""


def table(
    mttf_one_s: float,
    stall_s: float,
    restart_s: float,
    scales: tuple[int, ...] = SCALES,
    policy: str = "daly",
) -> pd.DataFrame:
    """Return one row per number of accelerators, the interval between saves chosen for each.

    Parameters
    ----------
    mttf_one_s : time between the failures that one accelerator causes; `n` of them cause `n` times more
    policy : a policy of `policies.checkpointing`

    Returns
    -------
    DataFrame
        accelerators, mttf_h, interval_s, first_order, complete, ettr (the mean of the clockwork,
        `kernels.goodput`), low and high (its 95 % interval), p10, p50, p90 over replicates of thirty days.
    """
    rows = []
    for n in scales:
        mttf_s = mttf_one_s / n
        practice = Practice(mttf_s, INTERVALS[policy](stall_s, mttf_s), stall_s, restart_s)
        useful_s, hits = clockwork.follow(practice, DAYS, REPLICATES)
        share = useful_s / (DAYS * DAY_S)
        mean, deviation, _ = clockwork.controlled(practice, useful_s, hits, DAYS)
        half = intervals.t_quantile(REPLICATES) * deviation
        p10, p50, p90 = np.quantile(share, [0.1, 0.5, 0.9])
        rows.append({
            "accelerators": n, "mttf_h": mttf_s / HOUR_S, "interval_s": practice.interval_s,
            "first_order": clockwork.first_order(practice), "complete": clockwork.complete(practice),
            "ettr": mean, "low": mean - half, "high": mean + half, "p10": p10, "p50": p50, "p90": p90,
        })  # fmt: skip
    return pd.DataFrame(rows)


def of_results(results: list[Results]) -> pd.DataFrame:
    """Return the table of every training job that a failure stopped, at the rates and with the
    practice it had in the run: the columns `results.SCALE`.

    Only failures grow with the job: stops that were planned and false alarms are left out of the
    scaled rate. The time between failures and the time a stop of any kind takes are means over the
    replicates.
    """
    jobs = pd.concat([r.tables["jobs"] for r in results])
    hours = pd.concat([r.tables["hours"] for r in results])
    parts = [
        _of_job(rows, hours[hours["load"] == name])
        for name, rows in jobs.groupby("job", sort=False)
        if rows["interruptions"].sum() > 0
    ]
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(SCALE))
    return found[list(SCALE)]


def _of_job(rows: pd.DataFrame, hours: pd.DataFrame) -> pd.DataFrame:
    """Return the table of one job from its rows and hours, replicate by replicate."""
    one, hits = rows.iloc[0], float(rows["interruptions"].sum())
    stops, n = float(training.stops(rows).sum()), float(one["accelerators"])
    stopped = hours[hours["category"].isin(STOPPED)]
    stopped_s = float(stopped["accelerator_hours"].sum()) / n * HOUR_S
    elapsed_s = float(rows["running_h"].sum()) * HOUR_S + stopped_s
    found = table(elapsed_s / hits * n, float(one["checkpoint_stall_s"]), stopped_s / stops)
    ettr = float(rows["ettr"].mean())
    lost_min = (1.0 - ettr) * elapsed_s / stops / 60.0
    return found.assign(
        job=one["job"], own_accelerators=n, own_ettr=ettr, own_lost_min=lost_min
    )
