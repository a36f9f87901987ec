"""Options of `gigawatt contingency`."""

from typing import Annotated

import typer

Order = Annotated[int, typer.Option(min=1, max=2, help="2: also the pairs that matter.")]
At = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="Date and time, or '36 h'. [default: the peak hour]"),
]
Minutes = Annotated[
    int, typer.Option(min=1, max=1440, metavar="N", help="Length of each response.")
]
Patterns = Annotated[
    list[str] | None,
    typer.Option("--filter", metavar="GLOB", help="Elements, e.g. 'train-0?/*'. Repeatable."),
]
Kinds = Annotated[
    list[str] | None,
    typer.Option("--kind", metavar="KIND", help="electrical, cooling, network, rack. Repeatable."),
]
Severities = Annotated[
    list[str] | None,
    typer.Option("--severity", metavar="WORD", help="Print these rows only. Repeatable."),
]
Maintenance = Annotated[
    list[str] | None,
    typer.Option("--maintenance", metavar="ELEMENT", help="Out already. Repeatable."),
]
Each = Annotated[
    bool, typer.Option("--each", help="A row and a simulation for every single element.")
]
