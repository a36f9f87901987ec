"""Tolerance curves: what is allowed for how long."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from simulator.components.power.tolerance import (
    TOLERANCES,
    Before,
    Tolerance,
    ToleranceCurve,
    Tolerances,
)

KINDS = (
    "line", "transformer_main", "transformer_unit", "transformer_dry", "feeder", "breaker",
    "busway", "ups",
)  # fmt: skip


def test_every_kind_has_a_default_with_its_source():
    assert set(TOLERANCES) == set(KINDS) == set(Tolerances.model_fields)
    assert all(t.source and t.evidence in ("derived", "assumed") for t in TOLERANCES.values())


@pytest.mark.parametrize("kind", KINDS)
@given(a=st.floats(0.1, 30), b=st.floats(0.1, 30))
def test_more_load_is_never_allowed_for_longer(kind, a, b):
    tolerance = TOLERANCES[kind]
    low, high = sorted((a, b))
    assert tolerance.seconds_at(low) >= tolerance.seconds_at(high) * (1 - 1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_ends_of_the_curve(kind):
    tolerance = TOLERANCES[kind]
    assert tolerance.seconds_at(tolerance.continuous) == math.inf
    assert tolerance.seconds_at(tolerance.continuous + 1e-9) == tolerance.seconds[0]
    assert tolerance.seconds_at(tolerance.loading[-1]) == pytest.approx(tolerance.seconds[-1])
    assert tolerance.seconds_at(tolerance.loading[-1] + 1e-9) == 0.0


def test_inverse_square_time_is_exact_between_points():
    # I2t = 400 s: two points of the law give all of it.
    law = Tolerance((1.0, 10.0), (400.0, 4.0), 0.8)
    for x in (1.0, 1.7, 3.0, 9.9):
        assert law.seconds_at(x) == pytest.approx(400.0 / x**2)


@pytest.mark.parametrize(
    ("loading", "time", "words"),
    [
        (["110 %"], ["5 min", "1 min"], "as many times"),
        (["90 %"], ["5 min"], "not above the continuous"),
        (["120 %", "110 %"], ["5 min", "1 min"], "must rise"),
        (["110 %", "120 %"], ["1 min", "5 min"], "must not rise"),
        (["110 %"], ["0 s"], "ending the curve"),
    ],
)
def test_a_curve_that_is_none_is_refused(loading, time, words):
    with pytest.raises(ValidationError, match=words):
        ToleranceCurve.model_validate({"loading": loading, "time": time})


def test_a_site_replaces_one_kind():
    own = Tolerances.model_validate({"ups": {"loading": ["110 %", 1.5], "time": ["5 min", "10 s"]}})
    assert own.of("ups").seconds_at(1.1) == pytest.approx(300.0)
    assert own.of("line") is TOLERANCES["line"]
    with pytest.raises(KeyError):
        own.of("kite")


@pytest.mark.parametrize("kind", ["transformer_main", "transformer_unit", "transformer_dry"])
def test_a_transformer_stands_more_the_less_it_carried_before(kind):
    ours, x = Tolerances(), 1.25
    hot = ours.seconds(kind, x, Before())
    assert hot == pytest.approx(TOLERANCES[kind].seconds_at(x))
    times = [ours.seconds(kind, x, Before(preload, 40.0)) for preload in (1.0, 0.8, 0.5)]
    assert times == sorted(times) and times[0] < times[-1]
    cold = ours.seconds(kind, x, Before(1.0, 0.0))
    assert (cold == hot) if kind == "transformer_dry" else (cold > hot)  # dry types stand indoors


def test_a_curve_of_the_sites_own_is_taken_as_it_stands():
    own = Tolerances.model_validate({"transformer_main": {"loading": ["150 %"], "time": ["1 h"]}})
    assert own.seconds("transformer_main", 1.2, Before(0.1, -20.0)) == 3600.0
    assert own.seconds("feeder", 1.5, Before(0.1)) == TOLERANCES["feeder"].seconds_at(1.5)
