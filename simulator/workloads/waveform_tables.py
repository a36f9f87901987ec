"""The tables of windows at 10 ms: samples, jobs, limits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from simulator import catalog
from simulator.components.power.mask import Mask
from simulator.kernels import waveform as kernel
from simulator.results import TABLES, empty
from simulator.workloads import waveform_limits
from simulator.workloads.waveform import SAMPLE_S, Waveform
from simulator.workloads.waveform_power import Drawn


def tables(
    made: tuple[Drawn, ...], spec: Waveform, start: datetime
) -> dict[str, pd.DataFrame]:
    """Return `waveform`, `waveform_jobs` and `waveform_limits`, as `results.TABLES` tells; empty
    without windows."""
    if not made:
        return {name: empty(name) for name in ("waveform", "waveform_jobs", "waveform_limits")}
    masks = waveform_limits.masks_of(spec, catalog.names("masks"))
    return {
        "waveform": pd.concat([_samples(n, one) for n, one in enumerate(made)], ignore_index=True),
        "waveform_jobs": pd.DataFrame(
            [row for n, one in enumerate(made) for row in _jobs(n, one, start)],
            columns=list(TABLES["waveform_jobs"]),
        ),
        "waveform_limits": pd.DataFrame(
            [row for n, one in enumerate(made) for mask in masks for row in _limits(n, one, mask)]
        ),
    }


def _samples(number: int, one: Drawn) -> pd.DataFrame:
    return pd.DataFrame({
        "window": number, "at_s": np.arange(one.poi_w.size) * SAMPLE_S, "it_w": one.it_w,
        "poi_w": one.poi_w, "smooth_w": one.smooth_w, "grid_w": one.grid_w,
    })  # fmt: skip


def _jobs(number: int, one: Drawn, start: datetime) -> Iterator[dict[str, Any]]:
    at = (start + timedelta(seconds=one.start_s)).isoformat()
    for job in one.jobs:
        account = job.account
        yield {
            "window": number, "time": at, "job": job.name, "accelerators": job.chips,
            "step_time_s": job.step_s, "mean_w": float(job.it_w.mean()),
            "least_w": float(job.it_w.min()), "most_w": float(job.it_w.max()),
            "smooth_mean_w": float(job.smooth_w.mean()),
            "deviation_frac": float(job.deviation[np.abs(job.deviation).argmax()]),
            "added_j": account[kernel.ADDED_J], "withheld_j": account[kernel.WITHHELD_J],
            "storage_loss_j": account[kernel.STORAGE_LOSS_J],
            "charge_least": account[kernel.CHARGE_LEAST],
            "charge_most": account[kernel.CHARGE_MOST],
        }  # fmt: skip


def _limits(number: int, one: Drawn, mask: Mask) -> Iterator[dict[str, Any]]:
    """Yield one row per limit: as it is and as the grid sees it behind what smooths."""
    plain, smooth = (mask.judge(power_w, SAMPLE_S) for power_w in (one.poi_w, one.grid_w))
    battery = waveform_limits.needed(one.grid_w, mask)
    for before, after in zip(plain, smooth, strict=True):
        yield {
            "window": number, "mask": mask.name, "limit": before.limit, "unit": before.unit,
            "allowed": after.allowed, "plain": before.found, "found": after.found,
            "passes": after.passes, "reason": after.reason,
            "battery_w": battery.power_w if battery else None,
            "battery_j": battery.energy_j if battery else None,
            "battery_follows_s": battery.follows_s if battery else None,
            "battery_response_s": battery.response_s if battery else None,
        }  # fmt: skip
