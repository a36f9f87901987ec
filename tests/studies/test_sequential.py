"""Replicates until intervals are narrow enough: how many, whoever makes them, and what is told."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simulator import scenario
from simulator.errors import ScenarioError
from simulator.metrics import intervals, kpis
from simulator.scenario.replicates import ReplicateRule
from simulator.studies import StudyError, designs, enough, run, sequential, sweep
from simulator.studies.sequential import Width, following, widths
from simulator.studies.sweep_folder import SweepFolder

POD = Path(__file__).parents[2] / "scenarios" / "pod.yaml"
KPI = "inference.llama-3.1-70b.requests"
SWEEP = f"""\
scenario: {POD}
fixed: {{period.duration: 1 h}}
axes:
  workloads.llama-3.1-70b.demand.variability: [1 %, 60 %]
replicates: {{min: 3, max: 7, until: {{{KPI}: 10 % of mean}}}}
"""


def rule(until=None, **more):
    return ReplicateRule.model_validate({"min": 10, "max": 1000, "until": until or {"x": "1"}} | more)


def reached(half, target=1.0):
    return [Width("x", "1", half, target, "1")]


def test_the_next_batch_is_what_the_width_promises_at_most_as_many_again():
    assert following(rule(), 10, reached(0.9)) == 10
    assert following(rule(), 10, reached(1.3)) == 17  # 10 x 1.3^2
    assert following(rule(), 10, reached(9.0)) == 20
    assert following(rule(), 100, reached(1.01)) == 125  # no look for one more replicate
    assert following(rule(max=110), 100, reached(5.0)) == 110
    assert following(rule(max=100), 100, reached(5.0)) == 100
    assert following(rule(), 10, [*reached(0.5), *reached(1.3)]) == 17


def test_half_widths_are_those_of_student_with_the_confidence_asked():
    values = {"x": [1.0, 2.0, 4.0, None, 3.0]}
    for confidence in (0.8, 0.95):
        (found,) = widths(rule(confidence=confidence), values, {"x": "MW"})
        low, high = intervals.of_mean([1.0, 2.0, 4.0, 3.0], confidence)
        assert found.half_width == pytest.approx(0.5 * (high - low))
    assert found.target == 1.0 and "not met" in str(found)


@pytest.mark.parametrize(
    ("text", "unit", "target"),
    [("500 kW", "MW", 0.5), ("0.5", "MW", 0.5), ("2 K", "degC", 2.0), ("1 %", "1", 0.01), ("10 % of mean", "MW", 0.25)],
)
def test_half_widths_are_read_in_the_indicators_unit(text, unit, target):
    (found,) = widths(rule({"x": text}), {"x": [2.0, 3.0]}, {"x": unit})
    assert found.target == pytest.approx(target)


@pytest.mark.parametrize(
    ("until", "unit", "told"),
    [
        ({"y": "1"}, "1", "no KPI 'y'"),
        ({"x": "1"}, "ISO date", "x is a date and has no mean"),
        ({"x": "1 kg"}, "MW", "x: "),
        ({"x": "0 MW"}, "MW", "never reached"),
    ],
)
def test_what_cannot_be_reached_is_refused(until, unit, told):
    with pytest.raises(StudyError, match=told):
        widths(rule(until), {"x": [1.0, 2.0], "y": [1.0, 2.0]}, {"x": unit})


def test_intervals_hold_the_mean_nearly_as_often_as_without_stopping():
    """Looking several times costs little with batches that grow: measured 94.6 % of 2000."""
    draws = np.random.default_rng(5)
    asked, held = rule({"x": 0.3}), 0
    for _ in range(2000):
        values, count = draws.normal(size=1000), 10
        while True:
            (found,) = widths(asked, {"x": list(values[:count])}, {"x": "1"})
            wanted = following(asked, count, [found])
            if wanted == count:
                break
            count = wanted
        assert found.met
        held += abs(values[:count].mean()) <= found.half_width
    assert 0.92 <= held / 2000 <= 0.96


def test_a_run_makes_as_many_as_it_takes_on_any_number_of_workers():
    told = {"min": 3, "max": 12, "until": {KPI: "5 % of mean"}}
    given = scenario.load(POD, [("period.duration", "1 h"), ("replicates", told)])
    one, two = run.run(given), run.run(given, n_jobs=2)
    assert 3 < len(one) == len(two) < 12
    assert kpis.dumps(kpis.summary(one)) == kpis.dumps(kpis.summary(two))
    summary = kpis.summary(one)
    low, high = summary["kpis"][KPI]["ci95"]["value"]
    (found,) = summary["replicates"]["stopping"]
    assert found["met"] and found["half_width"] == pytest.approx(0.5 * (high - low), rel=1e-9)
    assert found["half_width"] <= 0.05 * summary["kpis"][KPI]["value"]
    assert len(run.run(given, replicates=2)) == 2


def test_names_with_dots_are_names_wherever_a_rule_is_written():
    told = {"until": {"fleet.hours.useful": "1 % of mean", "power.poi_peak": "5 kW"}}
    given = scenario.load(POD, [("replicates", told)])
    assert set(given.spec.replicates.until) == {"fleet.hours.useful", "power.poi_peak"}


def test_a_run_that_was_stopped_goes_on_to_the_same_number(tmp_path):
    told = {"min": 3, "max": 12, "until": {KPI: "5 % of mean"}}
    given = scenario.load(POD, [("period.duration", "1 h"), ("replicates", told)])

    def stop(done_s):
        if done_s >= 4 * 3600.0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.run(given, progress=stop, keep=tmp_path / "keep")
    assert len(list((tmp_path / "keep").iterdir())) == 4
    again = run.run(given, keep=tmp_path / "keep")
    assert kpis.dumps(kpis.summary(again)) == kpis.dumps(kpis.summary(run.run(given)))


def carried_out(plan, folder, n_jobs=1, part=None):
    kept = SweepFolder(folder, plan)
    kept.open(resume=True)
    mine = set(sweep.shard(plan.tasks, part, whole=True))
    while True:
        finished = kept.finished()
        left = [t for t in enough.needed(plan, kept.records()) if t in mine and t.identity not in finished]
        if not left:
            return kept.assemble()
        for identity, record in sweep.execute(plan, left, n_jobs):
            kept.keep(identity, record)


def test_each_design_of_a_sweep_takes_its_own_number(tmp_path):
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    plan = designs.from_file(tmp_path / "sweep.yaml")
    table = carried_out(plan, tmp_path / "one")
    counts = list(table.groupby("design").size())
    assert counts[0] == 3 and counts[1] == 7
    reached = pd.read_parquet(tmp_path / "one" / "replicates.parquet").set_index("design")
    assert list(reached["replicates"]) == counts and list(reached["met"]) == [True, False]
    alone = (tmp_path / "one" / "runs.parquet").read_bytes()
    carried_out(plan, tmp_path / "two", n_jobs=2)
    assert (tmp_path / "two" / "runs.parquet").read_bytes() == alone
    partly = carried_out(plan, tmp_path / "parts", part="2/2")
    assert set(partly.loc[partly["status"] == "pending", "design"]) == {0}
    carried_out(plan, tmp_path / "parts", part="1/2")
    assert (tmp_path / "parts" / "runs.parquet").read_bytes() == alone


def test_another_rule_goes_on_in_the_same_folder(tmp_path):
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    first = designs.from_file(tmp_path / "sweep.yaml")
    carried_out(first, tmp_path / "out")
    (tmp_path / "sweep.yaml").write_text(SWEEP.replace("10 %", "1 %"))
    SweepFolder(tmp_path / "out", designs.from_file(tmp_path / "sweep.yaml")).open(resume=True)
    asked = designs.from_file(tmp_path / "sweep.yaml", until=[f"{KPI} ± 50 % of mean"])
    assert asked.rule.until == {KPI: "50 % of mean"} and asked.rule.max == 7


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ("{min: 3, until: {}}", "must not be empty"),
        ("{min: 3, max: 2, until: {x: 1}}", "max 2 is below min 3"),
        ("{min: 1, until: {x: 1}}", "'1' is out of range: must be 2 or more"),
        ("{until: {x: 1}, most: 9}", "unknown key 'most'"),
        ("0", "'0' is out of range: must be 1 or more"),
        ("many", "must be a whole number, not 'many'"),
    ],
)
def test_a_rule_is_strict(tmp_path, new, told):
    text = SWEEP[: SWEEP.index("replicates:")] + f"replicates: {new}\n"
    (tmp_path / "sweep.yaml").write_text(text)
    with pytest.raises(ScenarioError, match=told):
        designs.from_file(tmp_path / "sweep.yaml")


def test_half_widths_on_the_command_line():
    assert sequential.asked(["a ± 1 MW", "b +- 2 %"], 5) == {
        "max": 5, "min": 5, "until": {"a": "1 MW", "b": "2 %"},
    }  # fmt: skip
    for text in ("a", "± 3", "a ±"):
        with pytest.raises(StudyError, match="write KPI ± X"):
            sequential.asked([text], None)
