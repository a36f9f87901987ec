"""The project's own compact set of published figures, each row with its citation."""

from pathlib import Path

FOLDER = Path(__file__).with_name("published")


def tables() -> list[Path]:
    """Return the tables of the set, one per topic."""
    return sorted(FOLDER.glob("*.csv"))
