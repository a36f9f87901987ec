"""The hybrid clock: events at their exact times, physics never behind them, steps exact."""

import numpy as np
import pytest
from small import Bench, Load, pod

from simulator.kernels import columns as c

LOADS = (Load("a", "batch", 0),)


def test_events_happen_at_their_times_with_physics_right_behind():
    bench, seen = Bench(pod()), []

    def look():
        seen.append(bench.env.now)
        behind_s = bench.env.now - bench.physics.step * 60.0
        assert 0.0 <= behind_s < 60.0

    times = [0.5, 59.999, 60.0, 61.25, 3600.0, 7199.9, 7200.0]
    for at_s in times:
        bench.at(at_s, look)
    bench.run(7260.0)
    assert seen == times
    assert bench.physics.step == 121


def test_steps_do_not_depend_on_the_events_between_them():
    calm, busy = Bench(pod()), Bench(pod())
    for at_s in np.linspace(1.0, 3599.0, 977):
        busy.at(float(at_s), lambda: None)
    for bench in (calm, busy):
        bench.run(3600.0)
    np.testing.assert_array_equal(calm.records.site, busy.records.site)


def test_a_load_that_changes_within_a_minute_draws_the_mean_of_both():
    twice, once = Bench(pod(), LOADS), Bench(pod(), LOADS)
    for bench, moments in ((twice, [(615.0, 0.8)]), (once, [(600.0, 0.65)])):
        load = bench.work("a", np.arange(8), 0.2)
        for at_s, dynamic_frac in moments:  # 0.25 x 0.2 + 0.75 x 0.8 = 0.65
            bench.at(at_s, lambda b=bench, d=dynamic_frac: b.world.set_load(load, dynamic_frac=d))
        bench.run(660.0)
    assert twice.minutes(c.IT_W)[10] == pytest.approx(once.minutes(c.IT_W)[10], rel=1e-12)
    assert twice.minutes(c.IT_W)[10] > 1.1 * twice.minutes(c.IT_W)[9]
    assert twice.state.loads.work_s[load] == pytest.approx(660.0)


def test_progress_is_told_once_a_day():
    from simulator.simulation import simulate

    told = []
    simulate(pod(), progress=told.append)
    assert len(told) <= 2
    assert all(at_s % 1.0 == 0.0 for at_s in told)
