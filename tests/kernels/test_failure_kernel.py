"""The failure front against the laws it claims, and its draws against plans that differ."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simulator.kernels import failures as kernel
from simulator.kernels.columns import HazardClasses, Hazards

KEY = (7, 9)
ROOM = 20_000


def fleet(entities, rate_s, word=5, doubling_k=None, reference_c=65.0, cls=0, born_s=0.0, fresh=0.0):
    """Return hazards of one class on as many racks."""
    n = entities
    hazards = Hazards(
        cls=np.full(n, cls), rack=np.arange(n), word=np.full(n, word), unit=np.arange(n),
        rate_s=np.full(n, rate_s), sensor=np.full(n, -1) if doubling_k is None else np.arange(n),
        doubling_k=np.full(n, doubling_k or np.inf), reference_c=np.full(n, reference_c),
        born_s=np.full(n, float(born_s)), fresh=np.full(n, float(fresh)),
        single=np.zeros(n, np.int64), budget=np.zeros(n),
        drawn=np.zeros(n, np.int64),
    )
    kernel.first_budgets(hazards, *KEY)
    return hazards


def classes(shape=1.0, reference_s=1.0, infant=0.0, decay_s=1.0):
    """Return what two classes share, both alike."""
    two = lambda value: np.full(2, float(value))  # noqa: E731
    return HazardClasses(two(shape), two(reference_s), two(infant), two(decay_s), np.zeros(2))


def together(*fleets):
    """Return several classes as one fleet."""
    return Hazards(*(np.concatenate(column) for column in zip(*fleets, strict=True)))


def run(hazards, windows, window_s, up=None, junction_c=None, of=None):
    """Return times and entities of all failures over equal windows."""
    racks = int(hazards.rack.max()) + 1
    up = np.ones(racks) if up is None else up
    junction_c = np.full(racks, 65.0) if junction_c is None else junction_c
    of = of or classes()
    times, entities = [], []
    for k in range(windows):
        found_s, found = np.zeros(ROOM), np.zeros(ROOM, np.int64)
        n = kernel_draw(hazards, up, junction_c, k * window_s, window_s, found_s, found, of=of)
        times.append(found_s[:n])
        entities.append(found[:n])
    return np.concatenate(times), np.concatenate(entities)


def kernel_draw(hazards, up, junction_c, start_s, window_s, found_s, found, found_k=None, of=None):
    found_k = np.zeros(found.size, np.int64) if found_k is None else found_k
    return kernel.draw(
        hazards, of or classes(), up, junction_c, *KEY, start_s, window_s, found_s, found, found_k)


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
            hazards, up, np.array([65.0]), k * 3600.0, 3600.0, found_s, found)
        times += [t - 5 * 3600.0 if k >= 10 else t for t in found_s[:n]]
    np.testing.assert_allclose(times, whole, rtol=1e-9)


@pytest.mark.parametrize("shape", [0.7, 2.5])
@pytest.mark.parametrize("windows", [3, 400])
def test_ageing_is_a_weibull_under_minimal_repair(shape, windows):
    """The mean count by time t is (t / scale)^shape, however long the windows are."""
    scale_s, end_s = 2e5, 1e6
    of = classes(shape=shape, reference_s=scale_s)
    _, entities = run(fleet(400, shape / scale_s), windows, end_s / windows, of=of)
    mean = 400 * (end_s / scale_s) ** shape
    assert of.exposure[0] == pytest.approx(mean, rel=1e-9)
    assert entities.size == pytest.approx(mean, abs=4 * np.sqrt(mean))


def test_the_first_failure_of_an_ageing_unit_is_weibull():
    scale_s, shape = 2e5, 2.5
    of = classes(shape=shape, reference_s=scale_s)
    times, entities = run(fleet(2000, shape / scale_s, born_s=0.0), 500, 2e3, of=of)
    first_s = [t[0] for t in by_entity(times, entities) if t.size]
    assert len(first_s) == 2000
    assert stats.kstest(first_s, "weibull_min", args=(shape, 0.0, scale_s)).pvalue > 0.01


def test_what_is_not_there_yet_does_not_fail():
    of = classes(shape=2.0, reference_s=1e5)
    times, _ = run(fleet(50, 1e-4, born_s=2e5), 7, 4e5 / 7, of=of)
    assert times.size and times.min() >= 2e5
    assert of.exposure[0] == pytest.approx(50 * 1e-4 * 1e5 / 2.0 * 2.0**2, rel=1e-9)


def test_a_single_unit_that_ages_fails_once_in_a_window():
    of = classes(shape=3.0, reference_s=1e4)
    alone = fleet(50, 1e-2)
    alone.single[:] = 1
    _, entities = run(alone, 1, 1e5, of=of)
    assert np.bincount(entities).tolist() == [1] * 50
    assert of.exposure[0] < 50 * 10.0  # what it took to fail, not the window's hazard


def test_a_class_without_ageing_waits_for_its_birth_as_well():
    of = classes()
    times, _ = run(fleet(200, 1e-4, born_s=1.3e5), 4, 1e5, of=of)
    assert times.min() >= 1.3e5
    assert of.exposure[0] == pytest.approx(200 * 1e-4 * 2.7e5, rel=1e-12)


@pytest.mark.parametrize("shape", [0.7, 2.5])
def test_the_length_of_windows_moves_no_failure_of_an_ageing_unit(shape):
    runs = [
        run(fleet(30, 1e-5), windows, 2e6 / windows, of=classes(shape=shape, reference_s=5e5))
        for windows in (1, 9, 80)
    ]
    for times, entities in runs[1:]:
        np.testing.assert_allclose(times, runs[0][0], rtol=1e-7)
        np.testing.assert_array_equal(entities, runs[0][1])


@given(
    rate_s=st.floats(0.0, 1e-3), new_s=st.floats(1e-6, 1e-2), decay_s=st.floats(1e2, 1e6),
    used=st.floats(1e-6, 1.0),
)
def test_the_moment_a_budget_is_used_up_is_the_root(rate_s, new_s, decay_s, used):
    window_s = 14_400.0

    def spent(at_s):
        return rate_s * at_s + new_s * decay_s * -np.expm1(-at_s / decay_s)

    budget = used * spent(window_s)
    at_s = kernel._used_up(budget, rate_s, new_s, decay_s, window_s)
    assert 0.0 <= at_s <= window_s
    assert spent(at_s) == pytest.approx(budget, rel=1e-5)


@pytest.mark.parametrize("windows", [2, 60])
def test_infant_mortality_adds_its_excess_and_fades(windows):
    """The mean count of a new unit by t is rate (t + infant decay (1 - exp(-t / decay)))."""
    rate_s, infant, decay_s, end_s = 2e-5, 5.0, 4e4, 3e5
    of = classes(infant=infant, decay_s=decay_s)
    times, entities = run(fleet(500, rate_s, fresh=1.0), windows, end_s / windows, of=of)
    grown = lambda t: 500 * rate_s * (t + infant * decay_s * -np.expm1(-t / decay_s))  # noqa: E731
    assert of.exposure[0] == pytest.approx(grown(end_s), rel=1e-9)
    for until_s in (2e4, 1e5, end_s):
        count = np.sum(times <= until_s)
        assert count == pytest.approx(grown(until_s), abs=4 * grown(until_s) ** 0.5)
    passed = np.array([grown(t) for t in times[entities == 7]]) / 500
    assert np.all(np.diff(passed) > 0.0)


def test_one_new_unit_of_many_brings_its_own_excess_only():
    few = classes(infant=8.0, decay_s=1e5)
    run(fleet(10, 72e-6, fresh=1.0 / 72.0), 20, 5e4, of=few)
    base = 10 * 72e-6 * 1e6
    assert few.exposure[0] - base == pytest.approx(10 * 1e-6 * 8.0 * 1e5 * -np.expm1(-10.0), rel=1e-9)


def test_exposure_is_what_the_failures_were_drawn_from():
    of = classes()
    times, _ = run(fleet(300, 1e-4), windows=50, window_s=7200.0, of=of)
    assert of.exposure[0] == pytest.approx(300 * 1e-4 * 50 * 7200.0)
    assert times.size == pytest.approx(of.exposure[0], abs=4 * of.exposure[0] ** 0.5)


@pytest.mark.parametrize("share", [0.0, 0.05, 1.0])
def test_a_push_hits_its_share_of_the_servers(share):
    servers = np.full(2000, 18.0)
    hit = kernel.servers_hit(servers, share, *KEY, 3, 77)
    assert np.all((hit >= 0.0) & (hit <= servers))
    assert hit.sum() == pytest.approx(36_000 * share, abs=4 * (36_000 * share * (1 - share)) ** 0.5)
    np.testing.assert_array_equal(hit[:50], kernel.servers_hit(servers[:50], share, *KEY, 3, 77))
    if share == 0.05:
        assert np.any(hit != kernel.servers_hit(servers, share, *KEY, 3, 78))


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
        hazards, np.ones(10), np.full(10, 65.0), 0.0, 36_000.0, found_s, found)
    assert n > 1000


@pytest.mark.parametrize("windows", [1, 7, 50])
def test_outcomes_belong_to_the_failure_not_to_its_window(windows):
    hazards, outcomes = fleet(20, 1e-4), []
    for k in range(windows):
        found_s = np.zeros(ROOM)
        found, found_k = np.zeros(ROOM, np.int64), np.zeros(ROOM, np.int64)
        n = kernel_draw(
            hazards, np.ones(20), np.full(20, 65.0), k * 360_000.0 / windows, 360_000.0 / windows,
            found_s, found, found_k,
        )
        drawn = np.zeros((3, n))
        kernel.outcomes(hazards, found[:n], found_k[:n], 3, 4, *drawn)
        outcomes += zip(found[:n], found_k[:n], *drawn, strict=True)
    for column in (2, 3, 4):
        assert len({row[column] for row in outcomes}) == len(outcomes) > 400
    alone = np.zeros((3, 1))
    for e, k, *drawn in outcomes[:50]:
        kernel.outcomes(hazards, np.array([e]), np.array([k]), 3, 4, *alone)
        assert alone[:, 0].tolist() == drawn
