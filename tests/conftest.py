"""Fixtures that every folder of tests may use."""

import sys

import pytest
from synthetic import campus

from simulator.results import Results
from simulator.studies import processes


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Of two workers, have the second begin with the kernels that are interpreted, so that the first has
    compiled the others when it gets to them."""
    for item in [item for item in items if item.name == "test_kernels_do_the_same_interpreted"]:
        items.remove(item)
        items.insert(len(items) // 2, item)


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
