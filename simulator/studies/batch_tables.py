"""What became of a trace, as tables: a row per request, indicators, the replicas over time."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from simulator.kernels.batching_state import (
    BATCH_S,
    BUSY_S,
    DYNAMIC_S,
    KV_TOKEN_S,
    QUEUED,
    REJECTED,
    SERVED,
    SHED,
    ends_of,
)
from simulator.studies.batch import NO_ROUTE, OUTCOMES, Batch, Pool, folded
from simulator.studies.batch_deployment import Deployment, Question

PERCENTILES = (50, 90, 95, 99)
LATENCIES = {
    "ttft": "time to first token: from arrival until it leaves the engine",
    "tpot": "time per output token after the first, of requests with more than one",
    "e2e": "from arrival to last token",
    "queue": "from arrival to first admission",
}
JOULES_PER_KWH = 3.6e6

Floats = NDArray[np.float64]
Entry = tuple[str, float | int | None, str, str]


def latencies(batch: Batch) -> dict[str, Floats]:
    """Return the latencies of each request in s; NaN where it has none."""
    arrival_s, decoded = batch.trace.arrival_s, batch.trace.output_tokens - 1.0
    served = batch.outcome == SERVED
    decoded[~served | (decoded == 0.0)] = np.nan
    return {
        "ttft": batch.first_s - arrival_s,
        "tpot": (batch.finish_s - batch.first_s) / decoded,
        "e2e": np.where(served, batch.finish_s - arrival_s, np.nan),
        "queue": batch.admitted_s - arrival_s,
    }


def requests(batch: Batch) -> pa.Table:
    """Return one row per request of the trace, in its order."""
    trace = batch.trace
    columns: dict[str, Any] = {
        "arrival_s": trace.arrival_s,
        "input_tokens": trace.input_tokens,
        "output_tokens": trace.output_tokens,
        "outcome": pa.DictionaryArray.from_arrays(batch.outcome, pa.array(OUTCOMES)),
        "replica": _known(batch.replica, batch.replica >= 0),
        "admitted_s": _known(batch.admitted_s),
        "first_token_s": _known(batch.first_s),
        "finish_s": _known(batch.finish_s),
    }
    columns |= {f"{name}_s": _known(values) for name, values in latencies(batch).items()}
    if trace.images is not None:
        columns["images"] = trace.images
    columns |= {"preemptions": batch.preemptions, "cached_tokens": batch.hit_tokens}
    columns |= {
        name: values.dictionary_encode()
        for name, values in {"model": trace.models, "class": trace.classes}.items()
        if values is not None
    }
    return pa.table(columns)


def _known(values: NDArray, known: NDArray[np.bool_] | None = None) -> pa.Array:
    """Return a column with nulls where nothing is known."""
    return pa.array(values, mask=np.isnan(values) if known is None else ~known)


def kpis(batch: Batch) -> dict[str, dict[str, Any]]:
    """Return the indicators: value, unit, definition."""
    return {
        name: {"value": value, "unit": unit, "definition": definition}
        for part in (_counts, _times, _tokens, _replicas, _energy)
        for name, value, unit, definition in part(batch)
    }


def checks(batch: Batch) -> dict[str, float]:
    """Return what must be zero.

    Requests that no replica has counted and that are for no other model; and those whose outcome is
    not what the replicas have counted.
    """
    elsewhere = sum(batch.elsewhere.values())
    told = ends_of(batch.outcome[batch.outcome != NO_ROUTE])
    return {
        "requests_balance": float(batch.trace.requests - elsewhere - batch.counted.sum()),
        "outcomes_balance": float(np.abs(told - batch.counted).sum()),
    }


def _counts(batch: Batch) -> Iterator[Entry]:
    yield "requests", batch.trace.requests, "1", "requests of the trace"
    told = {
        SERVED: "answered to the last token",
        REJECTED: "refused at arrival: prompt and answer are longer than the cache of a replica",
        SHED: "given up after waiting longer than the patience",
        QUEUED: "waiting at the end",
        1: "begun and not ended at the end",
        NO_ROUTE: "meant for another model",
    }
    for code, definition in told.items():
        yield OUTCOMES[code], int((batch.outcome == code).sum()), "1", definition


def _times(batch: Batch) -> Iterator[Entry]:
    found = latencies(batch)
    for name, definition in LATENCIES.items():
        values = found[name][~np.isnan(found[name])]
        yield f"{name}_mean", _or_none(values, np.mean), "s", f"mean {definition}"
        ranks = np.percentile(values, PERCENTILES) if len(values) else [None] * len(PERCENTILES)
        for rank, value in zip(PERCENTILES, ranks, strict=True):
            told = f"{definition}; {rank} % are below"
            yield f"{name}_p{rank}", None if value is None else float(value), "s", told
    met = within_limits(batch)
    good = float(met.sum()) if batch.asked.limited else None
    for name, over, unit, told in (
        ("slo_attainment", batch.trace.requests, "1", "over arrivals"),
        ("goodput", _span_s(batch), "1/s", "per second"),
    ):
        value = None if good is None else good / over
        yield name, value, unit, f"requests served within every limit {told}; null without a limit"


def within_limits(batch: Batch) -> NDArray[np.bool_]:
    """Return which requests were served within the limits; one token has no time per token."""
    found, asked = latencies(batch), batch.asked
    slow = (found["ttft"] > asked.slo_ttft_s) | (found["tpot"] > asked.slo_tpot_s)
    return np.asarray((batch.outcome == SERVED) & ~slow)


def _or_none(values: Floats, function: Any) -> float | None:
    return float(function(values)) if len(values) else None


def _span_s(batch: Batch) -> float:
    """Return the time from the first arrival to the last thing that happened."""
    ends = np.concatenate((batch.trace.arrival_s[-1:], batch.finish_s[~np.isnan(batch.finish_s)]))
    return max(float(ends.max() - batch.trace.arrival_s[0]), 1e-9)


def _tokens(batch: Batch) -> Iterator[Entry]:
    served, span_s = batch.outcome == SERVED, _span_s(batch)
    output = int(batch.trace.output_tokens[served].sum())
    prompts = int(batch.trace.input_tokens[served].sum())
    hit = int(batch.hit_tokens[served].sum())
    yield "span", span_s, "s", "from the first arrival to the last token"
    yield "output_tokens", output, "tokens", "tokens of answers served"
    yield "output_tokens_s", output / span_s, "tokens/s", "output tokens over the span"
    yield "input_tokens_s", prompts / span_s, "tokens/s", "tokens of prompts served over the span"
    if batch.deployment.rules.block_tokens:
        told = "share of prompt tokens found in the prefix cache"
        yield "cache_hit_frac", hit / prompts if prompts else None, "1", told


def _replicas(batch: Batch) -> Iterator[Entry]:
    span_s = _span_s(batch)
    for name, pool in batch.pools.items():
        at = "" if name == "replicas" else f"{name}_"
        busy_s = float(pool.busy_s.sum())
        peak = float(pool.peak_tokens.max()) / batch.deployment.kv_tokens
        yield (
            f"{at}utilization",
            busy_s / (span_s * pool.replicas),
            "1",
            "time with an iteration under way",
        )
        mean = float(pool.series[:, BATCH_S].sum()) / busy_s if busy_s else 0.0
        yield f"{at}batch_mean", mean, "1", "sequences of an iteration, mean over busy time"
        yield f"{at}iterations", pool.iterations, "1", "iterations of all replicas"
        yield f"{at}kv_peak", peak, "1", "largest share of a replica's cache in use"
        yield (
            f"{at}preemptions",
            pool.preemptions,
            "1",
            "times that a running request lost its memory",
        )


def _energy(batch: Batch) -> Iterator[Entry]:
    energy_j, chips = 0.0, 0
    for pool in batch.pools.values():
        energy_j += energy(batch, pool, _span_s(batch))
        chips += pool.replicas * batch.deployment.setting.plan.chips
    output = int(batch.trace.output_tokens[batch.outcome == SERVED].sum())
    each = energy_j / output if output else None
    yield "accelerators", chips, "1", "accelerators of all replicas"
    yield (
        "energy",
        energy_j / JOULES_PER_KWH,
        "kWh",
        "accelerators over the span, idle power included",
    )
    yield "power_mean", energy_j / _span_s(batch) / chips, "W", "mean power of an accelerator"
    yield (
        "energy_per_output_token",
        each,
        "J",
        "energy of the accelerators over output tokens served",
    )


def energy(batch: Batch, pool: Pool, span_s: float) -> float:
    """Return the energy in J of a pool's accelerators over a span."""
    setting = batch.deployment.setting
    chip, chips = setting.chip, setting.plan.chips
    dynamic_j = float(pool.dynamic_s.sum()) * (chip.tdp - chip.idle)
    return chips * (pool.replicas * span_s * chip.idle + dynamic_j)


