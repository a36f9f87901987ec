"""Distributions of unknown inputs against their closed forms, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import stats

from simulator.studies.distributions import Distribution

LEVELS = (np.arange(10_000) + 0.5) / 10_000


def numbers(levels=LEVELS, **given_):
    return np.array([float(str(v).split()[0]) for v in Distribution(**given_).values(levels)])


def test_values_are_written_with_their_unit():
    assert Distribution(uniform=["2 K", "4 K"]).values(np.array([0.25])) == ["2.5 K"]
    assert Distribution(uniform=[0, 1]).values(np.array([0.25])) == [0.25]
    assert Distribution(normal=["80 USD/MWh", "5 USD/MWh"]).values(np.array([0.5])) == ["80.0 USD/MWh"]


def test_pert_has_its_mean_and_its_ends():
    found = numbers(pert=["65 USD/MWh", "80 USD/MWh", "90 USD/MWh"])
    assert found.mean() == pytest.approx((65 + 4 * 80 + 90) / 6, rel=1e-4)
    assert found.min() >= 65 and found.max() <= 90
    # Density is highest at the mode.
    counts, edges = np.histogram(found, 25)
    assert edges[counts.argmax()] <= 81 and edges[counts.argmax() + 1] >= 79


def test_pert_is_the_scaled_beta():
    found = numbers(pert=[0, 1, 4])
    assert found == pytest.approx(stats.beta(2, 4).ppf(LEVELS) * 4, rel=1e-9)


def test_normal_is_normal():
    assert numbers(normal=[3, 2]) == pytest.approx(stats.norm(3, 2).ppf(LEVELS), rel=1e-9)


def test_quantiles_are_met_and_run_on_straight():
    given_ = {"10 %": "2 h", "50 %": "4 h", "90 %": "10 h"}
    found = numbers(np.array([0.1, 0.3, 0.5, 0.7, 0.9, 0.0, 1.0]), quantiles=given_)
    assert found == pytest.approx([2, 3, 4, 7, 10, 1.5, 11.5])


def test_a_choice_is_equally_likely():
    found = Distribution(choice=["young", "daly", "daly"]).values(LEVELS)
    assert found.count("young") == pytest.approx(len(LEVELS) / 3, abs=1)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.floats(0, 1))
def test_every_quantile_function_rises(low, span, place):
    mode = low + span * place
    for kind in ({"uniform": [low, low + span]}, {"pert": [low, mode, low + span]},
                 {"normal": [low, span]},
                 {"quantiles": {"5 %": low, "50 %": mode, "95 %": low + span}}):
        found = Distribution(**kind).values(np.linspace(0.01, 0.99, 21))
        assert (np.diff(found) >= -1e-9 * max(abs(low), span)).all()


@pytest.mark.parametrize(
    ("given_", "told"),
    [
        ({}, "give one of"),
        ({"uniform": [1, 2], "normal": [1, 2]}, "give one of"),
        ({"uniform": ["1 K", "2 W"]}, "share one unit"),
        ({"uniform": ["2 K", "1 K"]}, "must rise"),
        ({"pert": [1, 1, 1]}, "must rise"),
        ({"pert": [1, 5, 4]}, "must rise"),
        ({"normal": [1, 0]}, "standard deviation"),
        ({"uniform": ["warm", "hot"]}, "no number"),
        ({"quantiles": {"20 %": 1, "90 %": 2}}, "must reach"),
        ({"quantiles": {"10 %": 1}}, "must rise"),
        ({"quantiles": {"90 %": 1, "10 %": 2}}, "levels must rise"),
        ({"quantiles": {"tenth": 1, "90 %": 2}}, "tenth"),
        ({"choice": []}, "at least 1"),
        ({"triangular": [1, 2, 3]}, "triangular"),
    ],
)
def test_what_is_no_distribution_is_refused(given_, told):
    with pytest.raises(ValidationError, match=told):
        Distribution(**given_)
