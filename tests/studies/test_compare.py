"""Paired differences of two runs, from their results and from their folders."""

import dataclasses
import json
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import simulator as gw
from simulator.metrics import kpis
from simulator.reports import comparison as drawing
from simulator.studies import StudyError, changes, preference
from simulator.studies import compare as study
from simulator.studies.compare import EQUAL, FIXED, HIGHER, LOWER, UNRESOLVED

WARM = {"topology.cooling.supply": "44 degC"}


@pytest.fixture(scope="module")
def runs():
    plan = gw.Scenario.from_yaml("scenarios/pod.yaml").with_(
        {"period.duration": "6 h", "reliability.rate_scale": 50}
    )
    return plan.run(replicates=3), plan.with_(WARM).run(replicates=3)


@pytest.fixture(scope="module")
def folders(runs, tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    return tuple(run.save(root / name, report=False) for name, run in zip("ab", runs, strict=True))


def row(a, b, unit="1", name="power.poi_mean"):
    start = pd.Timestamp("2027-01-01", tz="UTC")
    return study._row(name, unit, study._numbers(a, unit, start), study._numbers(b, unit, start))


def test_a_run_does_not_differ_from_itself(runs):
    table = gw.compare(runs[0], runs[0]).set_index("kpi")
    assert (table["difference"] == 0.0).all()
    assert (table["b_larger"] == 0.5).all()
    assert (table["verdict"] == EQUAL).all()


def test_warmer_coolant_is_hotter_in_every_replicate(runs):
    found = gw.compare(*runs).set_index("kpi").loc["thermal.coolant_supply_max"]
    assert found["unit"] == "degC" and found["n"] == 3 and found["b_larger"] == 1.0
    assert found["difference"] == pytest.approx(4.0, abs=0.5)
    assert found["low"] <= found["difference"] <= found["high"]
    assert found["verdict"] == HIGHER and math.isnan(found["b_better"])


def test_the_other_way_round_is_the_mirror(runs):
    there, back = (gw.compare(*pair).set_index("kpi") for pair in (runs, runs[::-1]))
    for column, mirrored in (("difference", "difference"), ("low", "high")):
        assert np.allclose(there[column], -back[mirrored], rtol=1e-12)
    assert np.allclose(there["b_larger"], 1.0 - back["b_larger"])
    swapped = {HIGHER: LOWER, LOWER: HIGHER}
    assert there["verdict"].tolist() == [swapped.get(v, v) for v in back["verdict"]]


def test_one_replicate_has_no_interval_and_unequal_runs_pair_what_they_share(runs):
    one = gw.Scenario.from_yaml("scenarios/pod.yaml").with_({"period.duration": "6 h"}).run()
    assert math.isnan(gw.compare(one, one).loc[0, "low"])
    assert gw.compare(one, runs[0])["n"].max() == 1
    later = [dataclasses.replace(r, info=r.info | {"replicate": 7}) for r in one.results]
    with pytest.raises(StudyError, match="no replicate in common"):
        study.compare(later, runs[0].results)


@pytest.mark.parametrize("count", [1, 3])
def test_what_the_inputs_fix_is_no_question_of_luck(count):
    found = row([576.0] * count, [648.0] * count, name="site.accelerators_installed")
    assert found["verdict"] == FIXED and found["difference"] == 72.0 and math.isnan(found["needed"])
    assert row([576.0] * count, [576.0] * count, name="site.accelerators_installed")["verdict"] == EQUAL
    told = drawing.title(pd.DataFrame([found]), ("a", "b"))
    assert "0 differences are not resolved" in told and "better than a in 0" in told


def test_the_interval_is_that_of_the_paired_t_test():
    draws = np.random.default_rng(4)
    luck = draws.normal(0.0, 5.0, 20)
    a, b = 100.0 + luck, 100.5 + luck + draws.normal(0.0, 0.5, 20)
    found = row(list(a), list(b))
    expected = stats.ttest_rel(b, a).confidence_interval(0.95)
    assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high))
    assert found["verdict"] == HIGHER
    assert found["paired_gain"] > 50.0  # what the common draws are worth here
    alone = stats.ttest_ind(b, a).confidence_interval(0.95)
    assert alone.low < 0.0 < alone.high  # unpaired, nothing could be told


