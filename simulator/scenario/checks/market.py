"""Hourly prices and carbon that are there, whole, and of the run's own hours."""

from collections.abc import Iterator
from pathlib import Path

from simulator.documents import Document
from simulator.errors import display_name, nearest
from simulator.market import MarketError, hours_of, read_once
from simulator.scenario.parts import Parts
from simulator.scenario.spec import SERIES
from simulator.scenario.wording import Trouble


def series(parts: Parts, document: Document) -> Iterator[Trouble]:
    """Files that are missing, have gaps or absurd values, or do not hold the period's hours."""
    for key in SERIES if parts.economics is not None else ():
        asked = getattr(parts.economics, key)
        if asked is None:
            continue
        path = ("economics", key, "file")
        folder = document.folder_of(path)
        if not (folder / asked.file).is_file():
            yield path, _missing(folder / asked.file, asked.file)
            continue
        try:
            found = read_once(asked, folder)
            if parts.period is not None:
                hours_of(found, parts.period.start, parts.period.duration)
        except MarketError as error:
            for problem in error.problems:
                yield path, problem


def _missing(file: Path, named: str) -> str:
    like = nearest(file.name, (f.name for f in file.parent.iterdir())) if file.parent.is_dir() else ""
    return f"there is no file '{display_name(named)}'{like}"
