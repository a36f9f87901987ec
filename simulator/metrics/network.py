"""The network: what its switches and modules draw, and how the jobs' steps followed its state."""

from __future__ import annotations

import pandas as pd

from simulator.metrics.kpi import Kpi
from simulator.results import Results

AT_THE_ENDS = "optics at endpoints"
"""Modules that stand in the accelerators' racks and draw from those racks' own budget."""


def fabrics(
    results: Results, by: str | None = "fabric", every: str | None = None
) -> pd.DataFrame:
    """Return switches, modules and their draw by fabric; `by=None` adds all up. The count is of
    what is built, so `every` changes nothing."""
    table = results.tables["network"]
    ends, optics = table["tier"] == AT_THE_ENDS, table["tier"].str.startswith("optics")
    parts = pd.DataFrame({
        "fabric": table["fabric"],
        "switches": table["count"].where(~optics, 0),
        "optics": table["count"].where(optics, 0),
        "switches_w": (table["count"] * table["power_w"]).where(~optics, 0.0),
        "optics_w": (table["count"] * table["power_w"]).where(optics & ~ends, 0.0),
        "endpoint_optics_w": (table["count"] * table["power_w"]).where(ends, 0.0),
    })  # fmt: skip
    figures = parts.columns[1:]
    if by is None:
        return parts[figures].sum().to_frame().T
    return parts.groupby(by, sort=False)[list(figures)].sum().reset_index()


def steps(results: Results, by: str | None = "job", every: str | None = None) -> pd.DataFrame:
    """Return the step of every job from its start and from each change of its network, in order of
    job and time."""
    return results.tables["steps"].reset_index(drop=True)


def kpis(results: Results) -> list[Kpi]:
    """Return what the fabrics hold and draw, and the longest step of each job."""
    drawn = fabrics(results, by=None).iloc[0]
    rated_mw = float(drawn["switches_w"] + drawn["optics_w"]) / 1e6
    meaning = "Draw of those switches and the optical modules in them, before their racks' supplies."
    rows = [
        Kpi("network.switches", float(drawn["switches"]), "1", "Switches of all back-end fabrics."),
        Kpi("network.power", rated_mw, "MW", meaning),
    ]
    longest = steps(results).groupby("job", sort=False)["step_time_s"].max()
    return rows + [
        Kpi(f"training.{job}.step_time_worst", float(step_s), "s",
            "Longest step at full clock, with parts of the network out of service.")
        for job, step_s in longest.items()
    ]  # fmt: skip
