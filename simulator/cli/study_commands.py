"""The commands that simulate many times, or judge what was simulated."""

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


def _sweep(
    sweep: Annotated[Path, typer.Argument(metavar="SWEEP", help="A sweep's YAML file.")],
    output: Folder = None,
    jobs: Jobs = None,
    backend: Annotated[str, typer.Option(metavar="loky|dask", help="Who runs.")] = "loky",
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Of the Dask scheduler.")
    ] = None,
    shard: Annotated[
        str | None, typer.Option(metavar="i/n", help="Only the i-th of n parts, i from 1.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where it stopped.")] = False,
    replay: Annotated[
        str | None, typer.Option(metavar="HASH", help="Make this one run again, with its report.")
    ] = None,
    until: Until = None,
    sets: Sets = None,
) -> None:
    """Run designs and replicates; one row per run in DIR/runs.parquet."""
    from simulator.studies import stamp

    done, asked = output or Path("reports") / sweep.stem, (*(until or ()), *(sets or ()))
    if resume and replay is None and (told := stamp.finished(done, sweep, asked)) is not None:
        print(told)
        return
    from simulator.cli import sweep as command

    if replay is not None:
        command.replay(sweep, replay, output, tuple(until or ()), tuple(sets or ()))
        return
    where = command.Where(backend, scheduler, shard, resume)
    command.sweep(sweep, output, jobs, where, tuple(until or ()), tuple(sets or ()))


def _compare(
    run_a: Annotated[Path, typer.Argument(metavar="RUN_A", help="A run folder.")],
    run_b: Annotated[Path, typer.Argument(metavar="RUN_B", help="Another, of the same seed.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Write tables and the forest plot."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two runs: paired differences with confidence intervals, what changed in the inputs."""
    from simulator.cli import compare as command

    command.compare(run_a, run_b, output, as_json)


def _size(
    scenario: ScenarioFile,
    largest: Annotated[
        str | None,
        typer.Option("--max", metavar="KEY", help="Input, with --vary also KPI, to make as large as may be."),
    ] = None,
    smallest: Annotated[
        str | None,
        typer.Option("--min", metavar="KEY", help="Input, with --vary also KPI, to make as small as may be."),
    ] = None,
    limits: Annotated[
        list[str] | None,
        typer.Option(
            "--subject-to", metavar="'KPI <= X [@ 95 %]'",
            help="By the mean, or by a share of the replicates. Repeatable.",
        ),
    ] = None,
    step: Annotated[
        str | None, typer.Option(metavar="X", help="Of the search. [default: 1, or 1 % of now]")
    ] = None,
    least: Annotated[str | None, typer.Option("--from", metavar="X", help="Least value.")] = None,
    most: Annotated[str | None, typer.Option("--to", metavar="X", help="Largest value.")] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="'KEY=LOW..HIGH [by STEP]'",
            help="Search these inputs together, one to four. Repeatable.",
        ),
    ] = None,
    over: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=V,V", help="Search for each of these values of another input. Repeatable."),
    ] = None,
    sets: Sets = None,
    output: Folder = None,
    seed: Seed = None,
    replicates: Annotated[
        int | None, typer.Option(min=1, help="How often, with other draws.")
    ] = None,
    jobs: Jobs = None,
    chosen: Chosen = None,
    as_json: AsJson = False,
) -> None:
    """Find the largest or smallest of one or a few inputs that keeps limits; exit 3 if there is none."""
    from simulator.cli import run, size_joint, size_over
    from simulator.cli import size as command

    given = run.Given(scenario, tuple(sets or ()), chosen, seed)
    asked = command.Asked(
        largest, smallest, tuple(limits or ()), step, least, most, replicates, jobs
    )
    if vary:
        size_joint.size_joint(given, asked, tuple(vary), tuple(over or ()), output, as_json)
    elif over:
        size_over.size_over(given, asked, tuple(over), output, as_json)
    else:
        command.size(given, asked, output, as_json)


def _rare(
    scenario: ScenarioFile,
    output: Folder = None,
    sets: Sets = None,
    chosen: Chosen = None,
    years: Annotated[float, typer.Option(min=0.001, max=100, metavar="Y", help="Length.")] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Tell how likely rare combinations of failures are, by importance sampling."""
    from simulator.cli import rare as command

    command.rare(scenario, tuple(sets or ()), chosen, years, output, as_json)


def _calibrate(
    spec: Annotated[Path, typer.Argument(metavar="SPEC", help="A calibration's YAML file.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Write values to import, scores, figure."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fit named values of a scenario to telemetry; score later telemetry blind."""
    from simulator.cli import calibrate as command

    command.calibrate(spec, output, as_json)


COMMANDS = {"sweep": _sweep, "compare": _compare, "size": _size, "rare": _rare, "calibrate": _calibrate}
"""By name."""
