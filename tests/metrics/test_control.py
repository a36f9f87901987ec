"""The number of failures as control of means."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from simulator.metrics import control, kpis


def with_rates(results, excess, plant=0.0):
    """Return results whose fleet had so many failures more than expected."""
    rates = pd.DataFrame({
        "class": ["gpu", "host", "line"], "per": ["accelerator", "server", "line"],
        "expected": [100.0, 20.0, 1.0], "simulated": [100.0 + excess, 20.0, 1.0 + plant],
    })  # fmt: skip
    return dataclasses.replace(results, tables=results.tables | {"rates": rates})


def test_excess_counts_failures_on_racks_only(week):
    found = control.excess([with_rates(week, k - 5.0, plant=7.0) for k in range(12)])
    assert found.tolist() == [k - 5.0 for k in range(12)]


def test_few_replicates_or_an_older_folder_have_no_control(week):
    assert control.excess([with_rates(week, 1.0)] * 9) is None
    assert control.excess([week] * 12) is None


def test_the_mean_is_corrected_by_what_luck_did():
    luck = np.array([3.0, -1.0, 2.0, 4.0, 0.0, 1.0, -2.0, 3.0, 2.0, 1.0])
    noise = np.array([1, -1, 1, -1, 1, -1, 1, -1, 1, -1]) * 1e-3
    found = control.controlled(10.0 - 0.5 * luck + noise, luck)
    assert found["value"] == pytest.approx(10.0, abs=2e-3)
    assert found["low"] < found["value"] < found["high"]
    assert found["gain"] > 1000.0


def test_the_interval_holds_the_truth_as_often_as_it_says():
    draws = np.random.default_rng(3)
    held, narrower = [], []
    for _ in range(1500):
        luck = draws.normal(0.0, 2.0, 16)
        values = 5.0 + 0.8 * luck + draws.normal(0.0, 0.5, 16)
        found = control.controlled(values, luck)
        held.append(found["low"] <= 5.0 <= found["high"])
        narrower.append(found["gain"])
    assert np.mean(held) == pytest.approx(0.95, abs=4.0 * math.sqrt(0.95 * 0.05 / 1500))
    assert np.median(narrower) == pytest.approx(1.0 + (0.8 * 2.0 / 0.5) ** 2, rel=0.15)


@pytest.mark.parametrize("values", [np.full(12, 3.0), np.arange(12.0) % 2])
def test_what_does_not_move_with_failures_is_left_alone(values):
    assert control.controlled(values, np.repeat([-1.0, 1.0], 6)) is None


def test_a_value_that_a_replicate_lacks_has_no_control():
    assert control.controlled(np.arange(11.0), np.arange(12.0)) is None
    assert control.controlled(np.arange(12.0), None) is None


def test_the_summary_tells_it_beside_the_mean(replicates):
    runs = [with_rates(replicates[k % 3], [0.0, 5.0, 9.0][k % 3] - 4.0) for k in range(12)]
    entries = kpis.summary(runs)["kpis"]
    told = [e["controlled"] for e in entries.values() if "controlled" in e]
    assert told and all(set(t) == {"value", "low", "high", "gain"} for t in told)
    assert all(t["gain"] >= control.LEAST_GAIN for t in told)
    assert "controlled" not in entries["site.accelerators_installed"]
