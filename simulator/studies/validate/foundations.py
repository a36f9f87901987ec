"""What every run folder tells about this version: published figures met, constants behind."""

from __future__ import annotations

from functools import cache
from importlib import import_module

import pandas as pd

from simulator import catalog
from simulator.performance.constants import constants as of_performance
from simulator.performance.constants import of_module
from simulator.results import FOUNDATIONS
from simulator.studies.validate import published, study
from simulator.studies.validate.table import read
from simulator.studies.validate.topic import PACKAGE, topics

STACKS, ENGINES = "stacks", "engines"
"""The catalog's kinds of things that hold constants by software and chip: of training, of serving."""


@cache
def validation() -> pd.DataFrame:
    """Return measured against simulated for the project's own set of published figures."""
    found = study.validate(read(published.tables())).fillna({"reason": ""})
    columns = {name: list(found[name]) for name in FOUNDATIONS["validation"]}
    numbers = dict.fromkeys(("measured", "simulated", "error_pct"), float)
    return pd.DataFrame(columns).astype(numbers)


@cache
def constants() -> pd.DataFrame:
    """Return the constants of the models, of the topics, and of every stack and engine."""
    own = (c for name in topics() for c in of_module(import_module(f"{PACKAGE}.{name}")))
    found = (*of_performance(), *own)
    rows = [(c.name, f"{c.value:g}", c.source, c.evidence, c.range) for c in found]
    every = [(kind, name) for kind in (STACKS, ENGINES) for name in catalog.names(kind)]
    for kind, name in every:
        for path, value, source, evidence, limits in catalog.figures(kind, name):
            span = f"{limits[0]} to {limits[1]}" if limits else None
            rows.append((f"{name}.{path}", str(catalog.plain(value)), source, evidence, span))
    return pd.DataFrame(rows, columns=list(FOUNDATIONS["constants"]))
