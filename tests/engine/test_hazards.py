"""The fleet's hazards: every unit of every population once, and failures at their rates."""

import numpy as np
import pytest
from scipy import stats
from small import Bench, Load, load_tree, pod_site, pod_tree, resting

from simulator import simulation
from simulator.components import from_catalog
from simulator.components.failure_class import FailureClass
from simulator.engine import effects, hazards, populations
from simulator.simulation import simulate
from simulator.site import compile_site

YEAR_S = 31_557_600.0
POPULATIONS = {
    "accelerator": 576, "server": 8 * 18, "rack": 8, "hall": 1, "line": 2,
    "block": 2 + 2,  # two of accelerators, and the two sides of the support racks
    "transformer": 2, "liquid_plant_unit": 3, "air_plant_unit": 2, "hall_group": 1,
    "liquid_plant_fan": 3 * 16, "air_plant_fan": 2 * 2, "coolant_unit": 2, "coolant_pump": 4,
    "feeder": 2, "ups_module": (2 + 1) * 5, "generator": 1, "substation": 2 + 2, "busway": 2 + 2,
}
NOT_BUILT = (
    "core_switch", "mv_section", "transfer_switch", "mv_bus", "mv_branch", "mv_branch_breaker",
    "battery_unit", "rack_battery",
)
"""Populations that the pod does not have."""


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
    absent = {i for i, cls in enumerate(classes) if cls.per in NOT_BUILT or cls.rate == 0.0}
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


def hazards_of(site, *classes, age_s=0.0):
    fleet = hazards.build(site, classes, age_s)
    return fleet, fleet.hazards


@pytest.mark.parametrize("beta", [0.0, 0.05, 1.0])
@pytest.mark.parametrize(("per", "group"), [("ups_module", 5), ("line", 2), ("coolant_pump", 2)])
def test_the_beta_factor_keeps_the_rate_of_a_unit_and_of_its_group(beta, per, group):
    """A unit fails, alone or with its group, at the class's rate; the group at beta times it."""
    fleet, columns = hazards_of(pod_site(), a_class(per, common_cause=beta))
    each, common = columns.rate_s * YEAR_S, fleet.common
    np.testing.assert_allclose(each * (1 - common) + group * each * common, 1.0)
    np.testing.assert_allclose(group * each * common, beta)
    assert np.all(np.bincount(fleet.group) == group)


def test_halls_may_be_older_than_the_rest(tmp_path):
    tree = pod_tree()
    tree["topology"]["halls"][0]["age"] = "6 year"
    site = compile_site(load_tree(tree, tmp_path).spec.topology)
    for per, years in (("accelerator", 6), ("block", 6), ("leaf_switch", 6), ("line", 2), ("generator", 2)):
        _, columns = hazards_of(site, a_class(per, infant=3.0, infant_decay="1 year"), age_s=2 * YEAR_S)
        np.testing.assert_allclose(columns.born_s, -years * YEAR_S)
        np.testing.assert_allclose(columns.fresh, np.exp(-float(years)))


@pytest.mark.parametrize(("temperature", "first"), [("junction", 0), ("air", 8), ("coolant", 9)])
def test_a_class_watches_the_temperature_it_names(temperature, first):
    _, columns = hazards_of(pod_site(), a_class("optic", doubling="10 K", temperature=temperature))
    state = resting(pod_site())
    state.racks.junction_c[:], state.hall_air_c[:], state.blocks.coolant_c[:] = 70.0, 25.0, 40.0
    read_c = hazards.temperatures_c(state)[columns.sensor]
    assert columns.sensor[0] == first
    assert set(read_c) == {{"junction": 70.0, "air": 25.0, "coolant": 40.0}[temperature]}
    assert np.all(hazards_of(pod_site(), a_class("optic"))[1].sensor == -1)


def fleet_run(folder, monkeypatch, classes, changes=None, days=20):
    monkeypatch.setattr(simulation, "_failure_classes", lambda scenario: classes)
    tree = pod_tree()
    tree["workloads"] = []
    tree["period"]["duration"] = f"{days} d"
    tree["topology"] |= changes or {}
    return simulate(load_tree(tree, folder))


