"""A stream of requests too long to keep: lengths as in a trace, Poisson arrivals, sums and histograms.

A Poisson stream that is dealt out at random is a Poisson stream at each replica, so replicas are
served a few at a time and forgotten; memory does not grow with the stream.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Self

import joblib
import numpy as np
from numpy.typing import NDArray

from simulator import request_trace as traces
from simulator import rng
from simulator.kernels import batching_state, dispatch
from simulator.kernels import speculation as steps
from simulator.kernels.batching_state import (
    BATCH_S,
    GRAIN,
    OUTCOMES,
    REJECTED,
    SERVED,
    SHED,
    Trace,
    World,
    ends,
)
from simulator.request_trace import RequestTrace
from simulator.studies.batch import decode_steps
from simulator.studies.batch_deployment import (
    Deployment,
    Question,
    deploy,
    seen_tokens,
    with_images,
)
from simulator.studies.batch_routes import check_stream
from simulator.studies.batch_tables import JOULES_PER_KWH, LATENCIES, PERCENTILES, described

SHARE_REQUESTS = 400_000
"""Requests that are served together, about."""
FIRST_S, RATIO, BINS = 1e-6, 1.0025, 12_000
"""Histogram of a latency: bin k reaches from FIRST_S x RATIO^k up to the next; to 10^7 s."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Tally:
    """What is kept of requests that have been served; tallies add up."""

    arrived: int
    outcomes: NDArray[np.int64]
    counted: NDArray[np.int64]
    """Requests served, rejected, shed and still there, as the replicas counted them."""
    counts: NDArray[np.int64]
    """Histogram of each latency; shape (latencies, BINS)."""
    sums_s: Floats
    within: int
    """Requests served within the limits."""
    input_tokens: int
    output_tokens: int
    busy_s: float
    dynamic_s: float
    batch_s: float
    iterations: int
    preemptions: int
    peak_tokens: float
    end_s: float

    def __add__(self, other: Self) -> "Tally":
        largest = ("peak_tokens", "end_s")
        return Tally(**{
            name: max(mine, theirs) if name in largest else mine + theirs
            for (name, mine), theirs in zip(vars(self).items(), vars(other).values(), strict=True)
        })  # fmt: skip


@dataclass(frozen=True)
class Stream:
    """A stream of requests and the replicas that serve it."""

    asked: Question
    trace: RequestTrace
    deployment: Deployment
    rate_s: float
    """Requests per second at all replicas together."""
    duration_s: float

    @property
    def shares(self) -> list[range]:
        """Replicas that are served together."""
        each = max(self.rate_s * self.duration_s / self.asked.replicas, 1.0)
        size = max(int(SHARE_REQUESTS / each), 1)
        replicas = self.asked.replicas
        return [range(r, min(r + size, replicas)) for r in range(0, replicas, size)]


def serve(asked: Question, rate_s: float, duration_s: float) -> tuple[Stream, Tally]:
    """Return a stream and the tally of it; problems of the trace as ScenarioError.

    What a stream cannot have, of the question or the trace, is a StudyError.
    """
    trace = with_images(asked, traces.read(asked.trace))
    check_stream(asked, trace)
    bare = replace(trace, models=None, blocks=None)
    stream = Stream(asked, bare, deploy(asked, bare), rate_s, duration_s)
    with ThreadPoolExecutor(joblib.cpu_count()) as pool:
        tallies = list(pool.map(lambda share: tally(stream, share), stream.shares))
    return stream, sum(tallies[1:], start=tallies[0])


def tally(stream: Stream, share: range) -> Tally:
    """Serve the requests of some replicas and return what is kept of them."""
    asked, deployment = stream.asked, stream.deployment
    arriving, start, rows = arrivals(stream, share)
    output, images = stream.trace.output_tokens[rows], stream.trace.images
    work = decode_steps(asked, output, share.start)
    asking = Trace(
        arriving, stream.trace.input_tokens[rows], work, steps.rates(output, work),
        stream.trace.priority[rows], stream.trace.cached_tokens[rows], False,
        None if images is None else seen_tokens(deployment, images[rows]),
    )  # fmt: skip
    bin_s = max(stream.duration_s, 1.0)
    w = batching_state.world(asking, len(share), deployment.rules, deployment.cost, None, 2, bin_s)
    dispatch.serve_assigned(w, np.arange(len(rows)), start, 0, len(share), math.inf)
    return _tallied(stream, w, output)


