"""The options of `gigawatt batch`; read at every start, so nothing heavy is imported."""

from pathlib import Path
from typing import Annotated

import typer

Trace = Annotated[Path, typer.Argument(metavar="TRACE", help="CSV, JSONL or Parquet.")]
Model = Annotated[str, typer.Option(metavar="M", help="A model of the catalog.")]
Chip = Annotated[str, typer.Option(metavar="A", help="A chip of the catalog.")]
Tensor = Annotated[int, typer.Option(min=1, metavar="N", help="Chips that share a sequence.")]
Data = Annotated[int, typer.Option(min=1, metavar="N", help="Such groups in a replica.")]
Expert = Annotated[int, typer.Option(min=1, metavar="N", help="Ranks that share experts.")]
Pipeline = Annotated[
    int, typer.Option(min=1, metavar="N", help="Stages that each have a part of the layers.")
]
Replicas = Annotated[int, typer.Option(min=1, metavar="N", help="Replicas, all alike.")]
Prefill = Annotated[
    int, typer.Option(min=0, metavar="N", help="More replicas, which take the prompts.")
]
KvTokens = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Cache of a replica. [default: what fits]")
]
Sequences = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Of a replica. [default: the engine's]")
]
Batched = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Of an iteration. [default: the engine's]")
]
Chunked = Annotated[
    bool | None,
    typer.Option("--chunked/--no-chunked", help="Prompts in chunks. [default: the engine's]"),
]
Ahead = Annotated[
    bool | None,
    typer.Option(
        "--ahead/--no-ahead",
        help="Iterations are made up while the one before runs. [default: the engine's]",
    ),
]
Precision = Annotated[
    str | None, typer.Option(metavar="P", help="bf16, fp8, int8, fp4. [default: as released]")
]
Engine = Annotated[str, typer.Option(metavar="E", help="An engine of the catalog.")]
Dispatch = Annotated[
    str,
    typer.Option(
        metavar="D", help="round-robin, least-tokens, shortest-queue, two-choices, prefix-affinity."
    ),
]
Swap = Annotated[bool, typer.Option("--swap", help="Preempted caches go to the host.")]
Patience = Annotated[
    float | None, typer.Option(min=0, metavar="S", help="Seconds until a request gives up.")
]
Block = Annotated[
    int | None,
    typer.Option(min=0, metavar="N", help="Tokens of the trace's blocks; 0: no prefix cache."),
]
Drafts = Annotated[int, typer.Option(min=0, max=16, metavar="N", help="Drafted per step.")]
Accepted = Annotated[
    float | None, typer.Option(min=1, metavar="X", help="Tokens that a step gives on average.")
]
Drawn = Annotated[bool, typer.Option("--drawn", help="Accepted drafts are drawn.")]
SloTtft = Annotated[
    float | None, typer.Option(min=0, metavar="S", help="Limit of the time to first token.")
]
SloTpot = Annotated[
    float | None, typer.Option(min=0, metavar="S", help="Limit of the time per output token.")
]
Rate = Annotated[
    float | None,
    typer.Option(min=1e-9, metavar="R", help="Requests/s like the trace's, instead of it."),
]
Duration = Annotated[
    float, typer.Option(min=1e-3, metavar="S", help="Seconds of arrivals, with --rate.")
]
Seed = Annotated[int, typer.Option(min=0, help="Of the draws.")]
