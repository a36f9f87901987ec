"""An hour of a language model's pool served again on some replicas, iteration by iteration."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simulator.components import from_catalog
from simulator.performance import request_level
from simulator.performance.calibration import STAYS
from simulator.performance.request_level import Window
from simulator.workloads import inference
from simulator.workloads.inference import ServedModel
from simulator.workloads.requests import trace_file
from simulator.workloads.trace_demand import trace_of
from simulator.workloads.verified_hour import MINUTES, MOST_REQUESTS, Again, Found, Hour

ROUNDING = 1e-9
"""What an hour's mean pace may be below one without a clock being slowed."""
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def compared(pool: ServedModel, hour: Hour, again: Again, folder: Path | None) -> Found:
    """Return what requests of an hour meet on replicas of the pool, beside what the surface says."""
    length_s = min(again.length_s, MOST_REQUESTS / (hour.rate_s * again.replicas))
    found = _served(pool, hour, again, folder, length_s)
    return Found(len(found.ttft_s), list(_quantities(pool, hour, found, length_s)))


def _served(
    pool: ServedModel, hour: Hour, again: Again, folder: Path | None, length_s: float
) -> Window:
    """Serve the hour's requests, one by one.

    In a backlog replicas take no more at once than fill the batch that they are rated for, as the run
    has it: an engine left alone would take all it has room for, and break the limit per token. Until
    the window begins requests come as the run served them, so that what waits stays what it was.
    """
    served = inference.surface_of(pool)
    stay_s = hour.output_tokens * float(np.interp(hour.load_frac, served.load, served.tpot_s))
    warm_s = STAYS * stay_s / hour.pace
    until_s = warm_s + length_s
    moments = _moments(hour, again, warm_s, until_s, float(served.batch[-1]))
    counts = [len(own) for own in moments]
    asked, given, seen = _lengths(pool, hour, sum(counts), again.draws, folder)
    fits = asked + given <= inference.most_tokens(pool)
    owner = np.repeat(np.arange(again.replicas), counts)[fits]
    start = np.searchsorted(owner, np.arange(again.replicas + 1))
    replica = inference.replica_of(pool)
    engine = request_level.engine_of(
        replica.setting, inference.rated_lengths(pool), pool.patience, _clock(pool, hour.pace),
        replica.cost,
    )
    if hour.backlog:
        seats = min(max(round(float(served.batch[-1])), 1), engine.rules.max_sequences)
        engine = replace(engine, rules=engine.rules._replace(max_sequences=seats))
    moments_s = np.concatenate(moments)[fits]
    return request_level.serve(
        engine, asked[fits], given[fits], moments_s, start, warm_s, until_s, seen[fits]
    )


def _moments(
    hour: Hour, again: Again, warm_s: float, until_s: float, batch: float
) -> list[Floats]:
    """Return when requests arrive at each replica."""
    draws, replicas = again.draws, again.replicas
    if not hour.backlog:
        counts = draws.poisson(hour.rate_s * until_s, replicas)
        return [np.sort(draws.uniform(0.0, until_s, n)) for n in counts]
    first = np.zeros(round(batch + hour.waiting[0]))
    before = draws.poisson(hour.served_s * warm_s, replicas)
    inside = draws.poisson(hour.rate_s * (until_s - warm_s), replicas)
    return [
        np.concatenate([
            first, np.sort(draws.uniform(0.0, warm_s, early)),
            np.sort(draws.uniform(warm_s, until_s, late)),
        ])
        for early, late in zip(before, inside, strict=True)
    ]  # fmt: skip


def _clock(pool: ServedModel, pace: float) -> float:
    """Return the clock at which work goes at this pace."""
    if pace > 1.0 - ROUNDING:
        return 1.0
    bound = inference.clock_bound_frac(pool)
    return min(max(bound * pace / (1.0 - (1.0 - bound) * pace), 0.05), 1.0)


def _lengths(
    pool: ServedModel, hour: Hour, count: int, draws: np.random.Generator, folder: Path | None
) -> tuple[Ints, Ints, Ints]:
    """Return lengths of requests, and their tokens of images: rows of the pool's trace, or drawn; of
    the hour's sorts."""
    if folder is not None and pool.requests and pool.requests.trace:
        trace = trace_of(trace_file(pool.requests, folder))
        rows = draws.integers(0, trace.requests, count)
        return trace.input_tokens[rows], trace.output_tokens[rows], 0 * rows
    asked, given = inference.lengths(pool, draws.uniform(size=(2, count)))
    shares = np.array([sort.share for sort in hour.sorts])
    several = len(shares) > 1
    of_sort = draws.choice(len(shares), count, p=shares / shares.sum()) if several else [0] * count
    factors = np.array([sort.asked_frac for sort in hour.sorts])[of_sort]
    scaled = [np.rint(side * factors[:, k]) for k, side in enumerate((asked, given))]
    read, written = (np.maximum(side, 1.0).astype(np.int64) for side in scaled)
    shown = np.array([sort.image_frac for sort in hour.sorts])[of_sort]
    return read, written, np.rint(shown * read).astype(np.int64)


def _quantities(
    pool: ServedModel, hour: Hour, found: Window, length_s: float
) -> Iterator[tuple[str, str, float, float]]:
    """Yield quantity, unit, by the surface, by the kernel."""
    served, chip = inference.surface_of(pool), from_catalog.accelerator(pool.accelerator)

    def on_surface(column: Floats) -> float:
        return float(np.interp(hour.load_frac, served.load, column))

    met = np.isfinite(found.ttft_s)
    decoded = found.tpot_s[met & (found.tpot_s > 0.0)]
    waits_s = hour.waits_s(length_s) if hour.backlog else np.zeros(MINUTES)
    for name, columns, values, later_s in (
        ("ttft", served.ttft_quantiles_s, found.ttft_s[met], waits_s),
        ("tpot", served.tpot_quantiles_s, decoded, 0.0 * waits_s),
    ):
        known_s = np.array([on_surface(column) for column in columns.T]) / hour.pace
        for percent in (50, 99):
            surface_s = later_quantile(known_s, served.quantiles, later_s, percent / 100.0)
            kernel_s = float(np.quantile(values, percent / 100.0)) if values.size else np.nan
            yield f"{name}_p{percent}", "s", surface_s, kernel_s
    written = hour.taken_s(length_s) * hour.output_tokens
    yield "throughput", "tokens/s", written, found.output_tokens_s
    drawn = (on_surface(served.dynamic_power_frac), found.power_frac)
    watts = [chip.idle + frac * (chip.tdp - chip.idle) for frac in drawn]
    yield "power", "W", watts[0], watts[1]
    if hour.shed_s > 0.0:
        yield "shed_frac", "1", hour.shed_frac(length_s), 1.0 - float(met.sum()) / max(met.size, 1)


def later_quantile(known_s: Floats, ranks: Floats, later_s: Floats, frac: float) -> float:
    """Return the quantile of a latency known by quantiles, plus any of several waits."""
    if np.ptp(later_s) == 0.0:
        return float(np.interp(frac, ranks, known_s) + later_s[0])
    low, high = float(known_s[0]), float(known_s[-1] + later_s.max())
    for _ in range(60):
        middle = 0.5 * (low + high)
        below = np.interp(middle - later_s, known_s, ranks, left=0.0, right=1.0).mean()
        low, high = (middle, high) if below < frac else (low, middle)
    return high
