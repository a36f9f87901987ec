"""Steps as phases: they add up, and long parts show at the engine's resolution."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.components import from_catalog
from simulator.components.parallel_plan import ParallelPlan
from simulator.kernels.load_account import pace_of
from simulator.performance.training import estimate
from simulator.workloads.step import JobStep, Levels, Phase, phases_of, scaled

PLAN = ParallelPlan(tp=4, pp=2, global_batch_sequences=288, sequence_length=8192)


def llama(**how):
    model, chip = from_catalog.language_model("llama-3.1-70b"), from_catalog.accelerator("GB300")
    return estimate(model, chip, 288, PLAN, **how)


def step_of(*phases):
    return JobStep(tuple(phases), 1.0, 1.0, 0.5, 0.0)


def test_the_phases_of_a_step_are_the_step():
    step = llama()
    job = step_of(*phases_of(step))
    assert job.step_time_s == pytest.approx(step.step_time_s, rel=1e-12)
    assert job.dynamic_power_frac == pytest.approx(step.dynamic_power_frac, rel=1e-9)
    assert job.share("communication") == pytest.approx(
        step.exposed_communication_s / step.step_time_s)
    assert job.share("compute", "bubble", "communication") == pytest.approx(1.0)


@pytest.mark.parametrize("clock", [0.95, 0.8, 0.6])
def test_the_pace_at_a_lower_clock_is_that_of_the_step_estimated_at_it(clock):
    slower = llama().step_time_s / llama(clock_frac=clock).step_time_s
    bound = step_of(*phases_of(llama())).clock_bound_frac
    assert pace_of(clock, bound) == pytest.approx(slower, rel=0.03)
    assert pace_of(clock, bound) > clock


def test_scaling_keeps_everything_but_the_time():
    phases = phases_of(llama())
    twice = scaled(phases, 2.0)
    assert step_of(*twice).step_time_s == pytest.approx(2.0 * step_of(*phases).step_time_s)
    assert step_of(*twice).clock_bound_frac == pytest.approx(step_of(*phases).clock_bound_frac)


def phase(part, seconds, power):
    return Phase(f"{part} work", seconds, power, power, part)


ITERATION = step_of(
    phase("generation", 500.0, 0.4), phase("scoring", 20.0, 0.9), phase("training", 90.0, 1.0),
    phase("training", 60.0, 0.3), phase("sync", 1.0, 0.2),
)


def test_short_parts_go_with_their_neighbours_and_long_ones_stand_alone():
    levels = Levels(ITERATION, 60.0)
    assert [p.seconds for p in levels.phases] == [500.0, 171.0]
    assert levels.phases[0].dynamic_power_frac == pytest.approx(0.4)
    mean = (20 * 0.9 + 90 * 1.0 + 60 * 0.3 + 0.2) / 171.0
    assert levels.phases[1].dynamic_power_frac == pytest.approx(mean)


def test_phases_that_take_turns_are_one_level_however_long():
    assert len(Levels(step_of(*phases_of(llama())), 1e-3).phases) == 1
    assert len(Levels(ITERATION, 1.0).phases) == 4


@pytest.mark.parametrize(("progress_s", "level", "left_s"), [
    (0.0, 0, 500.0), (499.0, 0, 1.0), (500.0, 1, 171.0), (671.0, 0, 500.0),
    (671.0 * 7 + 600.0, 1, 71.0)])
def test_the_place_in_the_step_follows_the_work(progress_s, level, left_s):
    levels = Levels(ITERATION, 60.0)
    found, left = levels.at(progress_s, 671.0)
    assert (found, left) == (level, pytest.approx(left_s))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.1, 300.0), st.floats(0.0, 1.0)),
                min_size=1, max_size=8), st.floats(1.0, 200.0))
def test_levels_keep_time_and_energy(parts, least_s):
    step = step_of(*(phase(*part) for part in parts))
    levels = Levels(step, least_s).phases
    assert sum(p.seconds for p in levels) == pytest.approx(step.step_time_s)
    drawn = sum(p.seconds * p.dynamic_power_frac for p in levels)
    assert drawn == pytest.approx(step.step_time_s * step.dynamic_power_frac, abs=1e-9)
    assert len(levels) == 1 or min(p.seconds for p in levels) >= least_s
