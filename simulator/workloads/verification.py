"""Windows of a run served again request by request, to see how far the surface can be trusted."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from simulator import rng
from simulator.components import from_catalog
from simulator.components.kinds import Spec
from simulator.engine.world import World
from simulator.performance import request_level
from simulator.performance.calibration import STAYS
from simulator.performance.queueing import Demand as Lengths
from simulator.performance.request_level import Window
from simulator.units import Duration, Within
from simulator.workloads import inference
from simulator.workloads.inference import ServedModel
from simulator.workloads.pools import AnyPool
from simulator.workloads.requests import trace_file
from simulator.workloads.trace_demand import trace_of
from simulator.workloads.waveform import Waveform

HOUR_S = 3600.0
FULL = 0.999
"""Load above which an hour counts as one with a backlog."""
MOST_REQUESTS = 50_000
"""Of a window; of a pool with more the stretch is shorter. The 99th percentile of so many is known
within about 2 %."""
Ints = NDArray[np.int64]


class Verify(Spec):
    """Stretches of the run that are served again request by request, of every served model."""

    windows: Annotated[int, Field(ge=0, le=24)] = 2
    """The hour with most requests, the one with fewest, and then in between; 0: none."""
    length: Annotated[Duration, Within("1 min", "1 h")] = 600.0
    """Stretch of each hour; what arrives before it only warms the replicas up."""
    replicas: Annotated[int, Field(ge=1, le=64)] = 2
    """Replicas of the pool that are served; each has its share of the requests."""
    waveform: Waveform = Waveform()
    """Minutes whose power is drawn at 10 ms."""


@dataclass(frozen=True)
class Hour:
    """What the plan run says of a pool in one hour."""

    start_s: float
    rate_s: float
    """Requests that arrive at one replica that is ready."""
    served_s: float
    load_frac: float
    pace: float
    """Work rate over that at full clock."""
    input_tokens: float
    output_tokens: float


def table(
    pools: list[AnyPool], world: World, hourly: pd.DataFrame, verify: Verify,
    start: datetime, folders: dict[str, Path],
) -> pd.DataFrame:  # fmt: skip
    """Return the `verify` table: every quantity of every window, by the surface and by the kernel."""
    rows = []
    for index, pool in enumerate(pools):
        if not isinstance(pool, ServedModel):
            continue  # the surface of pictures is a closed form of nothing but their time
        own = hourly[hourly["element"] == pool.name].reset_index(drop=True)
        for number, at in enumerate(_chosen(own, verify.windows)):
            hour = _hour(pool, world, index, own.loc[at], int(at))
            draws = _draws(world, f"verify/{pool.name}/{number}")
            found = _served_again(pool, hour, verify, draws, folders.get(pool.name))
            rows += [
                (pool.name, (start + timedelta(seconds=hour.start_s)).isoformat(), hour.load_frac,
                 len(found.ttft_s), *quantity)
                for quantity in _quantities(pool, hour, found)
            ]  # fmt: skip
    return pd.DataFrame(rows, columns=[
        "pool", "time", "load_frac", "requests", "quantity", "unit", "surface", "kernel",
        "deviation_frac",
    ])  # fmt: skip


def _chosen(own: pd.DataFrame, windows: int) -> list[int]:
    """Return hours by their arrivals: the most, the fewest, then evenly in between.

    Hours with a backlog are left out: what requests meet then is the wait, of which the surface says
    nothing.
    """
    calm = (own["queue"] + own["shed_per_s"] + own["spilled_per_s"]) == 0.0
    usable = own[calm & (own["arrivals_per_s"] > 0.0) & (own["load_frac"] < FULL)]
    order = usable["arrivals_per_s"].sort_values(kind="stable", ascending=False).index
    if windows == 0 or not len(order):
        return []
    shares = [0.0, 1.0, *np.linspace(0.0, 1.0, windows)[1:-1]][:windows]
    return list(dict.fromkeys(int(order[round(share * (len(order) - 1))]) for share in shares))


def _hour(pool: ServedModel, world: World, index: int, row: pd.Series, at: int) -> Hour:
    state, served = world.state.pools, inference.surface_of(pool)
    replicas = max((row["accelerators"] - row["loading"]) / pool.tensor_parallel, 1.0)
    full_s = replicas * served.capacity_requests_s
    return Hour(
        start_s=at * HOUR_S,
        rate_s=float(row["arrivals_per_s"] + row["received_per_s"]) / replicas,
        served_s=float(row["served_per_s"]) / replicas,
        load_frac=float(row["load_frac"]),
        pace=min(float(row["capacity_per_s"]) / full_s, 1.0),
        input_tokens=float(state.input_tokens[index, at : at + 2].mean()),
        output_tokens=float(state.output_tokens[index, at : at + 2].mean()),
    )


def _draws(world: World, purpose: str) -> np.random.Generator:
    key = rng.key(world.seed, world.replicate, purpose)
    return np.random.Generator(np.random.Philox(key=key[0] << 32 | key[1]))


def _served_again(
    pool: ServedModel, hour: Hour, verify: Verify, draws: np.random.Generator, folder: Path | None
) -> Window:
    """Return what the requests of an hour meet on replicas of the pool, one by one."""
    served = inference.surface_of(pool)
    stay_s = hour.output_tokens * float(np.interp(hour.load_frac, served.load, served.tpot_s))
    warm_s = STAYS * stay_s / hour.pace
    length_s = min(verify.length, MOST_REQUESTS / (hour.rate_s * verify.replicas))
    until_s = warm_s + length_s
    counts = draws.poisson(hour.rate_s * until_s, verify.replicas)
    start = np.concatenate(([0], np.cumsum(counts)))
    moments = np.concatenate([np.sort(draws.uniform(0.0, until_s, n)) for n in counts])
    asked, given = _lengths(pool, hour, len(moments), draws, folder)
    demand = Lengths(pool.input_tokens, pool.output_tokens, pool.length_cv)
    setting = inference.replica_of(pool).setting
    engine = request_level.engine_of(setting, demand, pool.patience, _clock(pool, hour.pace))
    most = engine.rules.capacity // (2 * request_level.GRAIN)
    return request_level.serve(
        engine, np.minimum(asked, most), np.minimum(given, most), moments, start, warm_s, until_s
    )


def _clock(pool: ServedModel, pace: float) -> float:
    """Return the clock at which work goes at this pace."""
    bound = inference.clock_bound_frac(pool)
    return min(max(bound * pace / (1.0 - (1.0 - bound) * pace), 0.05), 1.0) if pace < 1.0 else 1.0


def _lengths(
    pool: ServedModel, hour: Hour, count: int, draws: np.random.Generator, folder: Path | None
) -> tuple[Ints, Ints]:
    """Return lengths of requests: rows of the pool's trace, or drawn; of the hour's means."""
    if folder is not None and pool.requests and pool.requests.trace:
        trace = trace_of(trace_file(pool.requests, folder))
        rows = draws.integers(0, trace.requests, count)
        return trace.input_tokens[rows], trace.output_tokens[rows]
    asked, given = inference.lengths(pool, draws.uniform(size=(2, count)))
    return (
        inference.scaled(asked, hour.input_tokens / pool.input_tokens),
        inference.scaled(given, hour.output_tokens / pool.output_tokens),
    )


def _quantities(
    pool: ServedModel, hour: Hour, found: Window
) -> Iterator[tuple[str, str, float, float, float]]:
    """Yield quantity, unit, by the surface, by the kernel, and the surface's deviation."""
    served, chip = inference.surface_of(pool), from_catalog.accelerator(pool.accelerator)

    def on_surface(column: NDArray[np.float64]) -> float:
        return float(np.interp(hour.load_frac, served.load, column))

    met = np.isfinite(found.ttft_s)
    decoded = found.tpot_s[met & (found.tpot_s > 0.0)]
    for name, columns, values in (
        ("ttft", served.ttft_quantiles_s, found.ttft_s[met]),
        ("tpot", served.tpot_quantiles_s, decoded),
    ):
        for percent in (50, 99):
            at = int(np.searchsorted(served.quantiles, percent / 100.0))
            surface_s = on_surface(columns[:, at]) / hour.pace
            kernel_s = float(np.quantile(values, percent / 100.0)) if values.size else np.nan
            yield f"{name}_p{percent}", "s", surface_s, kernel_s, surface_s / kernel_s - 1.0
    written = hour.served_s * hour.output_tokens
    yield ("throughput", "tokens/s", written, found.output_tokens_s,
           written / found.output_tokens_s - 1.0 if found.output_tokens_s else np.nan)  # fmt: skip
    drawn = (on_surface(served.dynamic_power_frac), found.power_frac)
    watts = [chip.idle + frac * (chip.tdp - chip.idle) for frac in drawn]
    yield "power", "W", watts[0], watts[1], watts[0] / watts[1] - 1.0
