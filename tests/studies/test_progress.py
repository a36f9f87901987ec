"""Progress without a terminal: what is told, and the time that is left."""

import pytest

from simulator.studies import progress


@pytest.fixture
def clock(monkeypatch):
    now = {"s": 0.0}
    monkeypatch.setattr(progress.time, "monotonic", lambda: now["s"])
    return now


def test_the_time_left_leaves_out_what_came_before_the_first_report(clock, capsys):
    """Ten days, of which the first takes 101 s with its compiling: the rest goes on at five in 40 s."""
    with progress.Stages("days") as stages:
        stages.stage("simulate", 10)
        for done, at_s in ((1, 101.0), (2, 102.0), (6, 141.0)):
            clock["s"] = at_s
            stages(done)
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "simulate 0 of 10 days",
        "simulate 1 of 10 days, 101 s",
        "simulate 6 of 10 days, 141 s, about 32 s left",
    ]


def test_a_new_stage_has_a_pace_of_its_own(clock, capsys):
    with progress.Stages("days") as stages:
        for _ in range(2):
            stages.stage("simulate", 4)
            stages(0)
            clock["s"] += 60.0
            stages(2)
    assert capsys.readouterr().err.count("simulate 2 of 4 days, 60 s, about 60 s left") == 2
