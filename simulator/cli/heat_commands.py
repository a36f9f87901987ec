"""The command on heat: every accelerator of one hall."""

from pathlib import Path
from typing import Annotated

import typer

from simulator.cli.common_options import AsJson, Chosen, Sets


def _zoom(
    place: Annotated[Path, typer.Argument(metavar="SCENARIO", help="Or a run folder.")],
    hall: Annotated[
        str | None, typer.Option(metavar="H", help="Name of a hall. [default: the first]")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="T", help="Date and time, or a duration into the run."),
    ] = None,
    duration: Annotated[
        str | None, typer.Option(metavar="TIME", help="Of the window. [default: to the run's end]")
    ] = None,
    by: Annotated[str, typer.Option(metavar="accelerator|server", help="What is listed.")] = (
        "accelerator"
    ),
    top: Annotated[int, typer.Option(min=1, max=100_000, metavar="N", help="Hottest listed.")] = 20,
    replicate: Annotated[int, typer.Option(min=0, metavar="R", help="Of the run.")] = 0,
    sets: Sets = None,
    chosen: Chosen = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Write tables and figures.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Simulate every accelerator of one hall again: junctions, memory, clocks, minute by minute."""
    from simulator.cli import zoom as command

    asked = command.Asked(hall, start, duration, by, top, replicate)
    command.zoom(place, tuple(sets or ()), chosen, asked, output, as_json)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("zoom")(_zoom)
