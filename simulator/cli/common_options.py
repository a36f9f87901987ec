"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

ScenarioFile = Annotated[Path, typer.Argument(metavar="SCENARIO", help="A scenario's YAML file.")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a key, e.g. a.b=3MW. Repeatable."),
]
Chosen = Annotated[
    str | None,
    typer.Option("--scenario", metavar="NAME", help="A name under the file's `scenarios:`."),
]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed of every random stream.")]
Folder = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="DIR", help="Folder. [default: reports/NAME]"),
]
Jobs = Annotated[
    int | None,
    typer.Option("-j", "--jobs", min=1, metavar="N", help="Processes. [default: one per core]"),
]
Until = Annotated[
    list[str] | None,
    typer.Option(
        "--until", metavar="'KPI ± X'",
        help="Replicates until the 95 % interval of a mean is so narrow; --replicates is the most. "
        "Repeatable.",
    ),
]  # fmt: skip
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
