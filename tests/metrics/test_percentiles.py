"""Percentiles from histograms with logarithmic bins."""

import numpy as np
import pytest

from simulator.metrics.inference import attainment, histogram_percentile, latency, percentile


def test_edges_are_exact():
    upper = np.array([1.0, 10.0, 100.0])
    counts = np.array([50.0, 49.0, 1.0])
    assert histogram_percentile(upper, counts, 0.5) == pytest.approx(1.0)
    assert histogram_percentile(upper, counts, 0.99) == pytest.approx(10.0)
    assert histogram_percentile(upper, counts, 1.0) == pytest.approx(100.0)


def test_inside_a_bin_the_logarithm_is_interpolated():
    upper = np.array([1.0, 10.0, 100.0])
    counts = np.array([0.0, 100.0, 0.0])
    assert histogram_percentile(upper, counts, 0.5) == pytest.approx(10**0.5)
    assert histogram_percentile(upper, np.array([100.0, 0, 0]), 0.5) == pytest.approx(10**-0.5)


def test_a_lognormal_sample_is_recovered():
    draws = np.random.default_rng(3).lognormal(-1.0, 0.7, 400_000)
    edges = np.geomspace(1e-3, 1e3, 241)
    counts, _ = np.histogram(draws, np.concatenate([[0.0], edges]))
    for frac in (0.1, 0.5, 0.99):
        found = histogram_percentile(edges, counts.astype(float), frac)
        assert found == pytest.approx(np.quantile(draws, frac), rel=0.01)


def test_open_last_bin_reports_its_lower_edge():
    upper = np.array([1.0, 10.0, np.inf])
    assert histogram_percentile(upper, np.array([1.0, 1.0, 98.0]), 0.99) == 10.0


def test_nothing_served_has_no_percentile():
    assert histogram_percentile(np.array([1.0, 2.0]), np.zeros(2), 0.5) is None


def test_distribution_and_attainment_of_a_pool(week):
    table = latency(week)
    own = table[(table["pool"] == "reasoning") & (table["quantity"] == "ttft")]
    assert own["at_or_below_frac"].is_monotonic_increasing
    assert own["at_or_below_frac"].iloc[-1] == pytest.approx(1.0)
    p50 = percentile(week, "reasoning", "ttft", 0.5)
    p99 = percentile(week, "reasoning", "ttft", 0.99)
    assert 0.1 < p50 < p99 < 10
    assert attainment(week)["slo_attainment_frac"].between(0, 1).all()
