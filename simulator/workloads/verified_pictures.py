"""An hour of a pool of pictures served again, picture by picture, by chips that draw from one line."""

import heapq
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.components import from_catalog
from simulator.performance.calibration import STAYS
from simulator.workloads.diffusion import ServedDiffusion, denoising_of, surface_of
from simulator.workloads.verified_hour import MOST_REQUESTS, Again, Found, Hour

Floats = NDArray[np.float64]


class Window(NamedTuple):
    """What requests that arrived in a stretch of time met."""

    latency_s: Floats
    """Of those served, from the request to the picture."""
    begun_s: float
    """Pictures begun, per second and chip."""
    busy_frac: float
    shed_frac: float
    length_s: float


def compared(pool: ServedDiffusion, hour: Hour, again: Again) -> Found:
    """Return what requests of an hour meet in the line, beside what the surface says."""
    picture_s = denoising_of(pool).seconds / hour.pace
    chips, warm_s = round(hour.replicas), STAYS * picture_s
    rate_s = hour.rate_s * chips
    length_s = min(again.length_s, MOST_REQUESTS / rate_s)
    moments = _moments(hour, again.draws, chips, warm_s, warm_s + length_s)
    begun_s = draw_in_turn(moments, chips, picture_s, pool.patience) - warm_s
    inside = moments >= warm_s
    made = inside & np.isfinite(begun_s)
    window = Window(
        latency_s=begun_s[made] + picture_s + warm_s - moments[made],
        begun_s=float(((begun_s >= 0.0) & (begun_s < length_s)).sum()) / (length_s * chips),
        busy_frac=float(_inside_s(begun_s, picture_s, length_s).sum()) / (length_s * chips),
        shed_frac=1.0 - float(made.sum()) / max(int(inside.sum()), 1),
        length_s=length_s,
    )
    return Found(int(inside.sum()), _quantities(pool, hour, window))


def _inside_s(begun_s: Floats, picture_s: float, length_s: float) -> Floats:
    """Return how long each picture was made inside the window."""
    ends_s = np.clip(begun_s + picture_s, 0.0, length_s)
    return np.asarray(ends_s - np.clip(begun_s, 0.0, length_s))


def _moments(
    hour: Hour, draws: np.random.Generator, chips: int, warm_s: float, until_s: float
) -> Floats:
    """Return when requests arrive; before the window those that the run served, and at first as many
    as keep all chips at work, and the queue."""
    early_s, first = hour.rate_s, 0
    if hour.backlog:
        early_s, first = hour.served_s, round(chips * (1.0 + hour.waiting[0]))
    before = draws.uniform(0.0, warm_s, draws.poisson(early_s * chips * warm_s))
    inside = draws.uniform(warm_s, until_s, draws.poisson(hour.rate_s * chips * (until_s - warm_s)))
    return np.concatenate([np.zeros(first), np.sort(before), np.sort(inside)])


def draw_in_turn(moments: Floats, chips: int, picture_s: float, patience_s: float) -> Floats:
    """Return when each picture begins, in the order of requests, by the chip that is free first.

    A request that would wait longer than the patience is given up: infinite.
    """
    free_s, begun_s = [0.0] * chips, np.full(len(moments), np.inf)
    for i, moment_s in enumerate(moments.tolist()):
        start_s = max(moment_s, free_s[0])
        if start_s - moment_s <= patience_s:
            heapq.heapreplace(free_s, start_s + picture_s)
            begun_s[i] = start_s
    return begun_s


def _quantities(
    pool: ServedDiffusion, hour: Hour, window: Window
) -> list[tuple[str, str, float, float]]:
    """Return quantity, unit, by the surface, by the line; throughput is that of a chip."""
    served, chip = surface_of(pool), from_catalog.accelerator(pool.accelerator)
    picture_s, latency_s = denoising_of(pool).seconds / hour.pace, window.latency_s
    waits_s = hour.waits_s(window.length_s) if hour.backlog else np.zeros(1)
    told = [
        (f"ttft_p{percent}", "s", picture_s + float(np.quantile(waits_s, percent / 100.0)),
         float(np.quantile(latency_s, percent / 100.0)) if latency_s.size else np.nan)
        for percent in (50, 99)
    ]  # fmt: skip
    told.append(("throughput", "1/s", hour.served_s, window.begun_s))
    drawn = (float(np.interp(hour.load_frac, served.load, served.dynamic_power_frac)),
             window.busy_frac * float(served.dynamic_power_frac[-1]))  # fmt: skip
    watts = [chip.idle + frac * (chip.tdp - chip.idle) for frac in drawn]
    told.append(("power", "W", watts[0], watts[1]))
    if hour.shed_s > 0.0:
        told.append(("shed_frac", "1", hour.shed_frac(window.length_s), window.shed_frac))
    return told
