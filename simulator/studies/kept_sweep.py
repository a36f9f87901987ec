"""Reads the folder of a sweep again, without its plan: its design, its runs, the units of its indicators."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from simulator.studies import StudyError
from simulator.studies.sweep_names import DESIGN, RUNS, UNITS


class KeptSweep(NamedTuple):
    """What a sweep left behind."""

    design: dict[str, Any]
    runs: pd.DataFrame
    units: dict[str, str]


def is_sweep(folder: Path) -> bool:
    """Return whether a folder is that of a sweep."""
    return (folder / DESIGN).is_file()


def load(folder: Path) -> KeptSweep:
    """Return what the folder of a sweep holds.

    Raises
    ------
    StudyError
        If a table is missing: the sweep has not yet been assembled.
    """
    for name in (RUNS, UNITS):
        if not (folder / name).is_file():
            raise StudyError(f"{folder} has no {name} yet; go on with gigawatt sweep ... --resume")
    units = pd.read_csv(folder / UNITS, dtype=str, keep_default_na=False)
    return KeptSweep(
        json.loads((folder / DESIGN).read_text("utf-8")), pd.read_parquet(folder / RUNS),
        dict(zip(units["kpi"], units["unit"], strict=True)),
    )  # fmt: skip
