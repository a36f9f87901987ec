"""The commands on what comes along: published figures, equipment, the keys of documents."""

from pathlib import Path
from typing import Annotated

import typer

from simulator.cli.common_options import AsJson


def _validate(
    tables: Annotated[
        list[Path] | None,
        typer.Argument(metavar="TABLE.csv", help="Tables. [default: the project's own set]"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Simulate every row of validation tables; print measured, simulated and error."""
    from simulator.cli import validate as command

    command.validate(tuple(tables or ()), as_json)


def _catalog(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help="accelerators, racks, models, ...")
    ] = None,
) -> None:
    """List equipment with its key figures, evidence and sources."""
    from simulator.cli import catalog as command

    command.catalog(kind)


def _schema(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="scenario, topology, sweep, accelerator, ...")
    ],
) -> None:
    """Print the JSON Schema of a kind of document, for editors."""
    from simulator.cli import schema as command

    command.schema(kind)


COMMANDS = {"validate": _validate, "catalog": _catalog, "schema": _schema}
"""By name."""
