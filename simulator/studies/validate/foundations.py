"""What every run folder tells about this version: published figures met, constants behind.

The published figures are simulated once per version and machine, and kept beside its machine code.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import scipy
from numba import config

from simulator import catalog
from simulator.performance.constants import constants as of_performance
from simulator.performance.constants import of_module
from simulator.results import FOUNDATIONS
from simulator.studies.stamp import code_version
from simulator.studies.validate import published, study
from simulator.studies.validate.table import read
from simulator.studies.validate.topic import PACKAGE, topics
from simulator.studies.written import write_table

STACKS, ENGINES = "stacks", "engines"
"""The catalog's kinds of things that hold constants by software and chip: of training, of serving."""


@cache
def validation() -> pd.DataFrame:
    """Return measured against simulated for the project's own set of published figures."""
    kept = _kept_at()
    with suppress(OSError):
        return pd.read_parquet(kept)
    found = _validated()
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_table(found, kept)
    return found


def _kept_at() -> Path:
    """Return where the figures of this code, these tables and these libraries are kept."""
    made_of = [code_version(), np.__version__, scipy.__version__, pd.__version__]
    digest = hashlib.sha256(repr(made_of).encode())
    for table in published.tables():
        digest.update(table.read_bytes())
    return Path(config.CACHE_DIR) / f"validation-{digest.hexdigest()[:16]}.parquet"  # type: ignore[attr-defined]


def _validated() -> pd.DataFrame:
    """Return the table that is kept."""
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
