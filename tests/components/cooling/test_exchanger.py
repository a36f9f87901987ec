"""Effectiveness-NTU against its closed-form limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.components.cooling.exchanger import Rated, counterflow, crossflow, ntu_of

NTU = np.geomspace(0.01, 20.0, 40)


def test_counterflow_limits():
    np.testing.assert_allclose(counterflow(NTU, 0.0), 1.0 - np.exp(-NTU))
    np.testing.assert_allclose(counterflow(NTU, 1.0), NTU / (1.0 + NTU))
    np.testing.assert_allclose(counterflow(NTU, 1.0 - 1e-7), NTU / (1.0 + NTU), rtol=1e-5)
    assert counterflow(0.0, 0.5) == 0.0
    assert counterflow(200.0, 0.5) == pytest.approx(1.0)


def test_crossflow_limits():
    np.testing.assert_allclose(crossflow(NTU, 0.0), 1.0 - np.exp(-NTU), rtol=1e-6)
    assert crossflow(0.0, 0.5) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("ratio", [0.0, 0.3, 0.7, 1.0])
def test_counterflow_beats_crossflow_and_both_rise_with_size(ratio):
    for law in (counterflow, crossflow):
        assert (np.diff(law(NTU, ratio)) > 0.0).all()
    assert (counterflow(NTU, ratio) >= crossflow(NTU, ratio) - 1e-6).all()


@pytest.mark.parametrize("law", [counterflow, crossflow])
def test_size_is_found_back_from_effectiveness(law):
    for ntu in (0.1, 1.0, 4.0):
        assert ntu_of(float(law(ntu, 0.6)), 0.6, law) == pytest.approx(ntu, rel=1e-6)


def test_an_impossible_effectiveness_is_an_error():
    with pytest.raises(ValueError, match=r"1\.200"):
        ntu_of(1.2, 0.5, counterflow)


def coil(hot_k=12.0, cold_k=8.0, approach_k=4.0, law=crossflow):
    return Rated(hot_k, cold_k, approach_k, law, 2.0 / 3.0, 0.8, 0.85)


@pytest.mark.parametrize("law", [counterflow, crossflow])
@pytest.mark.parametrize("ranges", [(12.0, 8.0), (8.0, 10.0), (10.0, 10.0)], ids=["cold", "hot", "alike"])
def test_a_rated_exchanger_meets_its_rated_point(law, ranges):
    made = coil(*ranges, law=law)
    assert float(made.approach_at_k(1.0, 1.0)) == pytest.approx(4.0, rel=1e-6)


def test_an_exchanger_of_all_but_no_flow_gives_off_at_the_entering_temperature():
    """NTU without bound: the hot side leaves as the cold one enters. C* -> 0: 1 - e^-NTU of the gap is left."""
    assert float(coil().approach_at_k(1e-4, 1.0)) == pytest.approx(0.0, abs=1e-5)
    endless = coil(cold_k=1e-9)
    ntu = endless.ntu()
    assert float(endless.approach_at_k(1.0, 1.0)) == pytest.approx(12.0 / np.expm1(ntu), rel=1e-6)


def test_an_exchanger_of_no_size_cools_nothing():
    """NTU -> 0 at rated heat: no gap is wide enough, and each halving of UA doubles it."""
    near, far = (float(coil(approach_k=k).approach_at_k(1.0, 1.0)) for k in (1e4, 2e4))
    assert far == pytest.approx(2.0 * near, rel=1e-3)
    np.testing.assert_allclose([coil(approach_k=k).ntu() for k in (1e4, 2e4)], [12e-4, 6e-4], rtol=2e-3)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.2, 1.5), st.floats(0.2, 1.5))
def test_heat_is_what_both_sides_take_and_more_water_is_never_warmer(air, water):
    """By the mean of both sides: q = UA F LMTD with 0 < F <= 1 of a counterflow exchanger's."""
    made = coil()
    leaves_k = float(made.approach_at_k(air, water))
    entering_k = leaves_k + 12.0 / air  # of the hot side over the cold one
    water_k = 8.0 / water  # its warming by the same heat
    assert 0.0 < water_k < entering_k
    ends = np.array([leaves_k, entering_k - water_k])
    lmtd_k = (ends[1] - ends[0]) / np.log(ends[1] / ends[0]) if abs(ends[1] - ends[0]) > 1e-6 else ends[0]
    films = 2.0 / 3.0 * air**-0.8 + 1.0 / 3.0 * water**-0.85
    conductance = made.ntu() / 12.0 / films  # per W of rated heat
    assert 0.3 < 1.0 / (conductance * lmtd_k) <= 1.0 + 2e-2  # the correlation of crossflow is that good
    assert float(made.approach_at_k(air, 1.05 * water)) <= leaves_k
