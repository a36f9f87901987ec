"""The commands on power: what one failure costs, what sags and swings do."""

from pathlib import Path
from typing import Annotated

import typer

from simulator.cli import contingency_options as asking
from simulator.cli.common_options import AsJson, Chosen, Folder, Jobs, ScenarioFile, Seed, Sets


def _contingency(
    scenario: ScenarioFile,
    output: Folder = None,
    sets: Sets = None,
    chosen: Chosen = None,
    order: asking.Order = 1,
    at: asking.At = None,
    minutes: asking.Minutes = 60,
    patterns: asking.Patterns = None,
    kinds: asking.Kinds = None,
    severities: asking.Severities = None,
    maintenance: asking.Maintenance = None,
    each: asking.Each = False,
    seed: Seed = None,
    jobs: Jobs = None,
    as_json: AsJson = False,
) -> None:
    """Try every single failure from the peak hour on: MW shed, jobs stopped, hours lost a year."""
    from simulator.cli import contingency as command

    asked = command.Question(
        scenario, tuple(sets or ()), chosen, order, at, minutes, tuple(patterns or ()),
        tuple(kinds or ()), tuple(severities or ()), tuple(maintenance or ()), each, seed,
    )
    command.contingency(asked, output, jobs, as_json)


def _ride_through(
    scenario: ScenarioFile,
    depth: Annotated[
        str, typer.Option(metavar="SHARE", help="Part of the voltage that is missing.")
    ] = "50%",
    duration: Annotated[str, typer.Option(metavar="TIME", help="Of each sag.")] = "200ms",
    repeat: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="How many sags.")] = 1,
    every: Annotated[str, typer.Option(metavar="TIME", help="From start to start.")] = "14s",
    ramp: Annotated[
        str | None,
        typer.Option(metavar="RATE", help="Limit of the return; topology.ride_through.ramp, or from dark 20 MW/min."),
    ] = None,
    at: Annotated[
        str, typer.Option(metavar="TIME", help="After the start, or a date and time.")
    ] = "1h",
    output: Folder = None,
    sets: Sets = None,
    chosen: Chosen = None,
    as_json: AsJson = False,
) -> None:
    """Tell what load leaves in voltage sags, how it returns, and how long a restart takes."""
    from simulator.cli import ride_through as command

    event = command.Event(depth, duration, repeat, every, ramp, at)
    command.run(scenario, tuple(sets or ()), chosen, event, output, as_json)


def _waveform(
    place: Annotated[
        Path, typer.Argument(metavar="SCENARIO|RUN", help="A scenario's YAML file or a run folder.")
    ],
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Start, a whole minute: ISO time, or into the run (2 h). "
            "[default: verify.waveform, else 1 h, of a run its peak]",
        ),
    ] = None,
    minutes: Annotated[int | None, typer.Option(min=1, max=60, help="Length. [default: 1]")] = None,
    job: Annotated[str | None, typer.Option(metavar="NAME", help="Resolve only this one.")] = None,
    smoothing: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND[:KEY=VALUE,...]",
            help="power_floor, ramp_control, rack_storage or battery_plant. Repeatable.",
        ),
    ] = None,
    masks: Annotated[
        list[str] | None,
        typer.Option("--mask", metavar="NAME", help="Limits, from the catalog. [default: all]"),
    ] = None,
    output: Folder = None,
    sets: Sets = None,
    chosen: Chosen = None,
    as_json: AsJson = False,
) -> None:
    """Draw any minute at 10 ms: swings of synchronous jobs, what smooths them, limits kept."""
    from simulator.cli import waveform as command
    from simulator.studies.waveform import Asked

    asked = Asked(at, minutes, job, tuple(smoothing or ()), tuple(masks or ()))
    command.waveform(place, tuple(sets or ()), chosen, asked, output, as_json)


COMMANDS = {"contingency": _contingency, "ride-through": _ride_through, "waveform": _waveform}
"""By name."""
