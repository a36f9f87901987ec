"""The failure front against the laws it claims, and its draws against plans that differ."""

import numpy as np
import pytest
from scipy import stats

from simulator.kernels import failures as kernel
from simulator.kernels.columns import Hazards

KEY = (7, 9)
ROOM = 20_000


def fleet(entities, rate_s, word=5, doubling_k=0.0, reference_c=65.0, cls=0):
    """Return hazards of one class on as many racks."""
    n = entities
    hazards = Hazards(
        cls=np.full(n, cls), rack=np.arange(n), word=np.full(n, word), unit=np.arange(n),
        rate_s=np.full(n, rate_s), doubling_k=np.full(n, doubling_k),
        reference_c=np.full(n, reference_c), budget=np.zeros(n), drawn=np.zeros(n, np.int64),
    )
    kernel.first_budgets(hazards, *KEY)
    return hazards


def together(*fleets):
    """Return several classes as one fleet."""
    return Hazards(*(np.concatenate(column) for column in zip(*fleets, strict=True)))


def run(hazards, windows, window_s, up=None, junction_c=None, ageing=None):
    """Return times and entities of all failures over equal windows."""
    racks = int(hazards.rack.max()) + 1
    up = np.ones(racks) if up is None else up
    junction_c = np.full(racks, 65.0) if junction_c is None else junction_c
    times, entities = [], []
    for k in range(windows):
        found_s, found = np.zeros(ROOM), np.zeros(ROOM, np.int64)
        factor = np.ones(2) if ageing is None else np.full(2, ageing(window_s * (k + 0.5)))
        n = kernel_draw(hazards, up, junction_c, k * window_s, window_s, factor, found_s, found)
        times.append(found_s[:n])
        entities.append(found[:n])
    return np.concatenate(times), np.concatenate(entities)


def kernel_draw(hazards, up, junction_c, start_s, window_s, ageing, found_s, found, found_k=None):
    found_k = np.zeros(found.size, np.int64) if found_k is None else found_k
    return kernel.draw(
        hazards, up, junction_c, *KEY, start_s, window_s, ageing, found_s, found, found_k)


def by_entity(times, entities):
    return [times[entities == e] for e in range(int(entities.max()) + 1)]


def test_times_between_failures_are_exponential():
    times, entities = run(fleet(300, 1e-4), windows=50, window_s=7200.0)
    gaps_s = np.concatenate([np.diff(t, prepend=0.0) for t in by_entity(times, entities)])
    assert stats.kstest(gaps_s[:5000], "expon", args=(0, 1e4)).pvalue > 0.01
    assert np.all(np.diff(times[:1000]) >= 0.0)


def test_counts_are_poisson_with_the_rate_as_mean_and_variance():
    _, entities = run(fleet(3000, 1e-4), windows=20, window_s=7200.0)
    counts, mean = np.bincount(entities, minlength=3000), 1e-4 * 20 * 7200.0
    assert counts.mean() == pytest.approx(mean, rel=4 / np.sqrt(3000 * mean))
    assert counts.var() == pytest.approx(mean, rel=0.1)
    few = np.minimum(counts, 25)
    expected = stats.poisson.pmf(np.arange(25), mean)
    observed = np.bincount(few, minlength=26)
    p = stats.chisquare(
        np.append(observed[6:24], observed[:6].sum() + observed[24:].sum()),
        3000 * np.append(expected[6:24], 1.0 - expected[6:24].sum()),
    ).pvalue
    assert p > 0.01


def test_twice_the_temperature_step_is_exactly_twice_the_exposure():
    base = run(fleet(50, 2e-4), windows=10, window_s=3600.0)
    warm = run(fleet(50, 1e-4, doubling_k=10.0), 10, 3600.0, junction_c=np.full(50, 75.0))
    np.testing.assert_allclose(base[0], warm[0], rtol=1e-12)
    np.testing.assert_array_equal(base[1], warm[1])


def test_half_in_service_is_half_the_hazard_and_off_racks_do_not_fail():
    base = run(fleet(50, 1e-4), windows=10, window_s=3600.0)
    half = run(fleet(50, 2e-4), 10, 3600.0, up=np.full(50, 0.5))
    np.testing.assert_allclose(base[0], half[0], rtol=1e-12)
    up = np.ones(50)
    up[::2] = 0.0
    _, entities = run(fleet(50, 1e-3), 10, 3600.0, up=up)
    assert set(entities) == set(range(1, 50, 2))


