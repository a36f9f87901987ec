"""`gigawatt report`: PDF and PNG again from the folder of a run, a sweep, or climates compared."""

from pathlib import Path
from typing import Literal, cast

from simulator.cli.exits import usage
from simulator.errors import display_name, nearest
from simulator.reports import document
from simulator.studies import kept_sweep
from simulator.studies import run as study

CLIMATES = "climates.json"
"""Names a folder that `gigawatt climates` wrote."""


def report(folder: Path, output: Path | None, variant: str) -> None:
    """Carry out the command."""
    if variant not in document.PAGES:
        raise usage(f"no variant '{variant}'{nearest(variant, document.PAGES)}; full or exec")
    kind = cast(Literal["full", "exec"], variant)
    if kept_sweep.is_sweep(folder):
        written = of_sweep(folder, output, kind)
    elif (folder / CLIMATES).is_file():
        written = of_climates(folder, output)
    else:
        default = folder / ("report.pdf" if variant == "full" else f"report-{variant}.pdf")
        written = document.write(study.load(folder), folder, kind, output or default)
    print(f"report: {display_name(str(written))}")


def of_sweep(folder: Path, output: Path | None, kind: Literal["full", "exec"]) -> Path:
    """Draw a sweep: all pages, or the overview alone."""
    from simulator.reports import sweep as pages

    design, runs, units = kept_sweep.load(folder)
    told = pages.Sweep(
        str(design["name"]), tuple(design["axes"]), runs, units, str(design["identity"]), str(design["version"])
    )
    chosen = pages.pages(told)
    return document.bind(chosen if kind == "full" else chosen[:1], pages.cover(told), folder, output)


def of_climates(folder: Path, output: Path | None) -> Path:
    """Draw a comparison of climates."""
    import pandas as pd

    from simulator.reports import climates as pages

    table, hours = (pd.read_parquet(folder / name) for name in ("climates.parquet", "climate_hours.parquet"))
    return document.bind(pages.pages(table, hours), pages.cover(folder.name), folder, output)
