"""The commands on weather and heat: climates, lost cooling, every accelerator of one hall."""

from pathlib import Path
from typing import Annotated

import typer

from simulator.cli.common_options import AsJson, Chosen, Folder, Jobs, ScenarioFile, Sets


def _climates(
    scenario: ScenarioFile,
    weathers: Annotated[
        list[str] | None,
        typer.Option(
            "--weather", metavar="NAME=FILE",
            help="An EPW, TMY3 or CSV file, or a station that comes along. Repeatable. "
            "[default: every such station]",
        ),
    ] = None,
    designs: Annotated[
        list[str] | None,
        typer.Option(
            "--scenario", metavar="NAME", help="A name under the file's `scenarios:`. Repeatable."
        ),
    ] = None,
    engine: Annotated[
        bool, typer.Option("--engine", help="Run each case too, with workloads and failures. Needs -o.")
    ] = False,
    sets: Sets = None,
    output: Folder = None,
    jobs: Jobs = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Compare climates: MW that each hour can carry, PUE, water, hours of throttled chips."""
    from simulator.cli import climates as command

    asked = command.Asked(
        scenario, tuple(weathers or ()), tuple(designs or ()), tuple(sets or ()), engine, jobs
    )
    command.climates(asked, output, as_json)


def _time_to_limit(
    scenario: ScenarioFile,
    at: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="hottest (warmest hour of the period), peak (largest estimated demand), after the "
            "start, or a date and time.",
        ),
    ] = "hottest",
    minutes: Annotated[
        int, typer.Option(min=1, max=1440, help="How long each failure is followed.")
    ] = 60,
    output: Folder = None,
    sets: Sets = None,
    chosen: Chosen = None,
    as_json: AsJson = False,
) -> None:
    """Tell how many seconds each failure of the cooling leaves until chips throttle and trip."""
    from simulator.cli import time_to_limit as command
    from simulator.studies.time_to_limit import Asked

    command.run(scenario, tuple(sets or ()), chosen, Asked(at, minutes), output, as_json)


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


COMMANDS = {"climates": _climates, "time-to-limit": _time_to_limit, "zoom": _zoom}
"""By name."""
