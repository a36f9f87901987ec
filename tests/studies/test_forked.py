"""Futures in forked processes: what they answer, what they die of, and what they leave alone."""

import os
import signal
import time

import pytest

from simulator.studies import StudyError, forked


def answers(count, work, workers=2):
    return dict(forked.each(count, work, workers))


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_every_case_is_answered_once(workers):
    found = list(forked.each(7, lambda i: i * i, workers))
    assert sorted((i, a.value) for i, a in found) == [(i, i * i) for i in range(7)]


def test_what_a_child_changes_stays_with_it():
    state = {"now": 0}

    def on(i):
        state["now"] += i + 1
        return state["now"]

    found = answers(4, on)
    assert [found[i].value for i in range(4)] == [1, 2, 3, 4]
    assert state == {"now": 0}


def test_an_error_is_told_and_harms_no_other():
    def work(i):
        if i == 1:
            raise ValueError("no such thing")
        return i

    found = answers(3, work)
    assert found[1].value is None and found[1].error == "ValueError: no such thing"
    assert found[0].value == 0 and found[2].value == 2


def test_a_child_that_dies_is_told():
    def work(i):
        if i == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return "alive"

    found = answers(2, work)
    assert found[0].error == f"its process ended with signal {int(signal.SIGKILL)}"
    assert found[1].value == "alive"


def test_a_child_that_does_not_end_is_ended(monkeypatch):
    monkeypatch.setattr(forked, "MOST_CPU_S", 1)

    def work(i):
        while i == 0:
            pass
        return i

    found = answers(2, work)
    assert found[0].error == "its process did not end within 1 s of CPU time"
    assert found[1].value == 1


def test_large_answers_come_through():
    found = answers(2, lambda i: bytes([i]) * 3_000_000)
    assert [len(found[i].value) for i in (0, 1)] == [3_000_000] * 2


def test_children_end_when_the_caller_stops(tmp_path):
    notes = [tmp_path / name for name in ("one", "two")]

    def work(i):
        if i > 0:
            notes[i - 1].write_text(str(os.getpid()))
            signal.pause()
        while not all(note.exists() and note.read_text() for note in notes):
            time.sleep(0.01)

    futures = forked.each(3, work, 3)
    assert next(futures)[0] == 0
    futures.close()
    for note in notes:
        with pytest.raises(ProcessLookupError):
            os.kill(int(note.read_text()), 0)


def test_a_fork_that_fails_is_told(monkeypatch):
    fork, caller = os.fork, os.getpid()

    def none_left():
        if os.getpid() != caller:
            raise OSError("no process is left")
        return fork()

    monkeypatch.setattr(os, "fork", none_left)
    with pytest.raises(StudyError, match="cannot be forked: no process is left"):
        answers(2, lambda i: i)


def test_without_fork_it_is_refused(monkeypatch):
    monkeypatch.delattr(os, "fork")
    with pytest.raises(StudyError, match="operating system cannot"):
        forked.check()
