"""The optimal interval found by simulation against Daly's, and the fit against a known top."""

import math

import numpy as np
import pandas as pd
import pytest

from simulator.policies.checkpointing import INTERVALS
from simulator.reports import comparison, goodput
from simulator.studies import StudyError, clockwork
from simulator.studies import checkpoint_interval as study
from simulator.studies.clockwork import Practice

CASES = {  # mean time between failures, pause, restart
    "16,384 of RSC-1, saves to disk": (6490.4, 30.0, 600.0),
    "32,768 of RSC-1, saves in memory": (3245.2, 2.0, 120.0),
    "100,000 of RSC-1, saves to disk": (1063.4, 30.0, 600.0),
    "16,384 of Llama 3": (11_135.0, 3.0, 600.0),
    "a quiet fleet": (200_000.0, 60.0, 900.0),
}


@pytest.mark.parametrize("name", CASES)
def test_simulation_finds_dalys_interval(name):
    mttf_s, stall_s, restart_s = CASES[name]
    days = max(30.0, 300.0 * mttf_s / 86_400.0)
    table, best = study.study(Practice(mttf_s, 1.0, stall_s, restart_s), days)
    daly_s = INTERVALS["daly"](stall_s, mttf_s)
    assert best.interval_s == pytest.approx(daly_s, rel=0.02)
    assert best.low_s < best.interval_s < best.high_s < 1.1 * best.low_s
    assert best.ettr == pytest.approx(table["complete"].max(), abs=0.01)
    assert (table["ettr"] - table["complete"]).abs().max() < 0.01


def test_the_top_of_a_known_curve_is_found_exactly():
    tried_s = np.geomspace(50.0, 400.0, 9)
    ettr = 0.9 - 20.0 / tried_s - tried_s / 1000.0
    best = study.optimum(tried_s, np.tile(ettr, (3, 1)))
    assert best.interval_s == pytest.approx(math.sqrt(20_000.0))
    assert best.ettr == pytest.approx(0.9 - 2.0 * math.sqrt(0.02))
    assert best.low_s == pytest.approx(best.high_s)


def test_the_interval_of_the_top_holds_the_truth_as_often_as_it_says():
    draws, held = np.random.default_rng(6), []
    tried_s = np.geomspace(80.0, 250.0, 7)
    truth_s = math.sqrt(20_000.0)
    for _ in range(300):
        slope = 0.001 * draws.lognormal(0.0, 0.3, (25, 1)) / math.exp(0.045)
        luck = draws.normal(0.0, 0.02, (25, 1)) + draws.normal(0.0, 0.002, (25, 7))
        best = study.optimum(tried_s, 0.9 - 20.0 / tried_s - slope * tried_s + luck)
        held.append(best.low_s <= truth_s <= best.high_s)
    assert np.mean(held) == pytest.approx(0.95, abs=0.045)


def test_common_draws_resolve_what_separate_ones_do_not():
    practice, days, n = Practice(6490.4, 1.0, 30.0, 600.0), 10.0, 60
    tried_s = 604.0 * study.FACTORS
    shared = np.column_stack([
        clockwork.follow(practice.every(s), days, n)[0] for s in tried_s]) / (days * 86_400.0)
    apart = np.column_stack([
        clockwork.follow(practice.every(s), days, n, f"draw {s}")[0] for s in tried_s
    ]) / (days * 86_400.0)  # fmt: skip
    widths = []
    for ettr in (shared, apart):
        best = study.optimum(tried_s, ettr)
        widths.append(math.log(best.high_s / best.low_s))
    assert widths[0] < 0.4 * widths[1]


@pytest.mark.parametrize("slope", [0.0, -1e-3])
def test_a_curve_without_a_top_says_so(slope):
    tried_s = np.geomspace(50.0, 400.0, 9)
    with pytest.raises(StudyError, match="no top"):
        study.optimum(tried_s, np.tile(0.9 - 20.0 / tried_s - slope * tried_s, (3, 1)))


def test_too_few_intervals_and_one_replicate():
    with pytest.raises(StudyError, match="4 intervals or more"):
        study.optimum(np.array([1.0, 2.0, 3.0]), np.zeros((2, 3)))
    tried_s = np.geomspace(50.0, 400.0, 9)
    one = study.optimum(tried_s, (0.9 - 20.0 / tried_s - tried_s / 1000.0)[None, :])
    assert math.isnan(one.low_s) and one.interval_s == pytest.approx(math.sqrt(20_000.0))


def test_the_table_of_a_sweep_is_read():
    axis, kpi = "workloads.job.checkpoint.interval", "training.job.ettr"
    runs = pd.DataFrame({
        axis: ["2 min", "2 min", "1 h", "1 h", "1 h"], "replicate": [0, 1, 0, 1, 2],
        "status": ["done"] * 5, kpi: [0.9, 0.8, 0.7, 0.6, 0.5],
    })  # fmt: skip
    tried_s, ettr = study.of_runs(runs, axis, kpi)
    assert tried_s.tolist() == [120.0, 3600.0]
    assert ettr.tolist() == [[0.9, 0.7], [0.8, 0.6]]  # the third replicate is not whole
    with pytest.raises(StudyError, match="no replicate"):
        study.of_runs(runs.assign(status="failed"), axis, kpi)


def test_the_page_says_where_the_top_is(tmp_path):
    mttf_s, stall_s, restart_s = CASES["16,384 of Llama 3"]
    table, best = study.study(Practice(mttf_s, 1.0, stall_s, restart_s), 30.0, 100)
    daly_s = INTERVALS["daly"](stall_s, mttf_s)
    page = goodput.interval_page(table, (best.interval_s, best.low_s, best.high_s), daly_s)
    assert "keeps most work" in page.title and "Daly's" in page.title
    assert [p.name for p in comparison.write(page, tmp_path)] == [
        "checkpoint-interval.png", "checkpoint-interval.csv"]