def test_a_single_unit_is_as_good_as_new_after_a_repair(tmp_path, monkeypatch):
    """Wear-out with renewal: times between failures are Weibull, not those of an ageing process."""
    worn = a_class("generator", "generator", rate="0.075 /h", shape=3.0, age_reference="40 h",
                   repair="1 min", repair_spread=0.0)  # scale 40 h
    plant = {"generators": {"count": 60, "rating": "10 kW", "start": "10 s"}}
    monkeypatch.setattr(simulation, "_failure_classes", lambda scenario: (worn,))
    tree = pod_tree()
    tree["workloads"], tree["reliability"] = [], {"age": "0 s"}
    tree["period"]["duration"] = "20 d"
    tree["topology"] |= plant
    rows = of(simulate(load_tree(tree, tmp_path)), "of generator")
    start = rows["time"].min()
    hours = (rows["time"] - start).dt.total_seconds() / 3600.0
    gaps = np.concatenate([np.diff(np.sort(hours[rows["element"] == e])) for e in set(rows["element"])])
    early = gaps[gaps < 100.0]
    assert len(early) > 500
    # Gaps that end within twenty days: the longest are cut off, a few percent.
    assert stats.kstest(early, stats.weibull_min(3.0, scale=40.0).cdf).statistic < 0.06


def test_a_common_cause_strikes_every_unit_at_once(tmp_path, monkeypatch):
    shared = a_class("ups_module", "ups", rate="0.02 /h", common_cause=0.2, repair="30 min",
                     repair_spread=0.0)
    rows = of(fleet_run(tmp_path, monkeypatch, (shared,)), "of ups_module")
    together = rows[rows["detail"].str.contains("common cause")]
    whole = together.groupby("time").size()
    assert len(whole) == pytest.approx(2 * 0.2 * 0.02 * 480, abs=4 * 2.0)
    assert whole.max() == 5 and np.mean(whole == 5) > 0.7  # some are hit while under repair
    assert len(rows) == pytest.approx(10 * 0.02 * 480, abs=4 * (10 * 0.02 * 480 * 2) ** 0.5)


@pytest.mark.parametrize("infant", [0.0, 20.0])
def test_replaced_units_bring_their_infancy(infant, tmp_path, monkeypatch):
    """Each failure of a server adds infant x decay x rate of its own: a branching of mean b < 1."""
    hourly, decay_h = 0.004, 10.0
    cls = a_class("server", "server", rate=f"{hourly} /h", repair="1 min", repair_spread=0.0,
                  infant=infant, infant_decay=f"{decay_h} h")
    rows = of(fleet_run(tmp_path, monkeypatch, (cls,), days=40), "of server")
    branching = hourly * infant * decay_h
    mean = 144 * hourly * 960 / (1.0 - branching)
    # A window passes before a new unit counts, of a decay of ten hours.
    assert len(rows) == pytest.approx(mean, abs=5 * mean**0.5 / (1.0 - branching) + 0.12 * (mean * branching))


def test_a_fan_takes_its_share_of_a_unit_and_a_support_server_its_own(tmp_path, monkeypatch):
    bench = Bench(load_tree(pod_tree(), tmp_path), (Load("job", "training", 0),))
    loop = next(i for i, one in enumerate(bench.site.loops) if one.kind == "warm")
    before = float(bench.state.loops.units_up[loop])
    for effect, per in (("plant_fan", "liquid_plant_fan"), ("support", "support_server")):
        bench.at(60.0, lambda e=effect, p=per: effects.EFFECTS[e](
            bench.world, a_class(p, e), loop if e == "plant_fan" else 0, 0, 600.0))
    bench.run(120.0)
    assert bench.state.loops.units_up[loop] == pytest.approx(before - 1 / 16)
    assert bench.state.support_down[0] == 1.0
    bench.run(720.0)
    assert bench.state.loops.units_up[loop] == before
    assert bench.state.support_down.sum() == 0.0
