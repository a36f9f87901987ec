"""Effectiveness-NTU against its closed-form limits."""

import numpy as np
import pytest

from simulator.components.cooling.exchanger import counterflow, crossflow, ntu_of

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