def test_a_difference_that_luck_could_make_is_not_resolved_and_says_what_would():
    draws = np.random.default_rng(1)
    a = draws.normal(10.0, 1.0, 12)
    found = row(list(a), list(a + draws.normal(0.1, 1.0, 12)))
    assert found["low"] < 0.0 < found["high"] and found["verdict"] == UNRESOLVED
    assert found["needed"] > 12


def test_the_interval_holds_the_true_difference_as_often_as_it_says():
    draws = np.random.default_rng(8)
    luck, noise = draws.exponential(3.0, (800, 1, 16)), draws.normal(0.0, 1.0, (800, 1, 16))
    held = [
        (found := row(list(a[0]), list(a[0] + 0.4 + e[0])))["low"] <= 0.4 <= found["high"]
        for a, e in zip(luck, noise, strict=True)
    ]
    assert np.mean(held) == pytest.approx(0.95, abs=3.0 * math.sqrt(0.95 * 0.05 / 800))


def test_less_is_better_for_costs_and_more_for_goodput():
    cheaper = row([5.0] * 9 + [4.0], [4.0] * 9 + [5.0], name="cost.energy")
    assert cheaper["b_better"] == pytest.approx(0.9) and cheaper["b_larger"] == pytest.approx(0.1)
    exact = stats.binomtest(9, 10).proportion_ci(0.95, "exact")
    assert (cheaper["b_better_low"], cheaper["b_better_high"]) == pytest.approx((exact.low, exact.high))
    better = row([0.5, 0.6], [0.7, 0.8], name="training.run.ettr")
    assert better["b_better"] == 1.0


@pytest.mark.parametrize(("kpi", "side"), [
    ("power.poi_peak", -1), ("power.poi_peak_1min", -1), ("fleet.hours.lost_rework", -1),
    ("fleet.hours.useful", 1), ("fleet.GB300.utilization", 1), ("training.run.finish_time", -1),
    ("inference.chat.slo_attainment", 1), ("site.accelerators_installed", 0), ("energy.poi", 0),
])  # fmt: skip
def test_which_side_is_better(kpi, side):
    assert preference.wanted(kpi) == side


def test_more_of_an_amount_for_more_work_is_neither_better_nor_worse():
    spread = [0.0, 0.01, 0.02, 0.03]

    def judged(useful, cost):
        base = [100.0 + s for s in spread]
        each = "cost.energy_per_useful_accelerator_hour"
        pairs = (("fleet.hours.useful", useful), ("cost.energy", cost), (each, cost))
        rows = [row(base, [v + by for v in base], name=name) for name, by in pairs]
        return pd.DataFrame(study._judged(rows)).set_index("kpi")

    larger = judged(10.0, 5.0)
    assert larger.loc["cost.energy", "better_side"] == 0 and math.isnan(larger.loc["cost.energy", "b_better"])
    assert larger.loc["cost.energy_per_useful_accelerator_hour", "better_side"] == -1
    assert [drawing._side(r) for _, r in larger.iterrows()] == [1, 0, -1]
    dearer, cheaper, leaner = judged(0.0, 5.0), judged(10.0, -5.0), judged(-10.0, -5.0)
    assert [drawing._side(t.loc["cost.energy"]) for t in (dearer, cheaper, leaner)] == [-1, 1, 0]


def test_dates_differ_in_days_and_an_unfinished_job_is_later_than_any():
    a = ["2027-01-11T00:00:00+00:00", "2027-01-12T00:00:00+00:00"]
    b = ["2027-01-09T00:00:00+00:00", "2027-01-09T12:00:00+00:00"]
    sooner = row(a, b, "ISO date", "training.run.finish_time")
    assert sooner["unit"] == "d" and sooner["difference"] == pytest.approx(-2.25)
    assert sooner["b_better"] == 1.0
    late = row(a, [b[0], None], "ISO date", "training.run.finish_time")
    assert late["b_better"] == 0.5 and math.isnan(late["difference"])
    assert late["verdict"] == UNRESOLVED
    never = row([None, None], [None, None], "ISO date", "training.run.finish_time")
    assert never["b_better"] == 0.5


def test_pairs_without_a_value_are_left_out():
    found = row([3.0, None, 5.0], [4.0, 9.0, 6.0], name="training.run.mttf")
    assert found["n"] == 2 and found["difference"] == 1.0
    assert row([None], [1.0]) is None


def test_a_cause_that_struck_one_replicate_only_counts_as_zero_in_the_others(runs):
    values, _ = kpis.by_replicate(runs[0].results)
    rare = [name for name, v in values.items() if name.startswith("failures.") and 0.0 in v]
    assert rare  # at these rates some class spares a replicate
    assert set(rare) <= set(gw.compare(*runs)["kpi"])