def arrivals(stream: Stream, share: range) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Return arrivals in s, replica after replica, where each replica's begin, and rows of the trace.

    They depend on the seed and the share alone, not on who serves it.
    """
    key = rng.key(stream.asked.seed, share.start, "stream")
    draws = np.random.Generator(np.random.Philox(key=key[0] << 32 | key[1]))
    mean = stream.rate_s * stream.duration_s / stream.asked.replicas
    most = int(mean + 8.0 * math.sqrt(mean) + 20.0)
    gap_s = stream.duration_s / mean
    moments = np.cumsum(draws.exponential(gap_s, (len(share), most)), axis=1)
    inside = moments <= stream.duration_s
    start = np.concatenate(([0], np.cumsum(inside.sum(axis=1))))
    rows = draws.integers(0, stream.trace.requests, int(start[-1]))
    return moments[inside], start, rows


def _tallied(stream: Stream, w: World, output: NDArray[np.int64]) -> Tally:
    requests, replicas, asked = w.requests, w.replicas, stream.asked
    served = requests["outcome"] == SERVED
    way_s = stream.deployment.setting.request_s
    arrival_s, first_s, finish_s = (
        requests[n][served] for n in ("arrival_s", "first_s", "finish_s")
    )
    decoded = output[served] > 1
    tpot_s = (finish_s - first_s)[decoded] / (output[served][decoded] - 1)
    found = {
        "ttft": first_s - arrival_s + way_s,
        "tpot": tpot_s,
        "e2e": finish_s - arrival_s + way_s,
        "queue": requests["admitted_s"][served] - arrival_s,
    }
    met = found["ttft"] <= asked.slo_ttft_s
    met[decoded] &= tpot_s <= asked.slo_tpot_s
    return Tally(
        arrived=len(requests),
        outcomes=np.bincount(requests["outcome"], minlength=len(OUTCOMES)),
        counted=ends(replicas),
        counts=np.stack([histogram(found[name]) for name in LATENCIES]),
        sums_s=np.array([found[name].sum() for name in LATENCIES]),
        within=int(met.sum()),
        input_tokens=int(requests["input"][served].sum(dtype=np.int64)),
        output_tokens=int(output[served].sum()),
        busy_s=float(replicas["busy_s"].sum()),
        dynamic_s=float(replicas["dynamic_s"].sum()),
        batch_s=float(w.series[:, BATCH_S].sum()),
        iterations=int(replicas["total_iterations"].sum()),
        preemptions=int(replicas["preemptions"].sum()),
        peak_tokens=float(replicas["peak"].max()) / GRAIN,
        end_s=float(finish_s.max(initial=stream.duration_s)),
    )


def histogram(values_s: Floats) -> NDArray[np.int64]:
    """Return counts by logarithmic bin."""
    at = np.log(np.maximum(values_s, FIRST_S) / FIRST_S) / math.log(RATIO)
    return np.bincount(np.minimum(at.astype(np.int64), BINS - 1), minlength=BINS)


def quantile_s(counts: NDArray[np.int64], share: float) -> float | None:
    """Return the middle of the bin below which a share of the values lies; within RATIO - 1 of it."""
    total = int(counts.sum())
    if not total:
        return None
    at = int(np.searchsorted(np.cumsum(counts), share * total))
    return FIRST_S * RATIO ** (at + 0.5)


def summary(stream: Stream, found: Tally) -> dict[str, Any]:
    """Return what `summary.json` holds."""
    return {
        **described(stream.asked, stream.deployment),
        "stream": {"rate_s": stream.rate_s, "duration_s": stream.duration_s},
        "kpis": kpis(stream, found),
        "checks": checks(found),
    }


def checks(found: Tally) -> dict[str, float]:
    """Return what must be zero: requests that no replica has counted, or with another outcome."""
    told = np.array([*found.outcomes[[SERVED, REJECTED, SHED]], found.outcomes[:SERVED].sum()])
    return {
        "requests_balance": float(found.arrived - found.counted.sum()),
        "outcomes_balance": float(np.abs(told - found.counted).sum()),
    }


def kpis(stream: Stream, found: Tally) -> dict[str, Any]:
    """Return the indicators of a stream: value, unit, definition."""
    asked, deployment = stream.asked, stream.deployment
    arrived, replicas = found.arrived, asked.replicas
    within = found.within if asked.limited else None
    chip, chips = deployment.setting.chip, deployment.setting.plan.chips
    dynamic_j = found.dynamic_s * (chip.tdp - chip.idle)
    energy_j = chips * (replicas * found.end_s * chip.idle + dynamic_j)
    rows: list[tuple[str, float | int | None, str, str]] = [
        ("requests", arrived, "1", "requests of the stream"),
        *((name, int(n), "1", "requests") for name, n in zip(OUTCOMES, found.outcomes, strict=True)),
        *_latency_rows(found),
        ("slo_attainment", None if within is None else within / max(arrived, 1), "1",
         "requests served within every limit over arrivals; null without a limit"),
        ("goodput", None if within is None else within / found.end_s, "1/s",
         "requests served within every limit per second; null without a limit"),
        ("span", found.end_s, "s", "from the start to the last token"),
        ("output_tokens", found.output_tokens, "tokens", "tokens of answers served"),
        ("output_tokens_s", found.output_tokens / found.end_s, "tokens/s", "over the span"),
        ("input_tokens_s", found.input_tokens / found.end_s, "tokens/s", "over the span"),
        ("utilization", found.busy_s / (found.end_s * replicas), "1", "time with an iteration"),
        ("batch_mean", found.batch_s / found.busy_s if found.busy_s else None, "1", "over busy time"),
        ("iterations", found.iterations, "1", "of all replicas"),
        ("kv_peak", found.peak_tokens / deployment.kv_tokens, "1", "largest share of a cache in use"),
        ("preemptions", found.preemptions, "1", "times that a request lost its memory"),
        ("accelerators", replicas * chips, "1", "of all replicas"),
        ("energy", energy_j / JOULES_PER_KWH, "kWh", "accelerators over the span, idle included"),
        ("power_mean", energy_j / (found.end_s * replicas * chips), "W", "of an accelerator"),
        ("energy_per_output_token", energy_j / found.output_tokens if found.output_tokens else None,
         "J", "energy of the accelerators over output tokens"),
    ]  # fmt: skip
    return {n: {"value": v, "unit": u, "definition": d} for n, v, u, d in rows}


def _latency_rows(found: Tally) -> list[tuple[str, float | int | None, str, str]]:
    rows: list[tuple[str, float | int | None, str, str]] = []
    for k, (name, told) in enumerate(LATENCIES.items()):
        number = int(found.counts[k].sum())
        rows.append(
            (
                f"{name}_mean",
                float(found.sums_s[k]) / number if number else None,
                "s",
                f"mean {told}",
            )
        )
        rows += [
            (
                f"{name}_p{rank}",
                quantile_s(found.counts[k], rank / 100),
                "s",
                f"{told}; {rank} % are below",
            )
            for rank in PERCENTILES
        ]
    return rows
