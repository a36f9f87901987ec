"""Tables of a hall's accelerators: by rack and hour, the hottest, the distribution, the whole."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.components.rack import Rack
from simulator.components.sizing import chip_of
from simulator.engine.hall_probe import Seen
from simulator.engine.world import World
from simulator.kernels.site_step import HOUR_STEPS, STEP_S
from simulator.kernels.zoom import Found

FIRST_C, BIN_K, BINS = 10.0, 0.5, 240
"""Bins of the distribution: 10 to 130 degC."""
HOUR_S = 3600.0


def tables(
    world: World, rack: Rack, seen: Seen, found: Found, start: datetime, by: str, top: int
) -> dict[str, pd.DataFrame]:
    """Return the tables of one hall; `time` is in UTC, `site_time` on the clock of `start`."""
    every = _accelerators(world, rack, seen.racks, found, start)
    each = every if by == "accelerator" else _servers(every)
    return {
        "zoom_hall": _hall(rack, seen, found, each),
        "zoom_racks": _racks(world, seen, found, start),
        "zoom_hottest": _hottest(each).head(top).reset_index(drop=True),
        "zoom_distribution": _distribution(found, each),
    }


def _accelerators(
    world: World, rack: Rack, racks: NDArray[np.int64], found: Found, start: datetime
) -> pd.DataFrame:
    """Return a row for every accelerator, in the order of racks, servers and paths."""
    _, positions, branches = found.peak_c.shape
    in_rack = np.arange(positions * branches)
    server = in_rack // rack.accelerators_per_server
    names = np.array([world.rack_name(int(r)) for r in racks])

    def column(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return values.transpose(0, 2, 1).ravel()

    minute = pd.to_timedelta(column(found.peak_minute), unit="min")
    return pd.DataFrame({
        "server": [f"{name}/s{s + 1:02d}" for name in names for s in server],
        "accelerator": np.tile(in_rack % rack.accelerators_per_server + 1, racks.size),
        "position": np.tile(in_rack % positions + 1, racks.size),
        "junction_max_c": column(found.peak_c), "hbm_max_c": column(found.hbm_peak_c),
        "time": pd.Timestamp(start.astimezone(UTC)) + minute,
        "site_time": pd.Timestamp(start) + minute,
        "slowed_h": column(found.slowed_s) / HOUR_S, "lost_h": column(found.lost_s) / HOUR_S,
    })  # fmt: skip


def _servers(every: pd.DataFrame) -> pd.DataFrame:
    """Return a row for every server: its hottest accelerator's temperatures, the sum of its hours."""
    hottest = every.loc[every.groupby("server", sort=False)["junction_max_c"].idxmax()]
    sums = every.groupby("server", sort=False)[["slowed_h", "lost_h"]].sum()
    memory = every.groupby("server", sort=False)["hbm_max_c"].max()
    kept = hottest.drop(columns=["accelerator", "position"]).reset_index(drop=True)
    kept[["slowed_h", "lost_h"]] = sums.to_numpy()
    return kept.assign(hbm_max_c=memory.to_numpy())


def _hottest(each: pd.DataFrame) -> pd.DataFrame:
    return each.sort_values(["lost_h", "junction_max_c"], ascending=False, kind="stable")


def _racks(world: World, seen: Seen, found: Found, start: datetime) -> pd.DataFrame:
    """Return hour by hour the hottest junction and the mean power of each rack."""
    minutes, racks = found.hot_c.shape
    firsts = np.arange(0, minutes, HOUR_STEPS)
    hot_c = np.maximum.reduceat(found.hot_c, firsts, axis=0)
    lengths = np.diff(np.append(firsts, minutes))[:, None]
    power_w, plan_w = (
        np.add.reduceat(values, firsts, axis=0) / lengths for values in (found.power_w, seen.power_w)
    )
    stamps = pd.date_range(start.astimezone(UTC), periods=firsts.size, freq="h")
    return pd.DataFrame({
        "time": np.repeat(stamps, racks), "site_time": np.repeat(stamps.tz_convert(start.tzinfo), racks),
        "rack": np.tile([world.rack_name(int(r)) for r in seen.racks], firsts.size),
        "junction_max_c": hot_c.ravel(), "power_w": power_w.ravel(), "plan_power_w": plan_w.ravel(),
    })  # fmt: skip


def _distribution(found: Found, each: pd.DataFrame) -> pd.DataFrame:
    """Return by bin the share of accelerator-time, and of the accelerators or servers by their peak."""
    edges = FIRST_C + BIN_K * np.arange(BINS + 1)
    peaks, _ = np.histogram(np.clip(each["junction_max_c"], edges[0], edges[-1]), edges)
    table = pd.DataFrame({
        "from_c": edges[:-1], "to_c": edges[1:],
        "time_frac": found.counts / max(float(found.counts.sum()), 1.0),
        "peak_frac": peaks / max(len(each), 1),
    })  # fmt: skip
    some = np.flatnonzero((table["time_frac"] > 0.0) | (table["peak_frac"] > 0.0))
    return table.iloc[some[0] : some[-1] + 1].reset_index(drop=True) if some.size else table.head(0)


def _hall(rack: Rack, seen: Seen, found: Found, each: pd.DataFrame) -> pd.DataFrame:
    """Return the hall in one row; `power_frac` is its energy over the plan's, less one."""
    minutes, racks = found.hot_c.shape
    plan_w, power_w = float(seen.power_w.sum(axis=1).mean()), float(found.power_w.sum(axis=1).mean())
    row = {
        "racks": racks, "accelerators": racks * rack.accelerators, "minutes": minutes,
        "shown": len(each), "junction_max_c": float(found.peak_c.max()),
        "hbm_max_c": float(found.hbm_peak_c.max()), "coolant_max_c": float(seen.coolant_c.max()),
        "throttle_c": chip_of(rack).throttle_start,
        "throttled_accelerator_hours": float(found.lost_s.sum()) / HOUR_S,
        "slowed_accelerator_hours": float(found.slowed_s.sum()) / HOUR_S,
        "slowed_accelerators": int((found.slowed_s > 0.0).sum()),
        "plan_throttled_accelerator_hours": _plan_lost_h(rack, seen),
        "power_w": power_w, "plan_power_w": plan_w,
        "power_frac": power_w / plan_w - 1.0 if plan_w > 0.0 else 0.0,
    }  # fmt: skip
    return pd.DataFrame([row])


def _plan_lost_h(rack: Rack, seen: Seen) -> float:
    """Return the hours that the plan takes from these racks: all chips at the clock of the hottest."""
    lost = (1.0 - seen.heat_clock) * seen.up_frac * rack.accelerators
    return float(lost.sum()) * STEP_S / HOUR_S
