"""What every run folder tells about this version: published figures met, constants behind."""

from functools import cache

import pandas as pd

from simulator import catalog
from simulator.performance.constants import constants as of_performance
from simulator.results import FOUNDATIONS
from simulator.studies.validate import published, study
from simulator.studies.validate.table import read

STACKS, ENGINES = "stacks", "engines"
"""The catalog's kinds of things that hold constants by software and chip: of training, of serving."""


@cache
def validation() -> pd.DataFrame:
    """Return measured against simulated for the project's own set of published figures."""
    found = study.validate(read(published.tables()))
    numbers = dict.fromkeys(("measured", "simulated", "error_pct"), float)
    return found[list(FOUNDATIONS["validation"])].astype(numbers | {"searched": bool})


@cache
def constants() -> pd.DataFrame:
    """Return the constants of the models, then those of every stack and engine in the catalog."""
    rows = [(c.name, f"{c.value:g}", c.source, c.evidence, c.range) for c in of_performance()]
    every = [(kind, name) for kind in (STACKS, ENGINES) for name in catalog.names(kind)]
    for kind, name in every:
        for path, value, source, evidence, limits in catalog.figures(kind, name):
            span = f"{limits[0]} to {limits[1]}" if limits else None
            rows.append((f"{name}.{path}", str(catalog.plain(value)), source, evidence, span))
    return pd.DataFrame(rows, columns=list(FOUNDATIONS["constants"]))
