"""Routed traffic: who answered which class, what that cost, how good the user's table says it was."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulator.metrics.cost import load_cost
from simulator.metrics.kpi import JOULES_PER_MWH, Kpi, ratio
from simulator.metrics.series import period
from simulator.results import Results

BYTES_PER_TB = 1e12
WATTS_PER_KW = 1e3


def flows(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return requests by class, stage, pool and role: arrived, served, passed on, shed, lost; with
    `every` per period."""
    names = results.tables["streams"][["stream", "class", "stage", "pool", "role"]]
    table = results.tables["routes"].merge(names, on="stream")
    keys = ["class", "stage", "pool", "role"]
    if every is not None:
        keys = ["time", *keys]
        table = table.assign(time=period(results, table["time"], every))
    counts = ["arrived", "served", "passed_on", "shed", "lost"]
    return table.groupby(keys, sort=True, observed=True)[counts].sum().reset_index()


def answers(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return answers kept by class and pool, their share, and their quality by the user's table."""
    streams = results.tables["streams"]
    table = streams[streams["role"] != "moderation"].copy()
    table["answers"] = table["served"] - table["passed_on"]
    total = table.groupby("class")["answers"].transform("sum")
    table["share"] = table["answers"] / total.where(total > 0)
    return table[["class", "pool", "role", "stage", "answers", "share", "quality"]].reset_index(
        drop=True
    )


def costs(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return accelerator-hours, energy and its cost of each class and pool.

    What a pool held and drew over the run is split by the work it served: headroom and idle power
    are paid by those it stands ready for.
    """
    streams = results.tables["streams"]
    done = (streams["served"] * streams["work"]).groupby([streams["class"], streams["pool"]]).sum()
    table = done.rename("work").reset_index()
    share = table["work"] / table.groupby("pool")["work"].transform("sum").replace(0.0, np.nan)
    hours, energy = results.tables["hours"], results.tables["load_energy"]
    held = hours.groupby(hours["load"].astype(str))["accelerator_hours"].sum()
    drawn = energy.groupby(energy["load"].astype(str))["it_j"].sum()
    paid = load_cost(results).set_index("load")["energy_usd"]
    pool = table["pool"].astype(str)
    for name, values in (("accelerator_hours", held), ("energy_j", drawn), ("energy_usd", paid)):
        table[name] = (pool.map(values).astype(float) * share).fillna(0.0)
    return table


def latency_s(results: Results) -> dict[str, float]:
    """Return the mean time to the last token of each class, all stages and moderation together."""
    named = results.tables["routes"].merge(
        results.tables["streams"][["stream", "class"]], on="stream"
    )
    spent = (named["served"] * named["latency_s"]).groupby(named["class"].astype(str)).sum()
    served = results.tables["classes"].set_index("class")["served"].astype(float)
    return {str(c): float(spent.get(c, 0.0)) / n for c, n in served.items() if n > 0}


def quality(results: Results) -> dict[str, float | None]:
    """Return the mean quality of each class's answers; None where the user's table is silent."""
    table = answers(results)
    table = table[table["answers"] > 0]
    found: dict[str, float | None] = {}
    for name, own in table.groupby("class", sort=False):
        mean = (own["answers"] * own["quality"]).sum(skipna=False) / own["answers"].sum()
        found[str(name)] = None if np.isnan(mean) else float(mean)
    return found


def kpis(results: Results) -> list[Kpi]:
    """Return the indicators of every class."""
    classes = results.tables["classes"]
    if len(classes) == 0:
        return []
    streams = results.tables["streams"]
    paid, spent_s, good = costs(results), latency_s(results), quality(results)
    rows: list[Kpi] = []
    for _, row in classes.iterrows():
        name = str(row["class"])
        own = streams[streams["class"] == name]
        found = [
            *_counts(row, own), *_merits(own, good.get(name), spent_s.get(name)),
            *_spending(paid[paid["class"] == name], float(row["served"])), *_traces(results, row, own),
        ]  # fmt: skip
        rows += [kpi._replace(name=f"routing.{name}.{kpi.name}") for kpi in found]
    return rows


def _counts(row: pd.Series, own: pd.DataFrame) -> list[Kpi]:
    by_role = own.groupby("role")["arrived"].sum()
    return [
        Kpi("requests", float(row["arrived"]), "1", "Requests of the class that arrived in the run."),
        Kpi("served", float(row["served"]), "1",
            "Requests answered, after every stage and pass of moderation."),
        Kpi("shed", float(row["shed"]) + float(row["lost"]), "1",
            "Requests turned away at any stage, or lost with a failed replica. Served, shed, rejected "
            "and waiting add up to those that arrived."),
        Kpi("rejected", float(row.get("rejected", 0.0)), "1",
            "Requests too long for a pool that they reached: its replicas' memory, or its model's "
            "context."),
        Kpi("waiting", float(row["waiting"]), "1",
            "Requests in queues, or between two stages, when the run ended."),
        Kpi("spilled", float(by_role.get("spill", 0.0)), "1",
            "Requests that the policy sent to another pool than its first choice."),
        Kpi("escalated", float(by_role.get("escalation", 0.0)), "1",
            "Answers that a pool of a cascade passed on to the next, as often as that happened."),
    ]  # fmt: skip


def _merits(own: pd.DataFrame, good: float | None, spent_s: float | None) -> list[Kpi]:
    answered = own["served"] - own["passed_on"]
    cut = float((answered * own["cut_frac"]).sum())
    return [
        Kpi("quality", good, "1",
            "Share of answers that are good enough: the user's table over the pools that answered; "
            "null where the table has no entry for one of them. Nothing of it is simulated."),
        Kpi("latency_mean", spent_s, "s",
            "Mean time from arrival to the last token, with every pool that a request passed and "
            "every wait on the way, per request served."),
        Kpi("thoughts_cut", cut, "1",
            "Answers whose chain of thought met its budget."),
        Kpi("output_tokens", float((own["served"] * own["output_tokens"]).sum()), "tokens",
            "Tokens written at every stage, those of answers passed on and of verdicts included."),
    ]  # fmt: skip


def _spending(paid: pd.DataFrame, served: float) -> list[Kpi]:
    usd = float(paid["energy_usd"].sum())
    how = (
        "Every pool's total over the run, headroom included, is split by the work it served for each "
        "class."
    )
    return [
        Kpi("accelerator_hours", float(paid["accelerator_hours"].sum()), "h",
            f"Accelerator-hours held for the class. {how}"),
        Kpi("energy", float(paid["energy_j"].sum()) / JOULES_PER_MWH, "MWh",
            f"Energy into racks for the class. {how}"),
        Kpi("energy_cost", usd, "USD",
            f"Cost of the imported energy for the class, what cools and feeds its racks included. {how}"),
        Kpi("energy_cost_per_million_requests", ratio(1e6 * usd, served), "USD",
            "That cost divided by the requests served, in millions."),
    ]  # fmt: skip


def _traces(results: Results, row: pd.Series, own: pd.DataFrame) -> list[Kpi]:
    """Return what the class's traces take; nothing where none are kept."""
    if not row["keep_s"]:
        return []
    answered = own[own["role"] != "moderation"]
    tokens = (answered["served"] - answered["passed_on"]) * answered["output_tokens"]
    prompts = (answered["served"] - answered["passed_on"]) * answered["input_tokens"]
    written = float(row["served"]) * float(row["trace_bytes"])
    written += float(row["token_bytes"]) * float(tokens.sum() + prompts.sum())
    held = written / float(results.info["duration_s"]) * float(row["keep_s"])
    racks = held / float(row["rack_bytes"])
    return [
        Kpi("traces_written", written / BYTES_PER_TB, "TB", "Bytes of traces written in the run."),
        Kpi("traces_held", held / BYTES_PER_TB, "TB",
            "Bytes of traces that stand once the first are deleted: the mean rate of the run times "
            "the time they are kept."),
        Kpi("trace_racks", racks, "1", "Storage racks that these fill."),
        Kpi("trace_power", racks * float(row["rack_w"]) / WATTS_PER_KW, "kW",
            "Steady draw of those racks."),
    ]  # fmt: skip
