"""Seconds to a limit: exact closed forms of the lumped mass."""

import math

import numpy as np
import pytest

from simulator.components.cooling.limits import (
    seconds_to_limit,
    seconds_without_flow,
    temperature_after_c,
)


def test_a_chip_without_flow_warms_at_power_over_capacity():
    # 1,200 W on 500 J/K: 2.4 K/s.
    assert seconds_without_flow(65.0, 89.0, 1200.0, 500.0) == pytest.approx(10.0)
    assert seconds_without_flow(90.0, 89.0, 1200.0, 500.0) == 0.0
    assert math.isinf(seconds_without_flow(65.0, 89.0, 0.0, 500.0))


def test_time_to_limit_inverts_the_exact_response():
    seconds = seconds_to_limit(40.0, 60.0, 75.0, 12.0)
    assert temperature_after_c(40.0, 75.0, 12.0, seconds) == pytest.approx(60.0)
    assert seconds_to_limit(60.0, 60.0, 75.0, 12.0) == 0.0
    assert math.isinf(seconds_to_limit(40.0, 60.0, 60.0, 12.0))


def test_a_very_slow_approach_becomes_the_case_without_flow():
    resistance, capacity, power = 1e6, 500.0, 1200.0
    slow = seconds_to_limit(65.0, 89.0, 45.0 + power * resistance, resistance * capacity)
    assert slow == pytest.approx(seconds_without_flow(65.0, 89.0, power, capacity), rel=1e-4)


@pytest.mark.parametrize("steps", [1, 7, 1000])
def test_the_response_does_not_depend_on_the_step(steps):
    temperature = 40.0
    for _ in range(steps):
        temperature = temperature_after_c(temperature, 75.0, 12.0, 30.0 / steps)
    assert temperature == pytest.approx(75.0 - 35.0 * np.exp(-2.5), abs=1e-9)
