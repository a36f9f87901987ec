"""Windows of a run at 10 ms: on the plan's minutes exactly, and made of what the job really does."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from small import load_tree, pod_tree

from simulator.components import from_catalog
from simulator.components.parallel_plan import ParallelPlan
from simulator.simulation import observe, simulate
from simulator.workloads import waveform_limits
from simulator.workloads.step import JobStep, Phase
from simulator.workloads.step_rhythm import rhythm
from simulator.workloads.waveform import Waveform
from simulator.workloads.waveform_power import SAMPLES, even

CHIPS = 144


def tree_of(**changes):
    tree = pod_tree()
    tree["topology"]["halls"][0] |= {"blocks": 1, "racks_per_block": 2, "support": []}
    tree["workloads"] = [{
        "kind": "training", "name": "job", "model": "llama-3.1-70b", "accelerator": "GB300",
        "accelerators": CHIPS, "tokens": 1e15,
        "plan": {"tp": 4, "pp": 2, "global_batch_sequences": 288, "sequence_length": 8192},
        "checkpoint": {"policy": "fixed", "interval": "10 min", "stall": "6 s", "restart": "5 min"},
    } | changes.pop("job", {})]  # fmt: skip
    tree["reliability"] = {"rate_scale": 0}
    tree["period"]["duration"] = "1 h"
    return tree | changes


def windows(given, minute, **more):
    at = given.spec.period.start + timedelta(minutes=minute)
    return Waveform.model_validate({"windows": [at]} | more)


def seen(folder, minute, tree=None, **more):
    given = load_tree(tree or tree_of(), folder)
    made, observed = observe(given, windows(given, minute, **more))
    return made[0], observed[0]


@pytest.mark.parametrize("length", ["1 min", "4 min"])
def test_means_over_minutes_are_those_of_the_plan(tmp_path, length):
    made, plan = seen(tmp_path, 20, length=length)
    poi_w, it_w = (trace.reshape(-1, SAMPLES).mean(axis=1) for trace in (made.poi_w, made.it_w))
    assert poi_w == pytest.approx(plan.site_w[:, 0], rel=1e-12)
    assert it_w == pytest.approx(plan.site_w[:, 4], rel=1e-12)
    assert np.abs(made.jobs[0].deviation).max() < 0.02  # before it is taken off; no save in there


def test_a_step_shows_in_the_draw(tmp_path):
    made, plan = seen(tmp_path, 20)
    job = made.jobs[0]
    assert job.chips == CHIPS
    per_chip_w = (1.0 - 0.3) * (1400.0 - 180.0)
    assert 0.2 * CHIPS * per_chip_w < np.ptp(job.it_w) < 1.2 * CHIPS * per_chip_w
    assert plan.gain == pytest.approx(1.02, abs=0.02)
    assert np.ptp(made.poi_w) == pytest.approx(plan.gain * np.ptp(job.it_w), rel=0.01)


def test_a_save_is_a_dip_of_its_length_at_its_time(tmp_path):
    made, plan = seen(tmp_path, 15, length="1 min")
    assert made.jobs[0].deviation[0] == pytest.approx(-0.07, abs=0.02)
    low = made.jobs[0].it_w < made.jobs[0].it_w.min() + 0.3 * np.ptp(made.jobs[0].it_w)
    assert 5.0 < low.sum() * 0.01 < 7.5  # 6 s, its edges taken off, waits of steps added
    rhythm_ = plan.jobs[0].rhythms[0][1]
    due_s = rhythm_.since_s + rhythm_.cycle_s - rhythm_.stall_s - plan.start_s
    assert np.flatnonzero(low)[0] * 0.01 == pytest.approx(due_s, abs=plan.jobs[0].doing[0].wall_s + 1.0)


def test_the_start_of_a_job_is_seen(tmp_path):
    made, plan = seen(tmp_path, 4, length="3 min")  # 5 min of start-up end inside
    job = made.jobs[0].it_w
    assert job[-SAMPLES:].mean() > 1.8 * job[: SAMPLES // 2].mean()
    assert [doing.step is None for doing in plan.jobs[0].doing][0] is True
    assert any(doing.at_s == pytest.approx(300.0) and doing.step for doing in plan.jobs[0].doing)


def test_a_failure_stops_it_and_a_finish_too(tmp_path):
    hit = tree_of(incidents=[{"cause": "software", "element": "pod/r0001", "at": "1250 s"}])
    made, _ = seen(tmp_path, 20, hit)
    job = made.jobs[0].it_w
    assert job[5500:].mean() < 0.55 * job[1000:4500].mean()


def test_watching_changes_nothing(tmp_path):
    plain = simulate(load_tree(tree_of(), tmp_path))
    at = pd.Timestamp(plain.info["start"]) + pd.Timedelta("20min")
    watched = simulate(load_tree(
        tree_of(verify={"waveform": {"windows": [at.isoformat()], "length": "2 min"}}), tmp_path
    ))  # fmt: skip
    for level, frame in plain.timeseries.items():
        pd.testing.assert_frame_equal(frame, watched.timeseries[level])
    pd.testing.assert_frame_equal(plain.events, watched.events)
    assert plain.tables["waveform"].empty and plain.tables["waveform_limits"].empty
    table = watched.tables["waveform"]
    assert len(table) == 2 * SAMPLES
    minutes = plain.timeseries["site"]["poi_w"][20:22].to_numpy()
    assert table["poi_w"].to_numpy().reshape(2, -1).mean(axis=1) == pytest.approx(minutes, rel=1e-12)


def test_the_last_minute_of_a_run_can_be_seen(tmp_path):
    given = load_tree(tree_of(), tmp_path)
    results = simulate(given)
    made, plan = observe(given, windows(given, 58, length="2 min"))
    assert plan[0].site_w[:, 0] == pytest.approx(
        results.timeseries["site"]["poi_w"][58:].to_numpy(), rel=1e-12
    )
    assert len(made[0].poi_w) == 2 * SAMPLES


def test_smoothing_takes_swings_and_its_energy(tmp_path):
    floor = {"kind": "power_floor", "floor": 0.85}
    battery = {"kind": "battery_plant", "power": 3e5, "energy": 3.6e7, "follows": 20.0}
    given = load_tree(tree_of(), tmp_path)
    at = given.spec.period.start + timedelta(minutes=20)
    asked = Waveform.model_validate(
        {"windows": [at], "smoothing": [floor, battery]}, context={"si": True}
    )
    (made,), _ = observe(given, asked)
    assert np.ptp(made.smooth_w) < 0.6 * np.ptp(made.poi_w)
    slow = [np.ptp(trace[3000:].reshape(-1, 50).mean(axis=1)) for trace in (made.smooth_w, made.grid_w)]
    assert slow[1] < 0.5 * slow[0]  # what is faster than the battery's response is left
    assert made.smooth_w.mean() > made.poi_w.mean()
    followed = made.batteries[0][1]
    taken_j = (made.grid_w - made.smooth_w).sum() * 0.01
    assert taken_j == pytest.approx(followed.charge_j[-1] - 1.8e7 + followed.loss_j, rel=1e-6)


@pytest.mark.parametrize("stage", [0, 1, 3])
def test_the_slots_of_a_stage_are_the_phases_of_the_step(stage):
    phases = (
        Phase("compute", 7.0, 0.97, 0.8, "training"), Phase("bubble", 1.2, 0.3, 0.8, "training"),
        Phase("communication", 1.8, 0.3, 0.0, "training"), Phase("sync", 0.5, 0.4, 0.0, "sync"),
    )  # fmt: skip
    step = JobStep(phases, 1.0, 1.0, 0.4, 1.0)
    plan = ParallelPlan(pp=4, tp=2, global_batch_sequences=64, sequence_length=128)
    found = rhythm(step, plan, 64, 0.3)
    own = slice(found.first[stage], found.first[stage + 1])
    busy, wait = found.busy_s[own], found.wait_s[own]
    assert busy.sum() + wait.sum() == pytest.approx(step.step_time_s)
    level = (busy * found.busy_level[own] + wait * found.wait_level[own]).sum()
    assert level / step.step_time_s == pytest.approx(step.dynamic_power_frac)
    head = wait[0]  # nothing to do until the stages before it have passed something on
    assert head == pytest.approx(stage * 1.2 / 3 / 3)


def test_even_lines_keep_the_means():
    minutes = np.array([3.0, 5.0, 4.0, 4.0, 9.0])
    found = even(minutes)
    assert found.reshape(5, -1).mean(axis=1) == pytest.approx(minutes, rel=1e-12)
    assert np.abs(np.diff(found)).max() < 0.01  # no steps
    assert even(np.array([7.0])) == pytest.approx(7.0)


def test_the_battery_that_keeps_a_mask():
    at_s = np.arange(6000) * 0.01
    wave = 300e6 + 15e6 * np.sin(2.0 * np.pi * at_s / 4.0)
    mask = from_catalog.mask("southern")
    found = waveform_limits.needed(wave, mask)
    assert 10e6 < found.power_w < 1.2 * 15e6  # of 30 MW peak to peak 10 may be left
    swing_j = 2.0 * 15e6 / (2.0 * np.pi / 4.0)  # integral of half a period
    assert 0.5 * swing_j < found.energy_j < 10.0 * swing_j
    assert waveform_limits.needed(np.full(6000, 1e8), mask).power_w == 0.0


def test_a_square_wave_needs_a_battery_that_answers_at_once():
    at_s = np.arange(6000) * 0.01
    wave = 300e6 + 15e6 * np.sign(np.sin(2.0 * np.pi * at_s / 4.0 + 1e-9))
    found = waveform_limits.needed(wave, from_catalog.mask("southern"))
    assert found.response_s == 0.01 and found.power_w > 15e6


def test_where_nothing_can_be_told_no_battery_is_named():
    assert waveform_limits.needed(np.full(6000, 1e8), from_catalog.mask("caiso")) is None
