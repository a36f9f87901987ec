"""Indicators of the network: counts and draw, steps as the network changed."""

import pytest

from simulator.metrics import network


def test_draw_is_of_switches_and_the_modules_in_them(week):
    table = network.fabrics(week).set_index("fabric")
    assert table.loc["train", "switches"] == 4500
    assert table.loc["train", "switches_w"] == pytest.approx(4500 * 2500.0)
    assert table.loc["train", "optics"] == 648_000 + 129_600
    assert table.loc["train", "optics_w"] == pytest.approx(648_000 * 15.0)
    assert table.loc["train", "endpoint_optics_w"] == pytest.approx(129_600 * 15.0)
    whole = network.fabrics(week, by=None).iloc[0]
    assert whole["switches"] == table["switches"].sum()


def test_indicators_name_the_longest_step(week):
    found = {kpi.name: kpi.value for kpi in network.kpis(week)}
    assert found["network.switches"] == 7400
    assert found["network.power"] == pytest.approx((7400 * 2500 + 1_078_000 * 15) / 1e6)
    assert found["training.frontier.step_time_worst"] == 12.9
