"""Published measurements, where they lie beside the repository."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

TABLES = Path(__file__).parents[3] / "shared" / "validation"
Rows = list[dict[str, str]]


@pytest.fixture
def validation_rows() -> Callable[[str], Rows]:
    """Return a reader of published tables; the test is skipped where they are absent."""

    def read(name: str) -> Rows:
        path = TABLES / name
        if not path.exists():
            pytest.skip(f"no {name} beside the repository")
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    return read
