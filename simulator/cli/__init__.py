"""The commands: parse, call, print. stdout is data, stderr is log and progress.

Every command imports what it needs when it runs, so that `--help` answers at once.
"""

import gc
import sys

import typer

from simulator.cli import (
    heat_commands,
    later,
    model_commands,
    power_commands,
    reference_commands,
    run_commands,
    study_commands,
)
from simulator.cli.exits import (
    FAILED_ASSERT,
    FAILED_RUNS,
    INFEASIBLE,
    INTERRUPTED,
    INVALID,
    exit_code,
)
from simulator.studies.threads import one_thread_each

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

for group in (
    run_commands, study_commands, power_commands, heat_commands, model_commands, reference_commands,
):  # fmt: skip
    for name, command in group.COMMANDS.items():
        app.command(name)(command)


def main() -> None:
    """Run the command line; problems become messages and exit codes, never a traceback."""
    gc.set_threshold(NEW_OBJECTS)
    one_thread_each()
    later.put_off()
    try:
        app(prog_name="gigawatt")
    except Exception as error:
        sys.exit(exit_code(error))
