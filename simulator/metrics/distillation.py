"""Distillation: what a student cost, and from how many tokens on it pays."""

from __future__ import annotations

import pandas as pd

from simulator.metrics.kpi import JOULES_PER_MWH, SECONDS_PER_HOUR, Kpi, ratio
from simulator.metrics.training import iso_date
from simulator.results import Results

DAY_S = 86_400.0


def payback(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return cost, saving per request and break-even of each distillation.

    What it cost is what the job holds from start to end: the plan's hours while it is not done, the
    hours held once it is. Saved is the difference between the class's policy and the student in
    full batches.
    """
    table = results.tables["distillations"].copy()
    planned_h = (table["generation_s"] + table["training_s"]) * table["accelerators"]
    planned_h = planned_h.astype(float) / SECONDS_PER_HOUR
    done = table["ready"].notna()
    table["cost_h"] = planned_h.where(~done, table["accelerator_hours"].astype(float))
    saved_s = table["policy_accelerator_s"].astype(float) - table["student_accelerator_s"]
    table["saved_s"] = saved_s.astype(float)
    pays = table["saved_s"] > 0.0
    table["requests"] = (table["cost_h"] * SECONDS_PER_HOUR / table["saved_s"]).where(pays)
    rate = (table["requests_per_s"] * table["share"]).astype(float)
    table["days"] = (table["requests"] / rate.where(rate > 0.0)) / DAY_S
    table["taken_over"] = [_taken_over(results, row) for _, row in table.iterrows()]
    return table


def _taken_over(results: Results, row: pd.Series) -> float:
    """Return the requests that the student answered in place of others."""
    streams = results.tables["streams"]
    own = (streams["class"] == row["class"]) & (streams["role"] == "student")
    return float(streams.loc[own & (streams["pool"] == row["pool"]), "served"].sum())


def kpis(results: Results) -> list[Kpi]:
    """Return the indicators of every distillation."""
    if len(results.tables["distillations"]) == 0:
        return []
    rows = [
        kpi._replace(name=f"distillation.{row['job']}.{kpi.name}")
        for _, row in payback(results).iterrows()
        for kpi in [*_cost(results, row), *_gain(row)]
    ]
    return rows


def _cost(results: Results, row: pd.Series) -> list[Kpi]:
    energy = results.tables["load_energy"]
    drawn_j = float(energy.loc[energy["load"].astype(str) == row["job"], "it_j"].sum())
    chips_h = float(row["accelerators"]) / SECONDS_PER_HOUR
    return [
        Kpi("written", float(row["written_tokens"]), "tokens", "Tokens the teacher has written."),
        Kpi("trained", float(row["trained_tokens"]), "tokens",
            "Tokens the student was trained on, epochs counted."),
        Kpi("generation_accelerator_hours", float(row["generation_s"]) * chips_h, "h",
            "Accelerator-hours that writing all texts takes at full clock without a stop."),
        Kpi("training_accelerator_hours", float(row["training_s"]) * chips_h, "h",
            "Accelerator-hours that training on them takes, likewise."),
        Kpi("accelerator_hours", float(row["accelerator_hours"]), "h",
            "Accelerator-hours that the job has held, stops and restarts included."),
        Kpi("energy", drawn_j / JOULES_PER_MWH, "MWh", "Energy into the racks of the job."),
        Kpi("ready", iso_date(row["ready"]), "ISO date",
            "UTC date and time at which training ended; null if unfinished when the run ended."),
    ]  # fmt: skip


def _gain(row: pd.Series) -> list[Kpi]:
    tokens = float(row["requests"] * row["tokens"])
    taken = float(row["taken_over"])
    saved_h = taken * float(row["saved_s"]) / SECONDS_PER_HOUR if taken else 0.0
    saved_j = taken * float(row["policy_j"] - row["student_j"]) if taken else 0.0
    return [
        Kpi("break_even_tokens", _known(tokens), "tokens",
            "Output tokens after which the job has paid for itself in accelerator-hours: its hours "
            "(the plan's, while it is not done) divided by what a token saves, the class's policy "
            "against the student, both in full batches. Null if nothing is taken over, or the "
            "student saves nothing."),
        Kpi("break_even_days", _known(float(row["days"])), "d",
            "Days after which that is so, at the run's mean rate of the share taken over."),
        Kpi("taken_over", taken, "1",
            "Requests that the student answered in place of what the policy would have chosen."),
        Kpi("saved_accelerator_hours", saved_h, "h",
            "Accelerator-hours that these would have taken beyond what the student took."),
        Kpi("saved_energy", saved_j / JOULES_PER_MWH, "MWh",
            "Energy of the accelerators over those hours, in full batches."),
        Kpi("paid_back", ratio(saved_h, float(row["cost_h"])), "1",
            "Those hours divided by what the job costs."),
    ]  # fmt: skip


def _known(value: float) -> float | None:
    return None if pd.isna(value) else value
