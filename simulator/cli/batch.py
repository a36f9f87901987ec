"""`gigawatt batch`: a trace of requests served by identical replicas, request by request."""

import json
import math
import re
from pathlib import Path
from typing import Any

from simulator.cli.exits import INFEASIBLE
from simulator.cli.text import number, table
from simulator.errors import display_name
from simulator.studies import batch as study
from simulator.studies import batch_stream as streams
from simulator.studies import batch_tables as tables
from simulator.studies.batch import Batch
from simulator.studies.batch_deployment import InfeasibleError, Question
from simulator.studies.batch_routes import listed
from simulator.studies.progress import say

DIGITS = 4


def batch(
    asked: Question, rate_s: float | None, duration_s: float, output: Path | None, as_json: bool
) -> None:
    """Carry out the command: the trace as it is, or with a rate a stream of requests like it."""
    folder = output or Path("reports") / _name(asked.trace)
    try:
        summary = (
            _replay(asked, folder) if rate_s is None else _stream(asked, rate_s, duration_s, folder)
        )
    except InfeasibleError as error:
        say(f"gigawatt: {error}")
        raise SystemExit(INFEASIBLE) from None
    _remark(summary)
    if as_json:
        print(json.dumps(summary, indent=1, allow_nan=False))
    else:
        print("\n".join(_lines(summary, folder)))


def or_endless(limit: float | None) -> float:
    """Return a limit; none is no limit."""
    return math.inf if limit is None else limit


def _replay(asked: Question, folder: Path) -> dict[str, Any]:
    served = study.serve(asked)
    summary = tables.summary(served)
    tables.write(served, folder, summary)
    _draw(served, folder)
    _tell(served.trace.remarks)
    return summary


def _stream(asked: Question, rate_s: float, duration_s: float, folder: Path) -> dict[str, Any]:
    stream, found = streams.serve(asked, rate_s, duration_s)
    summary = streams.summary(stream, found)
    tables.write_summary(folder, summary)
    _tell(stream.trace.remarks)
    return summary


def _tell(remarks: tuple[str, ...]) -> None:
    for remark in remarks:
        say(remark)


def _name(trace: Path) -> str:
    return re.sub(r"[^\w.-]+", "-", f"batch-{trace.name.partition('.')[0]}")


def _draw(served: Batch, folder: Path) -> None:
    from simulator.reports import batch as figures  # drawing needs libraries that tables do not

    figures.write(tables.over_time(served), tables.latencies(served), folder / "figures")


def _remark(summary: dict[str, Any]) -> None:
    """Say what a reader must know to trust the numbers."""
    for name, why in summary["assumed"].items():
        say(f"assumed {name}: {why}")
    kpis = summary["kpis"]
    for name in ("rejected", "shed", "queued", "unfinished", "no_route"):
        count = kpis[name]["value"] if name in kpis else 0
        if count:
            say(f"{count} of {kpis['requests']['value']} requests {name.replace('_', ' ')}")
    if summary.get("other_models"):
        say(f"no route: requests for {listed(summary['other_models'])}, not {summary['model']}")


def _lines(summary: dict[str, Any], folder: Path) -> list[str]:
    made = summary["deployment"]
    pools = f"{made['replicas']} replicas"
    if made["prefill_replicas"]:
        pools = f"{made['prefill_replicas']} replicas for prompts, {pools} for the rest"
    rows = [
        [name, number(entry["value"], DIGITS), entry["unit"]]
        for name, entry in summary["kpis"].items()
    ]
    return [
        f"{summary['model']} on {pools} of {made['tp'] * made['dp'] * made['pp']} {summary['accelerator']}, "
        f"{made['kv_tokens']} tokens of cache each",
        "",
        *table(["kpi", "value", "unit"], rows, right=(1,)),
        "",
        f"tables: {display_name(str(folder))}",
    ]
