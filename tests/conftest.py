"""Fixtures that every folder of tests may use."""

import pytest
from synthetic import campus

from simulator.results import Results


@pytest.fixture(scope="session")
def week() -> Results:
    """Nine invented days of a gigawatt campus whose tables close."""
    return campus()


@pytest.fixture(scope="session")
def replicates() -> list[Results]:
    """Three replicates of those days."""
    return [campus(replicate=i) for i in range(3)]
