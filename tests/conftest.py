"""Fixtures that every folder of tests may use."""

import sys

import pytest
from synthetic import campus

from simulator.results import Results
from simulator.studies import processes


@pytest.fixture(scope="session", autouse=True)
def _forked():
    """Have processes forked though pytest-xdist has a thread that waits for messages: to start them anew
    takes seconds each."""
    before = processes.may_fork
    processes.may_fork = lambda: sys.platform == "linux"
    yield
    processes.may_fork = before


@pytest.fixture(scope="session")
def week() -> Results:
    """Nine invented days of a gigawatt campus whose tables close."""
    return campus()


@pytest.fixture(scope="session")
def replicates() -> list[Results]:
    """Three replicates of those days."""
    return [campus(replicate=i) for i in range(3)]
