"""Fitted lifetimes: known laws come back, closed forms hold, Titan's GPUs die again as they did."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from simulator.components import from_catalog
from simulator.studies import lifetimes
from simulator.studies.lifetimes import Law

YEAR_S = 31_557_600.0
TITAN = Path(__file__).parents[3] / "shared" / "data" / "failures"
LAWS = {
    "infant": Law(0.7, 8 * YEAR_S), "random": Law(1.0, 12 * YEAR_S), "wear": Law(2.6, 7 * YEAR_S),
    "delayed": Law(1.8, 6 * YEAR_S, 1.9 * YEAR_S, 0.01 / YEAR_S),
}


def watched(law, units=6000, seed=3):
    """Return a fleet installed over two years and watched for six, some units removed earlier."""
    draw = np.random.default_rng(seed)
    born_s = draw.uniform(0.0, 2 * YEAR_S, units)
    last_s = np.minimum(6 * YEAR_S, born_s + draw.uniform(1.0, 8.0, units) * YEAR_S)
    return lifetimes.lifetimes(law, born_s, last_s, seed)


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_hazard_and_survival_belong_together(law):
    for age_s in (0.5 * YEAR_S, 2.5 * YEAR_S, 6 * YEAR_S):
        total, _ = quad(lambda t: float(law.hazard(np.array(t))), 0.0, age_s, points=[law.delay_s], limit=200)
        assert total == pytest.approx(float(law.cumulative(np.array(age_s))), rel=1e-3)
        assert law.survival(np.array(age_s)) == pytest.approx(np.exp(-total), rel=1e-3)


@pytest.mark.parametrize("name", ["infant", "random", "wear"])
def test_the_kernel_draws_lifetimes_of_the_law(name):
    law = LAWS[name]
    born_s = np.zeros(3000)
    durations_s, observed = lifetimes.lifetimes(law, born_s, np.full(3000, 80 * YEAR_S), 5)
    sample = durations_s[observed]
    cut = stats.weibull_min(law.shape, scale=law.scale_s)
    share = cut.cdf(80 * YEAR_S)
    assert stats.kstest(sample, lambda t: cut.cdf(t) / share).pvalue > 0.01


@pytest.mark.parametrize("name", ["infant", "random", "wear"])
def test_a_known_weibull_comes_back_within_its_interval(name):
    law = LAWS[name]
    found = lifetimes.fit(*watched(law))
    for key, wanted in (("shape", law.shape), ("scale_s", law.scale_s)):
        low, high = found.intervals[key]
        assert low * 0.98 < wanted < high * 1.02
        assert 1.0 < high / low < 1.5
        assert low < getattr(found.law, key) < high


def test_a_delayed_law_comes_back():
    law = LAWS["delayed"]
    found = lifetimes.fit_delayed(*watched(law, 12_000)).law
    assert found.delay_s == pytest.approx(law.delay_s, rel=0.1)
    ages_s = np.linspace(0.5, 5.5, 11) * YEAR_S
    np.testing.assert_allclose(found.survival(ages_s), law.survival(ages_s), atol=0.012)


def test_exponential_lives_have_the_closed_form_rate():
    """With shape one the rate is failures over time lived; its relative error 1/sqrt(failures)."""
    durations_s, observed = watched(LAWS["random"])
    found = lifetimes.fit(durations_s, observed)
    rate = observed.sum() / durations_s.sum()
    assert 1.0 / LAWS["random"].scale_s == pytest.approx(rate, rel=4 / np.sqrt(observed.sum()))
    mean_hazard = float((found.law.cumulative(durations_s)).sum())
    assert mean_hazard == pytest.approx(observed.sum(), rel=1e-6)


def test_late_entry_does_not_bias():
    """Units first seen at two years old: only those that got there are seen."""
    law = LAWS["wear"]
    durations_s, observed = watched(law, 12_000)
    entry_s = np.full(durations_s.size, 2 * YEAR_S)
    seen = durations_s > entry_s
    found = lifetimes.fit(durations_s[seen], observed[seen], entry_s[seen])
    assert found.law.shape == pytest.approx(law.shape, rel=0.1)
    blind = lifetimes.fit(durations_s[seen], observed[seen])
    assert blind.law.shape > 1.1 * law.shape


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=3, max_size=60))
def test_kaplan_meier_is_the_product_over_failures(rows):
    ages_s, failed = np.array([a for a, _ in rows], float), np.array([f for _, f in rows])
    at, left = lifetimes.kaplan_meier(ages_s, failed)
    share, expected = 1.0, []
    for age in sorted(set(ages_s[failed])):
        share *= 1.0 - np.sum((ages_s == age) & failed) / np.sum(ages_s >= age)
        expected.append(share)
    np.testing.assert_allclose(left, expected, atol=1e-12)
    if failed.all():
        np.testing.assert_allclose(left, [np.mean(ages_s > a) for a in at], atol=1e-12)


def test_nothing_is_fitted_to_one_failure():
    with pytest.raises(ValueError, match="at least 2"):
        lifetimes.fit(np.array([1.0, 2.0]), np.array([True, False]))


# Titan: 30,207 K20X from 2013 to 2019. An older batch wore out from its third year, the sooner the
# higher (hotter) it stood; a newer one did not.


@pytest.fixture(scope="module")
def titan():
    if not TITAN.exists():
        pytest.skip("the published lifetimes are not beside the project")
    units = pd.read_csv(TITAN / "titan_gc_summary_loc.csv.gz")
    moves = pd.read_csv(TITAN / "titan_gc_full.csv.gz", parse_dates=["insert"])
    first = units["SN"].map(moves.groupby("SN")["insert"].min())
    units["born_s"] = (first - pd.Timestamp("2014-01-01")).dt.total_seconds()
    return units


def of(units, **chosen):
    for column, value in chosen.items():
        units = units[units[column] == value]
    return units["time"].to_numpy(float), units["dead"].to_numpy(bool), units["born_s"].to_numpy(float)


def drawn_again(law, durations_s, observed, born_s, seed=1):
    """Draw the fleet from a law; what was removed alive is removed again, the rest stays to the end."""
    end_s = float((born_s + durations_s).max())
    last_s = np.where(observed, end_s, born_s + durations_s)
    return lifetimes.lifetimes(law, born_s, last_s, seed)


def distance(one, other, until_s):
    """Return the largest difference of two survival curves up to an age."""
    ages_s = np.linspace(0.0, until_s, 400)
    curves = [np.append(1.0, left)[np.searchsorted(at, ages_s, side="right")] for at, left in (one, other)]
    return float(np.abs(curves[0] - curves[1]).max())


def catalogs_shape(batch):
    """Return the Weibull shape of a batch: a new fleet's is used, the old one's stands in its note."""
    text = Path(from_catalog.__file__).parents[1].joinpath("catalog/failures/hyperscale.yaml").read_text()
    classes = {c["name"]: c for c in yaml.safe_load(text)["classes"]}
    written = classes["accelerator"]["shape"]
    used = {c.name: c for c in from_catalog.failure_classes("hyperscale")}["accelerator"].shape
    assert used == written["value"]
    return used if batch == "new" else float(re.search(r"aged batch was ([\d.]+)", written["note"])[1])


@pytest.mark.parametrize(("batch", "years"), [("old", 7.11), ("new", 364.0)])
def test_titans_weibulls_are_those_of_the_catalog(titan, batch, years):
    durations_s, observed, _ = of(titan, batch=batch)
    found, shape = lifetimes.fit(durations_s, observed), catalogs_shape(batch)
    assert found.law.shape == pytest.approx(shape, abs=0.005)
    assert found.law.scale_s / YEAR_S == pytest.approx(years, rel=0.005)
    low, high = found.intervals["shape"]
    assert low < shape < high


@pytest.mark.parametrize(("chosen", "most"), [
    ({"batch": "new"}, 0.015), ({"batch": "old", "cage": 0}, 0.02), ({"batch": "old", "cage": 1}, 0.03),
    ({"batch": "old"}, 0.035)])
def test_titans_survival_comes_out_again(titan, chosen, most):
    durations_s, observed, born_s = of(titan, **chosen)
    law = (lifetimes.fit if chosen["batch"] == "new" else lifetimes.fit_delayed)(durations_s, observed).law
    again = drawn_again(law, durations_s, observed, born_s)
    until_s = 2.6 * YEAR_S if chosen["batch"] == "new" else 5.4 * YEAR_S
    assert distance(lifetimes.kaplan_meier(durations_s, observed),
                    lifetimes.kaplan_meier(*again), until_s) < most


@pytest.mark.parametrize("cage", [0, 1])
def test_titans_failures_of_a_year_come_out_again(titan, cage):
    """Every unit at risk as long as it was: counts of a calendar year differ as two Poissons do."""
    durations_s, observed, born_s = of(titan, batch="old", cage=cage)
    law = lifetimes.fit_delayed(durations_s, observed).law
    times, units = lifetimes.failures(law, born_s, float((born_s + durations_s).max()), 1)
    kept = times <= (born_s + durations_s)[units]
    edges_s = np.arange(7) * YEAR_S
    simulated = np.histogram(times[kept], edges_s)[0]
    seen = np.histogram((born_s + durations_s)[observed], edges_s)[0]
    assert seen.sum() > 1000
    assert np.all(np.abs(simulated - seen) <= 3.0 * np.sqrt(simulated + seen))


def test_hotter_cages_wear_out_sooner(titan):
    scale = [lifetimes.fit(*of(titan, batch="old", cage=cage)[:2]).law.scale_s for cage in (0, 1, 2)]
    assert scale[0] > scale[1] > scale[2]
