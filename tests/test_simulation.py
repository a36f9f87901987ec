"""The main loop: the same inputs give the same tables, and plans share their luck."""

import numpy as np
import pandas as pd
import pytest
from small import load_tree, pod, pod_tree

from simulator import simulation
from simulator.components import from_catalog
from simulator.metrics import balance
from simulator.results import SERIES, TABLES
from simulator.simulation import simulate

JOB = {
    "kind": "training", "name": "tune", "model": "llama-3.1-70b", "accelerator": "GB300",
    "accelerators": 288, "tokens": 1e13, "checkpoint": {"stall": "5 s", "restart": "5 min"},
    "plan": {"tp": 4, "pp": 2, "global_batch_sequences": 288, "sequence_length": 8192},
}


def failing(tree, scale=100):
    tree["reliability"] = {"rate_scale": scale}
    return tree


def same(a, b):
    """Return whether all tables of two results are equal to the last bit."""
    pairs = [(a.events, b.events)]
    pairs += [(a.timeseries[k], b.timeseries[k]) for k in a.timeseries]
    pairs += [(a.tables[k], b.tables[k]) for k in a.tables]
    return all(x.equals(y) for x, y in pairs)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A pod with a job, a pool and batch work, failing a hundred times as often."""
    tree = failing(pod_tree())
    tree["workloads"].insert(0, JOB)
    tree["period"]["duration"] = "4 d"
    return load_tree(tree, tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="module")
def once(trained):
    return simulate(trained)


def test_the_same_seed_gives_the_same_tables(trained, once):
    assert len(once.events) > 20
    assert same(once, simulate(trained))


def test_another_replicate_or_seed_has_other_luck(trained, once):
    assert not same(once, simulate(trained, replicate=1))
    other = trained.spec.model_copy(update={"seed": 2})
    assert not same(once, simulate(type(trained)(other, trained.document)))


def test_tables_have_the_columns_they_promise(once):
    for level, columns in SERIES.items():
        if level != "rack":  # on request only
            assert list(once.timeseries[level]) == ["time", "element", *columns]
    for name, columns in TABLES.items():
        assert set(once.tables[name]) == set(columns), name
    assert once.events["time"].is_monotonic_increasing
    assert once.events["time"].min() >= once.timeseries["site"]["time"].iloc[0]


def test_every_number_is_finite_where_one_is_due(once):
    for level, table in once.timeseries.items():
        assert np.isfinite(table.select_dtypes("number")).all(axis=None), level
    for name in ("energy", "heat", "hours", "load_energy", "plant"):
        assert np.isfinite(once.tables[name].select_dtypes("number")).all(axis=None), name


def failures(results, classes):
    rows = results.events[results.events["kind"] == "failure"]
    return rows[rows["cause"].isin(classes)].reset_index(drop=True)


def test_a_served_model_more_moves_no_failure(tmp_path, monkeypatch):
    """Classes that heat does not accelerate strike the same racks at the same moments."""
    cold = [c for c in from_catalog.failure_classes("hyperscale") if c.doubling is None]
    cold = tuple(c.model_copy(update={"rate": 60 * c.rate}) for c in cold)
    monkeypatch.setattr(simulation, "_failure_classes", lambda scenario: cold)
    tree = pod_tree()
    tree["period"]["duration"] = "10 d"
    both = simulate(load_tree(tree, tmp_path))
    tree["workloads"].pop(0)
    one = simulate(load_tree(tree, tmp_path))
    names = [c.name for c in cold]
    assert len(failures(one, names)) > 30
    pd.testing.assert_frame_equal(failures(both, names), failures(one, names))


def test_a_hall_more_moves_no_failure_of_the_others(tmp_path, monkeypatch):
    cold = [c for c in from_catalog.failure_classes("hyperscale") if c.doubling is None]
    cold = [c for c in cold if c.per in ("accelerator", "server", "rack")]
    cold = tuple(c.model_copy(update={"rate": 60 * c.rate}) for c in cold)
    monkeypatch.setattr(simulation, "_failure_classes", lambda scenario: cold)
    tree = pod_tree()
    tree["topology"]["grid"]["lines"]["rating"] = "6 MVA"
    tree["topology"]["grid"]["transformers"]["rating"] = "6 MVA"
    tree["period"]["duration"] = "5 d"
    one = simulate(load_tree(tree, tmp_path))
    tree["topology"]["halls"].insert(0, tree["topology"]["halls"][0] | {"name": "more"})
    both = simulate(load_tree(tree, tmp_path))
    rows = both.events[both.events["element"].str.startswith("pod/")].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, one.events)


@pytest.mark.parametrize(("duration", "minutes", "hours"), [("90 min", 90, 2), ("1 min", 1, 1),
                                                           ("60 min", 60, 1), ("25 h", 1500, 25)])
def test_periods_need_not_be_whole_hours(duration, minutes, hours, tmp_path):
    tree = pod_tree()
    tree["period"]["duration"] = duration
    results = simulate(load_tree(tree, tmp_path))
    assert len(results.timeseries["site"]) == minutes
    assert len(results.timeseries["hall"]) == hours
    assert max(balance.checks(results).values()) <= 1e-9
    site = results.timeseries["site"].set_index("time")["it_w"]
    per_hour = site.groupby((site.index - site.index[0]) // pd.Timedelta("1h")).mean()
    np.testing.assert_allclose(results.timeseries["hall"]["it_w"], per_hour, rtol=1e-12)


@pytest.mark.parametrize("start", ["2028-02-28T00:00:00+00:00", "2027-12-31T12:00:00-05:00",
                                   "2028-12-31T12:00:00+05:30"])
def test_typical_weather_serves_any_year(start, tmp_path):
    tree = pod_tree()
    tree["period"] = {"start": start, "duration": "2 d"}
    results = simulate(load_tree(tree, tmp_path))
    site = results.timeseries["site"]
    assert site["dry_bulb_c"].between(-30.0, 45.0).all()
    assert (site["wet_bulb_c"] <= site["dry_bulb_c"] + 1e-9).all()
    assert site["dry_bulb_c"].diff().abs().max() < 1.0
    assert results.info["weather_typical"]


def test_a_leap_day_repeats_the_day_before(tmp_path):
    tree = pod_tree()
    tree["period"] = {"start": "2028-02-28T05:00:00+00:00", "duration": "3 d"}
    dry_c = simulate(load_tree(tree, tmp_path)).timeseries["site"]["dry_bulb_c"].to_numpy()
    tree["period"]["start"] = "2027-02-28T05:00:00+00:00"
    common_c = simulate(load_tree(tree, tmp_path)).timeseries["site"]["dry_bulb_c"].to_numpy()
    np.testing.assert_allclose(dry_c[:1300], common_c[:1300])
    np.testing.assert_allclose(dry_c[2 * 1440 : 2 * 1440 + 1380], common_c[1440 : 1440 + 1380])


def test_a_site_with_nothing_to_do_idles(tmp_path):
    tree = pod_tree()
    tree["workloads"] = []
    results = simulate(load_tree(tree, tmp_path))
    hours = results.tables["hours"].groupby("category")["accelerator_hours"].sum()
    assert hours["idle"] + hours["down"] == pytest.approx(576.0 * 24.0)
    assert len(results.tables["jobs"]) == len(results.tables["pools"]) == 0
    assert max(balance.checks(results).values()) <= 1e-9


def test_hotter_coolant_costs_leakage_and_saves_nothing_in_the_racks(tmp_path):
    tree = pod_tree()
    cool = simulate(pod()).tables["energy"].set_index("element")["energy_j"]["it"]
    tree["topology"]["cooling"]["supply"] = "45 degC"
    warm = simulate(load_tree(tree, tmp_path)).tables["energy"].set_index("element")["energy_j"]["it"]
    chips = from_catalog.accelerator("GB300")
    extra_j = 576 * chips.leakage_w_per_k * 5.0 * 86_400.0
    assert warm - cool == pytest.approx(extra_j, rel=0.15)


def test_racks_are_recorded_on_request_and_agree_with_their_hall(tmp_path):
    tree = pod_tree()
    tree["record"] = {"racks": ["pod"]}
    series = simulate(load_tree(tree, tmp_path)).timeseries
    racks = series["rack"]
    assert list(racks) == ["time", "element", *SERIES["rack"]]
    assert racks["element"].nunique() == 8
    hourly_w = racks.groupby("time")["power_w"].sum().to_numpy()
    support_w = series["hall"]["it_w"].to_numpy() - hourly_w
    np.testing.assert_allclose(support_w, support_w[0], rtol=1e-9)
    assert support_w[0] > 0.0
