"""The commands on one scenario and its run: check, show, simulate, draw again."""

from pathlib import Path
from typing import Annotated

import typer

from simulator.cli.common_options import (
    AsJson,
    Chosen,
    Folder,
    Jobs,
    ScenarioFile,
    Seed,
    Sets,
    Until,
)


def _run(
    scenario: ScenarioFile,
    output: Folder = None,
    sets: Sets = None,
    seed: Seed = None,
    replicates: Annotated[
        int | None, typer.Option(min=1, help="How often, with other draws.")
    ] = None,
    jobs: Jobs = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Leave out PDF and PNG.")] = False,
    asserts: Annotated[
        list[str] | None,
        typer.Option("--assert", metavar="'KPI <= X'", help="Exit 4 unless kept. Repeatable."),
    ] = None,
    chosen: Chosen = None,
    until: Until = None,
) -> None:
    """Simulate, write the run folder, print the KPI table."""
    from simulator.cli import run as command

    given = command.Given(
        scenario, tuple(sets or ()), chosen, seed, tuple(until or ()), replicates
    )
    command.run(given, output, jobs, not no_report, tuple(asserts or ()))


def _check(
    scenario: ScenarioFile,
    sets: Sets = None,
    chosen: Chosen = None,
    as_json: AsJson = False,
) -> None:
    """Validate only; print size and estimated time."""
    from simulator.cli import check as command

    command.check(scenario, tuple(sets or ()), chosen, as_json)


def _show(
    scenario: ScenarioFile,
    sets: Sets = None,
    chosen: Chosen = None,
    resolved: Annotated[
        bool, typer.Option("--resolved", help="Print the full resolved YAML instead.")
    ] = False,
    network: Annotated[
        Path | None,
        typer.Option("--network", metavar="FILE.json", help="Write the one-line as plain tables."),
    ] = None,
    pandapower: Annotated[
        Path | None,
        typer.Option("--pandapower", metavar="FILE.json", help="Write it as a pandapower network."),
    ] = None,
) -> None:
    """Print the compiled plant in a page: counts, ratings, headroom."""
    from simulator.cli import show as command

    if network is not None or pandapower is not None:
        command.export(scenario, tuple(sets or ()), chosen, network, pandapower)
        return
    command.show(scenario, tuple(sets or ()), chosen, resolved)


def _report(
    folder: Annotated[
        Path,
        typer.Argument(metavar="RUN", help="The folder of a run, of a sweep, or of climates compared."),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="The PDF.")
    ] = None,
    variant: Annotated[str, typer.Option(metavar="full|exec", help="All pages, or a summary.")] = "full",
) -> None:
    """Draw PDF and PNG again from the folder of a run, a sweep, or climates compared."""
    from simulator.cli import report as command

    command.report(folder, output, variant)


COMMANDS = {"run": _run, "check": _check, "show": _show, "report": _report}
"""By name."""
