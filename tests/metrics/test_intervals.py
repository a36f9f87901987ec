"""What n replicates can tell: closed forms, and coverage by drawing many samples."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from simulator.metrics import intervals, kpis

PERCENTILES = (0.1, 0.5, 0.9)


def test_fewest_replicates_are_those_of_wilks():
    assert [intervals.needed(p) for p in (0.1, 0.5, 0.9, 0.99)] == [29, 6, 29, 299]
    for share in PERCENTILES:
        n = intervals.needed(share)
        missed = share**n + (1.0 - share) ** n
        assert missed <= 0.05 < share ** (n - 1) + (1.0 - share) ** (n - 1)


@pytest.mark.parametrize("share", PERCENTILES)
def test_a_quantile_is_not_told_by_too_few(share):
    n = intervals.needed(share)
    assert intervals.of_quantile(range(n - 1), share) is None
    assert intervals.of_quantile(range(n), share) is not None


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 400), st.sampled_from(PERCENTILES))
def test_ranks_cover_and_no_closer_ones_do(n, share):
    ranks = intervals.quantile_ranks(n, share)
    if ranks is None:
        assert n < intervals.needed(share)
        return
    below = stats.binom(n, share).cdf
    lower, upper = ranks
    assert 1 <= lower < upper <= n
    assert below(upper - 1) - below(lower - 1) >= 0.95
    width = upper - lower
    if width > 1:
        covered = [below(k + width - 2) - below(k - 1) for k in range(1, n - width + 2)]
        assert max(covered) < 0.95


@pytest.mark.parametrize("share", PERCENTILES)
def test_the_interval_of_a_quantile_holds_it_as_often_as_it_says(share):
    """A skewed distribution, whose mean and quantiles lie far apart."""
    truth = stats.lognorm(1.2).ppf(share)
    draws = np.random.default_rng(5).lognormal(0.0, 1.2, (4000, 40))
    ends = np.array([intervals.of_quantile(sample, share) for sample in draws])
    held = np.mean((ends[:, 0] <= truth) & (truth <= ends[:, 1]))
    assert held > 0.95 - 3.0 * math.sqrt(0.95 * 0.05 / 4000)


def test_the_interval_of_the_mean_is_students():
    sample = np.random.default_rng(2).normal(3.0, 2.0, 12)
    expected = stats.t.interval(0.95, 11, sample.mean(), stats.sem(sample))
    assert intervals.of_mean(sample) == pytest.approx(expected)
    assert intervals.of_mean([1.0]) is None
    assert intervals.of_mean([4.0, 4.0]) == (4.0, 4.0)


@settings(deadline=None)
@given(st.integers(1, 60), st.data())
def test_the_interval_of_a_share_is_exact(n, data):
    hits = data.draw(st.integers(0, n))
    low, high = intervals.of_share(hits, n)
    exact = stats.binomtest(hits, n).proportion_ci(0.95, "exact")
    assert (low, high) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_a_tie_counts_half_and_lies_between():
    low, high = (intervals.of_share(k, 10) for k in (5, 6))
    tied = intervals.of_share(5.5, 10)
    assert low[0] < tied[0] < high[0] and low[1] < tied[1] < high[1]


@settings(deadline=None)
@given(st.floats(0.05, 5.0), st.floats(0.01, 10.0))
def test_as_many_as_needed_resolve_and_a_tenth_fewer_do_not(mean, deviation):
    n = intervals.resolving(mean, deviation)
    if math.isinf(n):
        assert intervals.t_quantile(intervals.MOST) * deviation > mean * math.sqrt(intervals.MOST)
        return
    half = lambda k: intervals.t_quantile(k) * deviation / math.sqrt(k)  # noqa: E731
    assert half(int(n)) <= mean
    if n > 12:
        assert half(int(0.9 * n)) > mean


def test_no_difference_takes_no_number_of_replicates():
    assert math.isnan(intervals.resolving(0.0, 1.0))
    assert intervals.resolving(1.0, 0.0) == 2.0


def test_a_summary_says_what_it_cannot_tell(replicates):
    told = kpis.summary(replicates)
    n = len(replicates)
    assert told["replicates"] == {
        "n": n, "confidence": 0.95, "needed": {"p10": 29, "p50": 6, "p90": 29},
        "unresolved": ["p10", "p50", "p90"],
    }
    between = told["kpis"]["power.poi_peak"]["ci95"]
    assert between["p10"] is between["p50"] is between["p90"] is None
    values = [kpis.kpis(r).set_index("kpi").at["power.poi_peak", "value"] for r in replicates]
    assert between["value"] == pytest.approx(list(intervals.of_mean(values)))


def test_thirty_replicates_have_intervals_of_percentiles_and_dates(replicates):
    told = kpis.summary([replicates[k % 3] for k in range(30)])
    assert told["replicates"]["unresolved"] == []
    peak = told["kpis"]["power.poi_peak"]
    for name in ("p10", "p50", "p90"):
        low, high = peak["ci95"][name]
        assert low <= peak[name] <= high
    low, high = told["kpis"]["training.frontier.finish_time"]["ci95"]["p50"]
    assert low <= told["kpis"]["training.frontier.finish_time"]["p50"] <= high
    assert "replicates" not in kpis.summary(replicates[:1])


def test_values_by_replicate_are_those_of_each(replicates):
    values, units = kpis.by_replicate(replicates)
    assert units["power.poi_peak"] == "MW"
    for k, results in enumerate(replicates):
        own = kpis.kpis(results).set_index("kpi")["value"]
        assert values["power.poi_peak"][k] == own["power.poi_peak"]
