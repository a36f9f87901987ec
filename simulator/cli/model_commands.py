"""The commands on models alone, without a site: a training step, a trace of requests."""

from pathlib import Path
from typing import Annotated

import typer

from simulator.cli import batch_options as options
from simulator.cli.common_options import AsJson, Folder


def _plan(
    model: Annotated[str, typer.Option(metavar="M", help="A model of the catalog.")],
    accelerator: Annotated[str, typer.Option(metavar="A", help="A chip of the catalog.")],
    accelerators: Annotated[int, typer.Option("-n", min=1, metavar="N", help="How many of them.")],
    fabric: Annotated[
        Path | None,
        typer.Option(metavar="F", help="YAML of a fabric, a topology or a scenario."),
    ] = None,
    global_batch: Annotated[
        int | None, typer.Option(min=1, metavar="B", help="Sequences in a step.")
    ] = None,
    seq_len: Annotated[
        int | None, typer.Option(min=1, metavar="S", help="Tokens in a sequence.")
    ] = None,
    precision: Annotated[
        str | None, typer.Option(metavar="P", help="Of the matrix products: bf16, fp8, fp4, int8.")
    ] = None,
    stack: Annotated[
        str | None, typer.Option(metavar="STACK", help="Software stack, from the catalog.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, max=1000, metavar="K", help="Plans to print.")] = 5,
    images: Annotated[float, typer.Option(min=0, metavar="I", help="Images in a sequence.")] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Search the best feasible parallel plans of a training step; exit 3 if there is none."""
    from simulator.cli import plan as command

    asked = command.Question(
        model, accelerator, accelerators, fabric, global_batch, seq_len, precision, stack, top,
        images,
    )
    command.plan(asked, as_json)


def _batch(
    trace: options.Trace,
    model: options.Model,
    accelerator: options.Chip,
    tp: options.Tensor = 1,
    dp: options.Data = 1,
    pp: options.Pipeline = 1,
    ep: options.Expert = 1,
    replicas: options.Replicas = 1,
    prefill_replicas: options.Prefill = 0,
    kv_tokens: options.KvTokens = None,
    max_sequences: options.Sequences = None,
    max_batched_tokens: options.Batched = None,
    chunked: options.Chunked = None,
    ahead: options.Ahead = None,
    weight_precision: options.Precision = None,
    engine: options.Engine = "vllm-0.12",
    dispatch: options.Dispatch = "round-robin",
    swap: options.Swap = False,
    patience: options.Patience = None,
    prefix_block: options.Block = None,
    drafts: options.Drafts = 0,
    accepted: options.Accepted = None,
    drawn: options.Drawn = False,
    slo_ttft: options.SloTtft = None,
    slo_tpot: options.SloTpot = None,
    rate: options.Rate = None,
    duration: options.Duration = 3600.0,
    seed: options.Seed = 1,
    output: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Serve a trace of requests by identical replicas, request by request."""
    from simulator.cli import batch as command

    asked = command.Question(
        trace=trace, model=model, accelerator=accelerator, tp=tp, dp=dp, ep=ep, pp=pp, replicas=replicas,
        prefill_replicas=prefill_replicas, kv_tokens=kv_tokens, max_sequences=max_sequences,
        max_batched_tokens=max_batched_tokens, chunked=chunked, ahead=ahead,
        precision=weight_precision, engine=engine, dispatch=dispatch, swap=swap,
        patience_s=command.or_endless(patience), block_tokens=prefix_block, drafts=drafts,
        accepted=accepted, drawn=drawn, slo_ttft_s=command.or_endless(slo_ttft),
        slo_tpot_s=command.or_endless(slo_tpot), seed=seed,
    )  # fmt: skip
    command.batch(asked, rate, duration, output, as_json)


COMMANDS = {"plan": _plan, "batch": _batch}
"""By name."""