def summary(batch: Batch) -> dict[str, Any]:
    """Return what `summary.json` holds."""
    return {
        **described(batch.asked, batch.deployment),
        "kpis": kpis(batch),
        "classes": classes(batch),
        "other_models": batch.elsewhere,
        "checks": checks(batch),
    }


def described(asked: Question, deployment: Deployment) -> dict[str, Any]:
    """Return what served, as plain values."""
    setting, rules = deployment.setting, deployment.rules
    return {
        "trace": asked.trace.name,
        "model": setting.model.name,
        "accelerator": setting.chip.name,
        "deployment": {
            "replicas": asked.replicas, "prefill_replicas": asked.prefill_replicas,
            "tp": asked.tp, "dp": asked.dp, "ep": asked.ep, "pp": asked.pp, "engine": setting.engine.name,
            "precision": setting.precision, "dispatch": asked.dispatch,
            "kv_tokens": deployment.kv_tokens, "max_sequences": rules.max_sequences,
            "max_batched_tokens": rules.max_tokens, "chunked": rules.chunked,
            "ahead": rules.ahead,
            "block_tokens": rules.block_tokens,
            "preemption": "swap" if rules.swap else "recompute",
            "drafts": asked.drafts, "accepted": asked.accepted,
        },
        "assumed": dict(deployment.assumed),
    }  # fmt: skip


