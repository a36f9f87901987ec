"""The table of downtime: every accelerator-hour out of service by cause, reach and stage."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulator.engine.outage_log import STAGES, Outages
from simulator.kernels.downtime import attribute
from simulator.kernels.entry import entry_of
from simulator.results import TABLES
from simulator.site import Site


def table(site: Site, outages: Outages, end_s: float) -> pd.DataFrame:
    """Return accelerator-hours up to `end_s`; their sum is `down` in the table of hours."""
    if not outages.racks:
        return pd.DataFrame({c: pd.Series(dtype=object) for c in TABLES["downtime"]})
    keys, order = _bins(outages)
    each = np.array([racks.size for racks in outages.racks])
    rack = np.concatenate(outages.racks)
    row = np.repeat(np.arange(each.size), each)
    start_s = np.array(outages.start_s)[row]
    end_of_s = np.minimum(np.array(outages.end_s)[row], end_s)
    sorting = np.lexsort((row, start_s, rack))
    sorting = sorting[start_s[sorting] < end_s]
    row = row[sorting]
    chip = site.rack_chip[rack[sorting]]
    until_s, stage = _stages(outages, row)
    hours = np.zeros((len(keys) * len(site.chips), len(STAGES)))
    arguments = (
        rack[sorting], np.concatenate(outages.servers)[sorting], start_s[sorting],
        end_of_s[sorting], until_s, stage, order[row] * len(site.chips) + chip,
        site.rack_servers, site.rack_accelerators / 3600.0, hours,
    )
    entry_of(attribute, *arguments)(*arguments)
    rows = [
        (*keys[b // len(site.chips)], site.chips[b % len(site.chips)].name, STAGES[s], hours[b, s])
        for b, s in zip(*np.nonzero(hours), strict=True)
    ]
    return pd.DataFrame(rows, columns=["cause", "reach", "accelerator", "stage", "accelerator_hours"])


def _bins(outages: Outages) -> tuple[list[tuple[str, str]], np.ndarray]:
    """Return every (cause, reach) in order of its first outage, and which of them each is."""
    index: dict[tuple[str, str], int] = {}
    keys = list(zip(outages.cause, outages.reach, strict=True))
    order = np.empty(len(keys), np.int64)
    for i in np.argsort(outages.start_s, kind="stable").tolist():  # noted out of order
        order[i] = index.setdefault(keys[i], len(index))
    return list(index), order


def _stages(outages: Outages, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return until when each stage of the chosen outages lasts, and which it is; short ones repeat
    their last."""
    most = max(len(repair.stages) for repair in outages.repair)
    until_s = [r.until_s + r.until_s[-1:] * (most - len(r.until_s)) for r in outages.repair]
    stage = [r.stages + r.stages[-1:] * (most - len(r.stages)) for r in outages.repair]
    return np.array(until_s)[row], np.array(stage, np.int64)[row]
