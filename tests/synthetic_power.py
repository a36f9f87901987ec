"""What the invented campus says of its generators and transformers, and of one minute at 10 ms."""

import numpy as np
import pandas as pd


def tables(first: pd.Timestamp, mean_w: float) -> dict[str, pd.DataFrame]:
    """Return the tables `generators`, `transformers` and those of one window, whose job swings by a
    tenth of `mean_w`."""
    return {"generators": _generators(), "transformers": _transformers(), **_window(first, mean_w)}


def _generators() -> pd.DataFrame:
    return pd.DataFrame([{
        "element": "generators", "count": 60, "energy_j": 3.6e11, "running_h": 42.0,
        "fuel_l": 27_500.0, "fuel_left_l": np.nan,
    }])  # fmt: skip


def _transformers() -> pd.DataFrame:
    return pd.DataFrame([{
        "element": "main transformers", "count": 4, "loading_max": 0.81, "hot_spot_max_c": 97.5,
        "life_used_frac": 0.0031, "ageing": 0.12,
    }])  # fmt: skip


def _window(first: pd.Timestamp, mean_w: float) -> dict[str, pd.DataFrame]:
    at_s = 0.01 * np.arange(6000)
    computes = at_s % 5.0 < 4.0
    poi_w = mean_w * np.where(computes, 1.02, 0.92)
    samples = pd.DataFrame({
        "window": 0, "at_s": at_s, "it_w": 0.9 * poi_w, "poi_w": poi_w, "smooth_w": poi_w,
        "grid_w": mean_w + 0.4 * (poi_w - mean_w),
    })  # fmt: skip
    job = {
        "window": 0, "time": first.isoformat(), "job": "frontier", "accelerators": 100_800.0,
        "step_time_s": 5.0, "mean_w": 2e8, "least_w": 1.3e8, "most_w": 2.2e8, "smooth_mean_w": 2e8,
        "deviation_frac": 0.002, "added_j": 0.0, "withheld_j": 0.0, "storage_loss_j": 0.0,
        "charge_least": np.nan, "charge_most": np.nan,
    }  # fmt: skip
    limit = {"window": 0, "reason": "", "battery_w": 6e7, "battery_j": 1e8, "battery_follows_s": 20.0,
             "battery_response_s": 0.05}  # fmt: skip
    limits = [
        {**limit, "mask": "southern", "limit": "change in 5 s", "unit": "MW", "allowed": 10.0,
         "plain": 90.0, "found": 36.0, "passes": False},
        {**limit, "mask": "caiso", "limit": "ramp over 10 min", "unit": "MW/min", "allowed": 20.0,
         "plain": np.nan, "found": np.nan, "passes": None, "reason": "the window is shorter"},
    ]  # fmt: skip
    return {
        "waveform": samples, "waveform_jobs": pd.DataFrame([job]),
        "waveform_limits": pd.DataFrame(limits),
    }  # fmt: skip
