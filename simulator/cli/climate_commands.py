"""The command on climates: one campus under several skies."""

from typing import Annotated

import typer

from simulator.cli.common_options import AsJson, Folder, Jobs, ScenarioFile, Sets


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


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("climates")(_climates)