# From folders alone


def test_folders_give_the_same_table_and_what_changed(runs, folders):
    found = study.of_folders(*folders)
    pd.testing.assert_frame_equal(found.table, gw.compare(*runs))
    assert found.inputs.to_dict("records") == [
        {"path": "topology.cooling.supply", "a": "40 degC", "b": "44 degC"}
    ]
    assert any("not resolvable with 3 replicates: P10" in text for text in found.notes)
    assert any("P50 (a 95 % interval takes at least 6 replicates)" in text for text in found.notes)


def test_a_folder_without_its_document_is_refused(folders, tmp_path):
    with pytest.raises(StudyError, match="not a run folder"):
        study.of_folders(folders[0], tmp_path)


def test_figures_are_compared_by_value_and_lists_by_name(tmp_path):
    trees = {
        "a": "x: {value: 3 kW, source: s}\nhalls:\n- {name: one, count: 4}\n- {name: two, count: 1}\n",
        "b": "x: {value: 3 kW, source: t}\nhalls:\n- {name: two, count: 2}\n- {name: new, count: 1}\n",
    }
    for name, text in trees.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / changes.RESOLVED).write_text(text)
        entry = {"kind": "weather", "path": "year.epw", "sha256": f"{name}123"}
        (tmp_path / name / "manifest.json").write_text(json.dumps({"inputs": [entry]}))
    found = changes.changed(tmp_path / "a", tmp_path / "b").set_index("path")
    assert found.loc["halls.two.count"].tolist() == ["1", "2"]
    assert found.loc["halls.one.count"].tolist() == ["4", ""]
    assert found.loc["halls.new.count"].tolist() == ["", "1"]
    assert found.loc["inputs.year.epw"].tolist() == ["a123", "b123"]
    assert "x" not in found.index


@pytest.mark.parametrize("change", [{"seed": 9}, {"version": "0"}])
def test_what_weakens_the_pairing_is_said(runs, change):
    others = [dataclasses.replace(r, info=r.info | change) for r in runs[0].results]
    notes = study._notes(runs[0].results, others, pd.DataFrame())
    assert any(next(iter(change)) in text for text in notes)
    assert "the resolved inputs do not differ" in notes


# The figure


def test_the_forest_shows_percent_of_a_and_no_temperatures(runs):
    table = gw.compare(*runs)
    data = drawing.shown(table).set_index("kpi")
    assert "thermal.coolant_supply_max" not in data.index
    peak = table.set_index("kpi").loc["power.poi_peak"]
    assert data.loc["power.poi_peak", "difference_pct"] == pytest.approx(
        100.0 * peak["difference"] / peak["a"])
    assert data.loc["power.poi_peak", "side"] == -1  # a higher peak is worse
    assert data.loc["cooling.wue", "side"] == 1
    assert len(data) <= drawing.MOST_ROWS
    assert (data["difference_pct"] != 0.0).all()


def test_the_title_counts_what_the_table_holds(runs):
    table = gw.compare(*runs)
    told = drawing.title(table, ("cool", "warm"))
    assert told.startswith("warm is better than cool in ")
    assert f"{(table['verdict'] == UNRESOLVED).sum()} differences are not resolved with 3" in told


def test_the_page_is_drawn_with_its_data(runs, tmp_path):
    page = drawing.page(gw.compare(*runs), ("a", "b"), ("one pair: no interval",))
    written = drawing.write(page, tmp_path)
    assert [p.name for p in written] == ["forest.png", "forest.csv"]
    assert written[0].stat().st_size > 10_000
    assert page.text[0].text == "One pair: no interval."


def test_runs_that_do_not_differ_can_still_be_drawn(runs, tmp_path):
    page = drawing.page(gw.compare(runs[0], runs[0]), ("a", "a"))
    assert drawing.write(page, tmp_path)[0].is_file()
    assert "better than a in 0 indicators, worse in 0" in page.title


def test_rounding_is_no_difference():
    x = np.array([3.0, 5.0])
    row = study._row("training.pretrain.step_time", "s", x, x * (1.0 + 3e-16))
    assert (row["verdict"], row["difference"], row["b_better"]) == (EQUAL, 0.0, 0.5)
    never = np.array([np.inf, np.inf])
    assert study._row("training.pretrain.finish_time", "ISO date", never, never)["verdict"] == EQUAL
