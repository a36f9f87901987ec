"""Paired differences of two runs."""

import math

import pytest

import simulator as gw


@pytest.fixture(scope="module")
def runs():
    study = gw.Scenario.from_yaml("scenarios/pod.yaml").with_(
        {"period.duration": "6 h", "reliability.rate_scale": 50}
    )
    return study.run(replicates=3), study.with_({"topology.cooling.supply": "44 degC"}).run(
        replicates=3
    )


def test_a_run_does_not_differ_from_itself(runs):
    table = gw.compare(runs[0], runs[0]).set_index("kpi")
    assert (table["difference"] == 0.0).all()
    assert (table["b_larger"] == 0.5).all()


def test_warmer_coolant_is_hotter_in_every_replicate(runs):
    row = gw.compare(*runs).set_index("kpi").loc["thermal.coolant_supply_max"]
    assert row["unit"] == "degC" and row["n"] == 3 and row["b_larger"] == 1.0
    assert row["difference"] == pytest.approx(4.0, abs=0.5)
    assert row["low"] <= row["difference"] <= row["high"]


def test_one_replicate_has_no_interval_and_unequal_runs_no_pairs(runs):
    one = gw.Scenario.from_yaml("scenarios/pod.yaml").with_({"period.duration": "6 h"}).run()
    assert math.isnan(gw.compare(one, one).loc[0, "low"])
    with pytest.raises(ValueError, match="different replicates"):
        gw.compare(one, runs[0])