def test_a_rack_that_was_off_resumes_where_its_hazard_stood():
    whole, _ = run(fleet(1, 1e-4), windows=20, window_s=3600.0)
    hazards, times = fleet(1, 1e-4), []
    found_s, found = np.zeros(ROOM), np.zeros(ROOM, np.int64)
    for k in range(25):
        up = np.array([0.0 if 5 <= k < 10 else 1.0])
        n = kernel_draw(
            hazards, up, np.array([65.0]), k * 3600.0, 3600.0, np.ones(1), found_s, found)
        times += [t - 5 * 3600.0 if k >= 10 else t for t in found_s[:n]]
    np.testing.assert_allclose(times, whole, rtol=1e-9)


@pytest.mark.parametrize("shape", [0.7, 2.5])
def test_ageing_is_a_weibull_under_minimal_repair(shape):
    """The mean count by time t is (t / scale)^shape, exact in the limit of short windows."""
    scale_s, end_s = 2e5, 1e6
    rate_s = shape / scale_s
    ageing = lambda at_s: (at_s / scale_s) ** (shape - 1.0)  # noqa: E731
    _, entities = run(fleet(400, rate_s), 400, end_s / 400, ageing=ageing)
    mean = (end_s / scale_s) ** shape
    # Early in life the factor at a window's middle misses part of a falling hazard.
    assert entities.size / 400 == pytest.approx(mean, rel=4 / np.sqrt(400 * mean) + 0.02)


@pytest.mark.parametrize("windows", [1, 7, 50])
def test_the_length_of_windows_moves_no_failure(windows):
    base = run(fleet(20, 1e-4), windows=10, window_s=36_000.0)
    other = run(fleet(20, 1e-4), windows=windows, window_s=360_000.0 / windows)
    np.testing.assert_allclose(base[0], other[0], rtol=1e-9)
    np.testing.assert_array_equal(base[1], other[1])


def test_another_class_moves_no_failure_of_the_first():
    alone = run(fleet(20, 1e-4), windows=10, window_s=3600.0)
    times, entities = run(together(fleet(20, 1e-4), fleet(20, 3e-4, word=6, cls=1)), 10, 3600.0)
    assert entities.max() >= 20
    np.testing.assert_array_equal(times[entities < 20], alone[0])
    np.testing.assert_array_equal(entities[entities < 20], alone[1])


def test_more_failures_than_room_are_counted():
    hazards, found_s, found = fleet(10, 1e-2), np.zeros(5), np.zeros(5, np.int64)
    n = kernel_draw(
        hazards, np.ones(10), np.full(10, 65.0), 0.0, 36_000.0, np.ones(1), found_s, found)
    assert n > 1000


LASTS = kernel.Lasts(
    transient=np.array([0.3]), reset_s=np.array([60.0]), repair_s=np.array([3600.0]),
    spread=np.array([0.5]),
)


def outcomes(hazards, found, found_k):
    transient, lasts_s = np.zeros(found.size, np.bool_), np.zeros(found.size)
    kernel.outcomes(hazards, found, found_k, 3, 4, LASTS, transient, lasts_s)
    return list(zip(found, found_k, transient, lasts_s, strict=True))


def drawn(windows):
    """Return hazards and the outcomes of all their failures, window by window."""
    hazards, result = fleet(20, 1e-4), []
    for k in range(windows):
        found_s = np.zeros(ROOM)
        found, found_k = np.zeros(ROOM, np.int64), np.zeros(ROOM, np.int64)
        n = kernel_draw(
            hazards, np.ones(20), np.full(20, 65.0), k * 360_000.0 / windows, 360_000.0 / windows,
            np.ones(1), found_s, found, found_k,
        )
        result += outcomes(hazards, found[:n], found_k[:n])
    return hazards, result


@pytest.mark.parametrize("windows", [1, 7, 50])
def test_outcomes_belong_to_the_failure_not_to_its_window(windows):
    hazards, result = drawn(windows)
    assert len(result) > 400
    for e, k, *outcome in result[:50]:
        assert outcomes(hazards, np.array([e]), np.array([k])) == [(e, k, *outcome)]


def test_a_share_is_cured_by_a_restart_and_repairs_are_log_normal():
    _, result = drawn(10)
    transient = np.array([cured for *_, cured, _ in result])
    lasts_s = np.array([lasts for *_, lasts in result])
    assert abs(transient.mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / transient.size)
    assert set(lasts_s[transient]) == {60.0}
    repairs = np.log(lasts_s[~transient] / 3600.0) / 0.5
    assert np.unique(repairs).size == repairs.size
    assert stats.kstest(repairs, "norm").pvalue > 0.01
