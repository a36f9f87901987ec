"""Served models: demand, latency percentiles, SLO attainment."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulator.metrics.kpi import Kpi, ratio
from simulator.metrics.series import aggregate
from simulator.results import Results


def demand(results: Results, by: str | None = "element", every: str | None = None) -> pd.DataFrame:
    """Return arrivals, served and shed requests per second, queue and load of each pool."""
    return aggregate(results, "pool", by, every)


def attainment(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return requests, those within every limit, and their share, per pool; requests that spilled to
    another pool count where they arrived."""
    pools = results.tables["pools"]
    table = pools[["pool", "requests", "served", "shed", "queued_end", "within_slo"]].copy()
    table["slo_attainment_frac"] = table["within_slo"] / table["requests"].where(
        table["requests"] > 0
    )
    return table.reset_index(drop=True)


def latency(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return the cumulative latency distribution: pool, quantity, upper_s, share at or below."""
    table = results.tables["latency"].copy()
    for column in ("pool", "quantity"):
        table[column] = table[column].astype(str)
    table = table.sort_values(["pool", "quantity", "upper_s"], ignore_index=True)
    groups = table.groupby(["pool", "quantity"])["requests"]
    table["at_or_below_frac"] = groups.cumsum() / groups.transform("sum")
    return table


def percentile(results: Results, pool: str, quantity: str, frac: float) -> float | None:
    """Return the latency in s that `frac` of the served requests stay within.

    Within a bin of the histogram requests are taken as spread evenly over the logarithm of
    latency. A percentile in the open last bin is reported at that bin's lower edge.
    """
    table = results.tables["latency"]
    own = (np.asarray(table["pool"]) == pool) & (np.asarray(table["quantity"]) == quantity)
    upper_s, requests = (table[c].to_numpy(float)[own] for c in ("upper_s", "requests"))
    order = np.argsort(upper_s)
    return histogram_percentile(upper_s[order], requests[order], frac)


def histogram_percentile(upper_s: np.ndarray, counts: np.ndarray, frac: float) -> float | None:
    """Interpolate a percentile in logarithmic bins given by their upper edges."""
    if len(upper_s) == 0 or counts.sum() <= 0:
        return None
    cumulative = np.cumsum(counts)
    target = frac * cumulative[-1]
    i = min(int(np.searchsorted(cumulative, target)), len(upper_s) - 1)
    lower_s = (
        upper_s[i - 1] if i else upper_s[0] ** 2 / upper_s[1] if len(upper_s) > 1 else upper_s[0]
    )
    if not np.isfinite(upper_s[i]):
        return float(lower_s)
    within = (target - (cumulative[i] - counts[i])) / counts[i] if counts[i] else 1.0
    return float(lower_s * (upper_s[i] / lower_s) ** within)


def kpis(results: Results) -> list[Kpi]:
    """Return the indicators of every served model."""
    return [kpi for _, pool in results.tables["pools"].iterrows() for kpi in _pool(results, pool)]


def _pool(results: Results, pool: pd.Series) -> list[Kpi]:
    name = str(pool["pool"])
    requests = float(pool["requests"])
    rows = [Kpi("requests", requests, "1", "Requests that arrived in the run.")]
    rows += [_latency(results, name, q, p) for q in ("ttft", "tpot") for p in (50, 99)]
    rows += [
        Kpi(
            "slo_attainment",
            ratio(float(pool["within_slo"]), requests),
            "1",
            f"Requests that met every limit (first token within {pool['ttft_limit_s']:g} s, "
            f"{pool['tpot_limit_s']:g} s per further token) divided by arrivals; shed, rejected and "
            "unfinished requests are misses. Requests that moved on count where they arrived, by these "
            "limits, as the other pool served them; null where none arrived.",
        ),
        Kpi(
            "output_tokens",
            float(pool["output_tokens"]),
            "tokens",
            "Tokens written for the requests served.",
        ),
        Kpi(
            "unserved",
            float(pool["shed"]) + float(pool["queued_end"]) + float(pool.get("rejected", 0.0)),
            "1",
            "Requests shed, rejected, or still waiting when the run ended.",
        ),
    ]
    rows += _moved(pool) + _verified(results, name)
    return [row._replace(name=f"inference.{name}.{row.name}") for row in rows]


MOVED = {
    "rejected": "Requests whose prompt and answer together are longer than a replica's memory or the "
    "model's context can hold.",
    "spilled": "Requests that moved on to another pool because they would have waited too long.",
    "received": "Requests that came from other pools.",
    "retried": "Requests in replicas that failed, asked again; counted each time.",
    "lost": "Requests in replicas that failed, not asked again.",
}


def _moved(pool: pd.Series) -> list[Kpi]:
    """Return what became of requests beside served and shed, as far as it happened."""
    counts = {name: float(pool.get(name, 0.0)) for name in MOVED}
    return [Kpi(name, count, "1", MOVED[name]) for name, count in counts.items() if count]


def verification(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return every quantity of the windows served again request by request."""
    return results.tables.get("verify", pd.DataFrame()).copy()


def _verified(results: Results, pool: str) -> list[Kpi]:
    """Return the largest deviation of the surface from the kernel over the run's windows."""
    table = verification(results)
    if table.empty:
        return []
    own = table[(table["pool"].astype(str) == pool) & table["deviation_frac"].notna()]
    rows = []
    for quantity, deviations in own.groupby("quantity", sort=False)["deviation_frac"]:
        worst = float(deviations.loc[deviations.abs().idxmax()])
        rows.append(Kpi(
            f"verify_{quantity}", worst, "1",
            f"Deviation of {quantity} by the plan run's surface from replicas served request by "
            f"request, relative: the largest of {len(deviations)} windows.",
        ))  # fmt: skip
    return rows


def _latency(results: Results, pool: str, quantity: str, percent: int) -> Kpi:
    meaning = {
        "ttft": "from arrival to the first token, queueing included",
        "tpot": "per output token after the first",
    }[quantity]
    spread = {
        "ttft": "Spread of waits and prompts included",
        "tpot": "Each request is counted at its own mean time",
    }[quantity]
    return Kpi(
        f"{quantity}_p{percent}",
        percentile(results, pool, quantity, percent / 100),
        "s",
        f"Time {meaning}, that {percent} percent of the requests served in the run stay within; "
        f"interpolated in the logarithmic bins of the run's histogram. {spread}.",
    )