def classes(batch: Batch) -> dict[str, dict[str, Any]]:
    """Return counts and latencies by the class that the trace gives."""
    if batch.trace.classes is None:
        return {}
    found, met = latencies(batch), within_limits(batch)
    told: dict[str, dict[str, Any]] = {}
    for name in sorted(map(str, pc.unique(batch.trace.classes).to_pylist())):
        mine = np.asarray(pc.equal(batch.trace.classes, name)).astype(bool)
        entry: dict[str, Any] = {
            "requests": int(mine.sum()),
            "slo_attainment": float(met[mine].mean()) if batch.asked.limited else None,
        }
        for latency in LATENCIES:
            values = found[latency][mine & ~np.isnan(found[latency])]
            entry[f"{latency}_mean"] = _or_none(values, np.mean)
            for rank in PERCENTILES:
                entry[f"{latency}_p{rank}"] = (
                    float(np.percentile(values, rank)) if len(values) else None
                )
        told[name] = entry
    return told


def over_time(batch: Batch) -> pd.DataFrame:
    """Return the replicas over time, a row per bin, from the start to the last token."""
    pools = list(batch.pools.values())
    width_s = max(pool.bin_s for pool in pools)
    end_s = batch.trace.arrival_s[0] + _span_s(batch)
    start_s = np.arange(0.0, end_s, width_s)[: len(pools[0].series)]
    moments = np.concatenate((start_s, [start_s[-1] + width_s]))
    columns: dict[str, Any] = {"time_s": start_s, "queued": _waiting(batch, moments)}
    for name, pool in batch.pools.items():
        at = "" if name == "replicas" else f"{name}_"
        rows = folded(pool.series, pool.bin_s, width_s)[: len(start_s)]
        rows = rows / (width_s * pool.replicas)
        columns |= {
            f"{at}batch": rows[:, BATCH_S],
            f"{at}kv_frac": rows[:, KV_TOKEN_S] / batch.deployment.kv_tokens,
            f"{at}busy_frac": rows[:, BUSY_S],
            f"{at}power_frac": rows[:, DYNAMIC_S],
        }
    return pd.DataFrame(columns)


def _waiting(batch: Batch, moments: Floats) -> NDArray[np.int64]:
    """Return how many requests wait for their first admission at the middle of each bin."""
    at_s = 0.5 * (moments[1:] + moments[:-1])
    waited = ~np.isnan(batch.admitted_s) | (batch.outcome == SHED) | (batch.outcome == QUEUED)
    left_s = np.where(batch.outcome == SHED, batch.finish_s, batch.admitted_s)
    left_s = np.sort(np.where(np.isnan(left_s), np.inf, left_s)[waited])
    came = np.searchsorted(batch.trace.arrival_s[waited], at_s, side="right")
    return np.asarray(came - np.searchsorted(left_s, at_s, side="right"))


def write(batch: Batch, folder: Path, told: dict[str, Any]) -> None:
    """Write the requests and the summary into a folder."""
    write_summary(folder, told)
    pq.write_table(requests(batch), folder / "requests.parquet", compression="zstd")


def write_summary(folder: Path, told: dict[str, Any]) -> None:
    """Write the summary into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(told, indent=1, allow_nan=False)
    (folder / "summary.json").write_text(text + "\n")
