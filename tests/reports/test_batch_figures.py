"""Figures of a replayed trace."""

import numpy as np
import pandas as pd
import pytest

from simulator.reports import batch

ROWS = pd.DataFrame({
    "time_s": [0.0, 60.0], "queued": [0, 3], "prefill_batch": [1.0, 2.0], "decode_batch": [5.0, 9.0],
    "prefill_kv_frac": [0.1, 0.2], "decode_kv_frac": [0.3, 0.4],
})  # fmt: skip


def latencies(count):
    values = np.linspace(0.1, 2.0, count) if count else np.full(3, np.nan)
    return {"ttft": values, "tpot": values / 10, "e2e": values * 10}


@pytest.mark.parametrize("count", [0, 1, 500])
def test_figures_have_their_data_behind(tmp_path, count):
    files = batch.write(ROWS, latencies(count), tmp_path)
    assert all(file.stat().st_size > 0 for file in files)
    curves = pd.read_csv(tmp_path / "latency.csv")
    assert list(curves.columns) == ["share", "ttft_s", "tpot_s", "e2e_s"]
    assert pd.read_csv(tmp_path / "over-time.csv").equals(ROWS)


def test_the_curve_is_the_quantiles():
    curves = batch.shares(latencies(500))
    assert curves["ttft_s"].iloc[0] == 0.1 and curves["ttft_s"].iloc[-1] == 2.0
    assert curves["ttft_s"].is_monotonic_increasing
