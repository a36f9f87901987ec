"""The commands: parse, call, print. stdout is data, stderr is log and progress.

Every command imports what it needs when it runs, so that `--help` answers at once.
"""

import gc
import sys
from pathlib import Path
from typing import Annotated

import typer

from simulator.cli import batch_options as options
from simulator.cli import climate_commands, heat_commands, later, power_commands
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
from simulator.cli.exits import (
    FAILED_ASSERT,
    FAILED_RUNS,
    INFEASIBLE,
    INTERRUPTED,
    INVALID,
    exit_code,
)

NEW_OBJECTS = 100_000
"""Between two looks for cycles among them: libraries make half a million objects that stay, and a look
every 700 of them is a seventh of the time that a command takes to start."""

app = typer.Typer(
    name="gigawatt",
    help="What can this AI campus really do, hour by hour, and what will break first?",
    epilog=f"Exit codes: 0 ok, {INVALID} usage or invalid input, {INFEASIBLE} infeasible, "
    f"{FAILED_ASSERT} an --assert failed, {FAILED_RUNS} part of a sweep failed, "
    f"{INTERRUPTED} interrupted and resumable.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.command("run")
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


@app.command("check")
def _check(
    scenario: ScenarioFile,
    sets: Sets = None,
    chosen: Chosen = None,
    as_json: AsJson = False,
) -> None:
    """Validate only; print size and estimated time."""
    from simulator.cli import check as command

    command.check(scenario, tuple(sets or ()), chosen, as_json)


@app.command("show")
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


@app.command("sweep")
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
) -> None:
    """Run designs and replicates; one row per run in DIR/runs.parquet."""
    from simulator.studies import processes, stamp

    done = output or Path("reports") / sweep.stem
    if resume and replay is None and (told := stamp.finished(done, sweep, until or ())) is not None:
        print(told)
        return
    processes.one_thread_each()
    from simulator.cli import sweep as command

    if replay is not None:
        command.replay(sweep, replay, output, tuple(until or ()))
        return
    where = command.Where(backend, scheduler, shard, resume)
    command.sweep(sweep, output, jobs, where, tuple(until or ()))


@app.command("compare")
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


@app.command("calibrate")
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


@app.command("rare")
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


power_commands.register(app)
climate_commands.register(app)
heat_commands.register(app)


@app.command("size")
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


@app.command("validate")
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


@app.command("plan")
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


@app.command("batch")
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


@app.command("report")
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


@app.command("catalog")
def _catalog(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help="accelerators, racks, models, ...")
    ] = None,
) -> None:
    """List equipment with its key figures, evidence and sources."""
    from simulator.cli import catalog as command

    command.catalog(kind)


@app.command("schema")
def _schema(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="scenario, topology, sweep, accelerator, ...")
    ],
) -> None:
    """Print the JSON Schema of a kind of document, for editors."""
    from simulator.cli import schema as command

    command.schema(kind)


def main() -> None:
    """Run the command line; problems become messages and exit codes, never a traceback."""
    gc.set_threshold(NEW_OBJECTS)
    later.put_off()
    try:
        app(prog_name="gigawatt")
    except Exception as error:
        sys.exit(exit_code(error))
