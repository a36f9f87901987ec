"""Rates of a replicate: fixed, or as far apart as published fleets; and what they led to."""

import math

import numpy as np
import pytest
from small import load_tree, pod_tree

from simulator import simulation
from simulator.components import from_catalog
from simulator.engine import rates
from simulator.engine.populations import ON_RACKS
from simulator.simulation import simulate

FLEET = from_catalog.failure_classes("hyperscale")
COMING = tuple(cls for cls in FLEET if cls.rate > 0.0)
"""Classes that come by themselves; the others are for scripted incidents, and their rate stays 0."""
REPLICATES = 800


@pytest.fixture(scope="module")
def factors():
    """Return drawn over given rate, (replicates, classes)."""
    return np.array([
        [d.rate / c.rate for c, d in zip(COMING, rates.of_replicate(COMING, "drawn", 7, k), strict=True)]
        for k in range(REPLICATES)
    ])


def test_fixed_rates_are_those_of_the_fleet():
    assert rates.of_replicate(FLEET, "fixed", 7, 3) is FLEET


def test_the_spread_between_fleets_is_that_of_the_three_published():
    assert pytest.approx(0.511, abs=0.001) == rates.FLEET_SPREAD
    assert max(rates.NODE_FAILURES) / min(rates.NODE_FAILURES) == pytest.approx(2.8, abs=0.05)


def test_each_class_spreads_as_its_range_or_as_fleets_do(factors):
    for i, cls in enumerate(COMING):
        wanted = max(cls.spread, rates.FLEET_SPREAD) if cls.per in ON_RACKS else cls.spread
        log = np.log(factors[:, i])
        assert log.std() == pytest.approx(wanted, rel=4 / math.sqrt(2 * REPLICATES)), cls.name
        assert log.mean() == pytest.approx(0.0, abs=4 * wanted / math.sqrt(REPLICATES)), cls.name


def test_a_range_is_the_fifth_to_the_ninety_fifth_percentile(factors):
    line = [c.name for c in COMING].index("line")  # 0.1 to 2 a year around 0.5
    low, high = np.quantile(factors[:, line], [0.05, 0.95])
    assert high / low == pytest.approx(20.0, rel=0.35)


def test_classes_on_racks_share_a_factor_and_plant_does_not(factors):
    names = [c.name for c in COMING]
    log = np.log(factors)
    apart = np.corrcoef(log[:, names.index("accelerator")], log[:, names.index("line")])[0, 1]
    shared = np.corrcoef(log[:, names.index("accelerator")], log[:, names.index("host")])[0, 1]
    assert shared > 0.99 and abs(apart) < 4 / math.sqrt(REPLICATES)


def test_a_draw_depends_on_seed_and_replicate_alone():
    some = rates.of_replicate(FLEET[3:6], "drawn", 1, 5)
    all_of_them = rates.of_replicate(FLEET, "drawn", 1, 5)
    assert some == all_of_them[3:6]
    assert rates.of_replicate(FLEET, "drawn", 2, 5) != all_of_them


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    tree = pod_tree()
    tree["reliability"] = {"rate_scale": 100, "rates": "drawn"}
    tree["period"]["duration"] = "301 h"  # not a whole number of windows
    return simulate(load_tree(tree, tmp_path_factory.mktemp("drawn")))


def test_the_table_tells_what_was_drawn_expected_and_came(run):
    table = run.tables["rates"].set_index("class")
    assert set(table.index) == {c.name for c in FLEET}
    given = {c.name: c.rate * rates.YEAR_S * 100 for c in FLEET}
    assert table["fleet_rate_year"].to_dict() == pytest.approx(given)
    drawn, never = table.loc[[c.name for c in COMING]], table[table["fleet_rate_year"] == 0.0]
    assert np.all(drawn["rate_year"] != drawn["fleet_rate_year"])
    assert len(drawn) + len(never) == len(FLEET)
    assert np.all(never[["rate_year", "simulated"]] == 0.0)
    events = run.events[run.events["kind"] == "failure"]
    assert table["simulated"].sum() == len(events)
    assert table.loc["accelerator", "units"] == 576


def test_as_many_came_as_the_hazard_gave(run):
    """Failures less cumulative hazard is a martingale: its variance is the hazard."""
    table = run.tables["rates"]
    expected, came = table["expected"].sum(), table["simulated"].sum()
    assert expected > 200
    assert came == pytest.approx(expected, abs=4 * math.sqrt(expected))


def test_exposure_without_heat_is_rate_times_time(run):
    row = run.tables["rates"].set_index("class").loc["software"]
    up = run.tables["hours"].query("category != 'down'")["accelerator_hours"].sum() / (576 * 301)
    bound = row["units"] * row["rate_year"] * 301 / 8766
    assert row["expected"] == pytest.approx(bound * up, rel=0.03)


def test_a_class_that_nothing_here_can_suffer_expects_nothing(tmp_path, monkeypatch):
    core = next(c for c in FLEET if c.per == "core_switch")
    monkeypatch.setattr(simulation, "_failure_classes", lambda scenario: (core,))
    table = simulate(load_tree(pod_tree(), tmp_path)).tables["rates"]
    assert table[["units", "expected", "simulated"]].to_numpy().tolist() == [[0.0, 0.0, 0]]
