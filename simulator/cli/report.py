"""`gigawatt report`: PDF and PNG again from a run folder."""

from pathlib import Path
from typing import Literal, cast

from simulator.cli.exits import usage
from simulator.errors import display_name, nearest
from simulator.reports import document
from simulator.studies import run as study


def report(run: Path, output: Path | None, variant: str) -> None:
    """Carry out the command."""
    if variant not in document.PAGES:
        raise usage(f"no variant '{variant}'{nearest(variant, document.PAGES)}; full or exec")
    default = run / ("report.pdf" if variant == "full" else f"report-{variant}.pdf")
    kind = cast(Literal["full", "exec"], variant)
    written = document.write(study.load(run), run, kind, output or default)
    print(f"report: {display_name(str(written))}")
