"""The fleet's hazards: every unit of every population once, and failures at their rates."""

import numpy as np
import pytest
from scipy import stats
from small import load_tree, pod_site, pod_tree

from simulator import simulation
from simulator.components import from_catalog
from simulator.components.failure_class import FailureClass
from simulator.engine import hazards, populations
from simulator.simulation import simulate

YEAR_S = 31_557_600.0
POPULATIONS = {
    "accelerator": 576, "server": 8 * 18, "rack": 8, "hall": 1, "line": 2,
    "block": 2 + 2,  # two of accelerators, and the two sides of the support racks
    "transformer": 2, "liquid_plant_unit": 3, "air_plant_unit": 2, "hall_group": 1,
    "liquid_plant_fan": 3 * 16, "air_plant_fan": 2 * 2, "coolant_unit": 2, "coolant_pump": 4,
    "feeder": 2, "ups_module": 2 * 5, "generator": 1,
}


def a_class(per, effect="interrupt", rate="1 /year", **figures):
    figures = {"repair": "1 h"} | figures
    return FailureClass(name=f"of {per}", per=per, rate=rate, effect=effect, **figures)


@pytest.mark.parametrize(("per", "units"), POPULATIONS.items())
def test_every_unit_of_a_population_counts_once(per, units):
    fleet = hazards.build(pod_site(), (a_class(per),))
    assert fleet.hazards.rate_s.sum() * YEAR_S == pytest.approx(units)
    assert np.all((fleet.hazards.rack >= 0) == (per in populations.ON_RACKS))


@pytest.mark.parametrize(("per", "units"), [
    ("optic", 4 * 576), ("leaf_switch", 8), ("spine_switch", 4), ("core_switch", 0), ("uplink", 576)])
def test_network_parts_are_those_of_the_fabric(per, units):
    """The pod's 576 ports hang on 8 leaves of 72 + 72 under 4 spines."""
    fleet = hazards.build(pod_site(), (a_class(per), a_class("rack")))
    mine = fleet.hazards.cls == 0
    assert fleet.hazards.rate_s[mine].sum() * YEAR_S == pytest.approx(units)


def test_no_two_entities_share_a_stream():
    classes = from_catalog.failure_classes("hyperscale")
    fleet = hazards.build(pod_site(), classes).hazards
    assert len(set(zip(fleet.word, fleet.unit, strict=True))) == fleet.unit.size
    absent = {i for i, cls in enumerate(classes) if cls.per == "core_switch"}
    assert set(fleet.cls) == set(range(len(classes))) - absent


def test_a_fleet_without_failures_is_empty_and_runs(tmp_path):
    tree = pod_tree()
    tree["reliability"] = {"rate_scale": 0}
    assert len(simulate(load_tree(tree, tmp_path)).events) == 0


@pytest.fixture(scope="module")
def struck(tmp_path_factory):
    """Twenty days of two classes at high rates, without heat or age."""
    classes = (
        a_class("server", "server", "1 /h", transient=0.4, reset="6 min", repair="30 min",
                repair_spread=0.5),
        a_class("rack", "interrupt", "2 /h"),
        a_class("line", "line", "0.01 /h", repair="10 min", repair_spread=0.0),
    )
    classes = tuple(c.model_copy(update={"rate": c.rate / 20}) for c in classes)
    tree = pod_tree()
    tree["workloads"] = []
    tree["period"]["duration"] = "20 d"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulation, "_failure_classes", lambda scenario: classes)
        return simulate(load_tree(tree, tmp_path_factory.mktemp("struck")))


def of(results, cause):
    rows = results.events[results.events["kind"] == "failure"]
    return rows[rows["cause"] == cause]


@pytest.mark.parametrize(("cause", "expected"), [("of server", 144 / 20), ("of rack", 8 / 10)])
def test_failures_come_at_their_rates(struck, cause, expected):
    """Servers that are out do not fail: a few percent of the time of this fleet."""
    hours, rows = 480.0, of(struck, cause)
    up = 1.0 - struck.tables["hours"].query("category == 'down'")["accelerator_hours"].sum() / (
        576 * hours)
    assert up > 0.9
    mean = expected * hours * up
    assert len(rows) == pytest.approx(mean, abs=4 * mean**0.5)
    start = struck.timeseries["site"]["time"].iloc[0]
    per_day = rows.groupby((rows["time"] - start).dt.days).size()
    assert per_day.var() / per_day.mean() == pytest.approx(1.0, abs=1.2)


def test_repairs_are_lognormal_and_resets_fixed(struck):
    rows = of(struck, "of server")
    reset = rows["detail"] == "reset"
    assert reset.mean() == pytest.approx(0.4, abs=4 * (0.24 / len(rows)) ** 0.5)
    assert np.all(rows.loc[reset, "duration_s"] == 360.0)
    log = np.log(rows.loc[~reset, "duration_s"] / 1800.0)
    assert stats.kstest(log, "norm", args=(0.0, 0.5)).pvalue > 0.01


def test_racks_fail_evenly(struck):
    counts = of(struck, "of server")["element"].value_counts()
    assert len(counts) == 8
    assert stats.chisquare(counts).pvalue > 0.01


def test_down_time_is_the_sum_of_repairs(struck):
    rows = of(struck, "of server")
    down = struck.tables["hours"].query("category == 'down'")["accelerator_hours"].sum()
    assert down == pytest.approx(4.0 * rows["duration_s"].sum() / 3600.0, rel=0.02)


@pytest.mark.parametrize(("shape", "age", "factor"), [(2.0, "2 year", 2.0), (0.5, "4 year", 0.5),
                                                      (1.0, "9 year", 1.0)])
def test_age_multiplies_the_rate(shape, age, factor, tmp_path, monkeypatch):
    aged = a_class("accelerator", rate="0.05 /h", shape=shape, age_reference="1 year")
    monkeypatch.setattr(simulation, "_failure_classes", lambda scenario: (aged,))
    tree = pod_tree()
    tree["workloads"], tree["reliability"] = [], {"age": age}
    found = len(simulate(load_tree(tree, tmp_path)).events)
    mean = 576 * 0.05 * 24 * factor
    assert found == pytest.approx(mean, abs=4 * mean**0.5)
