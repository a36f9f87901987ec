"""Libraries are kept to one thread, unless someone has said how many."""

import os

from simulator.studies.threads import THREADS, one_thread_each


def test_one_thread_unless_told_otherwise(monkeypatch):
    for name in THREADS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(THREADS[0], "3")
    one_thread_each()
    assert [os.environ[name] for name in THREADS] == ["3", "1", "1", "1"]
