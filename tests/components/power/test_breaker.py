"""When breakers open, by the equations of their trip units and relays."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.components.power.breaker import Breaker, MainBreaker, Protection, Relay
from simulator.components.power.equipment import BREAKERS, WORDS

KINDS = ("line", "transformer_main", "feeder", "transformer_unit", "busway")
LONG_S = 3.0 * 3600.0


@given(st.floats(1.0, 2.5), st.floats(1.06, 9.9))
def test_the_setting_stretches_the_curve(setting, x):
    assert Breaker(setting=setting).opens_s(x * setting) == pytest.approx(Breaker().opens_s(x), rel=1e-9)
    assert Breaker(setting=setting).opens_s(setting) == math.inf


def test_a_main_breaker_of_a_quarter_more_opens_as_that_rating_says():
    assert MainBreaker().opens_s(1.69) == pytest.approx(432.0 * (1.25 / 1.69) ** 2)
    assert MainBreaker().opens_s(1.3) == math.inf


@given(st.floats(1.0, 6.0), st.floats(0.1, 30.0))
def test_a_relay_times_from_its_pickup_by_the_very_inverse_curve(pickup, dial):
    relay = Relay(pickup=pickup, dial=dial)
    assert relay.opens_s(pickup) == math.inf
    assert relay.opens_s(math.sqrt(2.0) * pickup) == pytest.approx(dial * (19.61 + 0.491), rel=1e-6)
    assert relay.opens_s(1e6) == pytest.approx(0.491 * dial, rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_at_its_rating_nothing_opens_but_what_is_not_listed_for_it(kind):
    protection = Protection()
    assert protection.opens_s(kind, 1.0, 1.0) == math.inf
    assert protection.opens_s(kind, 0.8, 1.0) == protection.opens_s(kind, 0.8, 0.81) == LONG_S
    assert protection.opens_s(kind, 0.8, 0.8) == math.inf
    assert protection.opens_s(kind, 0.8, 2.0) == protection.opens_s(kind, 1.0, 2.0) < LONG_S


def test_whatever_is_counted_with_a_breaker_has_one_that_opens():
    protection = Protection()
    guarded = {kind for kind, word in WORDS.items() if word in BREAKERS}
    assert all(protection.opens_s(kind, 1.0, 2.0) < math.inf for kind in guarded)
    assert protection.opens_s("ups", 1.0, 2.0) == math.inf
