"""The scenario of a spine that fails: step, MFU and power follow the network, and all is told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simulator import scenario
from simulator.components import from_catalog
from simulator.metrics import balance
from simulator.performance.collectives import fabric_of
from simulator.performance.training import estimate
from simulator.simulation import simulate
from simulator.site import compile_site

FILE = Path(__file__).parents[1] / "scenarios" / "spine-failure.yaml"
SPINES, HOURS_OUT, HOUR_S = 12, 6, 3600.0


@pytest.fixture(scope="module")
def given():
    return scenario.load(FILE)


@pytest.fixture(scope="module")
def run(given):
    return simulate(given)


def events(run, kind):
    return run.events[run.events["kind"] == kind].reset_index(drop=True)


def estimated(given, left):
    """Return the step with a share of the spines left."""
    job = given.spec.workloads[0]
    chip = from_catalog.accelerator(job.accelerator)
    tiers = compile_site(given.spec.topology).network((), chip, job.accelerators)
    tiers = tuple(replace(t, bytes_s=t.bytes_s * (left if t.name == "spine" else 1)) for t in tiers)
    model = from_catalog.language_model(job.model)
    return estimate(model, chip, job.accelerators, job.plan, fabric_of(chip, tiers))


def test_the_step_is_that_of_the_network_that_is_left(given, run):
    steps = run.tables["steps"]
    hours = (steps["time"] - steps["time"].iloc[0]).dt.total_seconds() / HOUR_S
    assert hours.tolist() == pytest.approx([0.0, 12.0, 18.0])
    for row, left in zip(steps.itertuples(), (1.0, 1.0 - 1.0 / SPINES, 1.0), strict=True):
        step = estimated(given, left)
        assert row.network_frac == pytest.approx(left)
        assert row.step_time_s == pytest.approx(step.step_time_s)
        assert row.mfu == pytest.approx(step.mfu)
    assert steps["step_time_s"].iloc[1] > 1.01 * steps["step_time_s"].iloc[0]
    assert steps["dynamic_power_frac"].iloc[1] < steps["dynamic_power_frac"].iloc[0]


def test_power_follows_the_step(run):
    it_w = run.timeseries["site"]["it_w"].to_numpy()
    before, during, after = (it_w[h * 60 : h * 60 + 60].mean() for h in (11, 15, 20))
    steps = run.tables["steps"]["dynamic_power_frac"]
    assert during < 0.995 * before
    assert after == pytest.approx(before, rel=1e-3)
    chip, rack = from_catalog.accelerator("H100-SXM-80GB"), from_catalog.rack("HGX-H100-4")
    swing_w = 64 * (32 * (chip.tdp - chip.idle) + rack.host_max - rack.host_idle)
    drop_w = swing_w * (steps.iloc[0] - steps.iloc[1])  # before supplies and leakage
    assert before - during == pytest.approx(1.06 * drop_w, rel=0.05)


def test_time_lost_to_the_network_is_accounted_for(run):
    hours = run.tables["hours"]
    lost = hours.loc[hours["category"] == "lost_network", "accelerator_hours"].sum()
    steps, job = run.tables["steps"], run.tables["jobs"].iloc[0]
    pace = steps["step_time_s"].iloc[0] / steps["step_time_s"].iloc[1]
    computing = job["checkpoint_interval_s"] / (
        job["checkpoint_interval_s"] + job["checkpoint_stall_s"])
    assert lost == pytest.approx(2048 * HOURS_OUT * computing * (1.0 - pace), rel=1e-6)


def what_followed(steps, was, now):
    """Return in words what the table of steps says of a change."""
    step_s, mfu, power = (
        steps[key].to_numpy()[[was, now]] for key in ("step_time_s", "mfu", "dynamic_power_frac")
    )
    return (
        f"; step from {step_s[0]:.4g} s to {step_s[1]:.4g} s, "
        f"MFU {100 * mfu[0]:.1f} % to {100 * mfu[1]:.1f} %, "
        f"dynamic power {100 * power[0]:.1f} % to {100 * power[1]:.1f} %"
    )


def test_events_tell_what_failed_and_what_followed(run):
    told = events(run, "fabric")
    lost, back, leaf, placed = told.itertuples()
    assert (lost.element, lost.cause, lost.duration_s) == ("h100/spine 3", "spine_switch", 6 * HOUR_S)
    assert lost.detail.startswith("spine 3 of 12 lost: pretrain gets 91.7 % across spine; step from")
    for event, was, now in ((lost, 0, 1), (back, 1, 2)):
        assert event.detail.endswith(what_followed(run.tables["steps"], was, now))
    assert back.time - lost.time == pd.Timedelta(hours=6)
    assert "back: pretrain gets its whole network" in back.detail
    assert leaf.detail == "leaf 7 of 46 lost: pretrain is cut off and stops"
    assert (placed.element, placed.time) == ("pretrain", leaf.time)


def test_a_leaf_stops_the_job_which_goes_on_elsewhere(run):
    (stop,) = events(run, "interruption").itertuples()
    assert stop.cause == "leaf_switch"
    hours = run.tables["hours"]
    down = hours.loc[hours["category"] == "down", "accelerator_hours"].sum()
    assert down == pytest.approx(2 * 32 * 3.0)  # two racks for three hours
    held = run.timeseries["job"]["accelerators"].to_numpy()
    assert np.all(held[31:] == 2048)


def test_everything_closes(run):
    assert max(balance.checks(run).values()) <= 1e-9
