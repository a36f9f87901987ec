"""`gigawatt plan`: the best feasible parallel plans of a training step."""

import json
from typing import Any

from simulator.cli.exits import INFEASIBLE
from simulator.cli.text import number, table
from simulator.performance.plan_words import wording
from simulator.studies import plan as study
from simulator.studies.plan import Answer, Question, row
from simulator.studies.progress import say

WAYS = ("tp", "pp", "virtual_stages", "cp", "ep", "dp", "micro_batch")
SHORT = {"virtual_stages": "chunks", "micro_batch": "micro"}
CHOICES = ("schedule", "recompute", "sharding", "precision")
BYTES_PER_GB = 1e9


def plan(asked: Question, as_json: bool) -> None:
    """Carry out the command."""
    answer = study.plan(asked)
    if as_json:
        print(json.dumps(study.as_json(answer), indent=1, allow_nan=False))
    if not answer.found.plans:
        _say_why(answer)
        raise SystemExit(INFEASIBLE)
    if not as_json:
        print("\n".join(_lines(answer)))


def _lines(answer: Answer) -> list[str]:
    found = answer.found
    rows = [row(made) for made in found.plans]
    assumed = [f"assumed {name}: {why}" for name, why in answer.assumed.items()]
    return [
        f"{answer.model.name} on {answer.accelerators} {answer.chip.name}: "
        f"{found.feasible} of {found.searched} plans fit, the best of each layout:",
        *assumed, "", *_plans(rows), "", *_memory(rows), *_fewer(answer, "faster"),
    ]  # fmt: skip


def _plans(rows: list[dict[str, Any]]) -> list[str]:
    """Return how each plan divides the step, and what it takes."""
    header = ["plan", *(SHORT.get(name, name) for name in WAYS), *CHOICES,
              "step s", "MFU", "Mtokens/s", "exposed s", "bubble", "dynamic power"]  # fmt: skip
    cells = [
        [str(k), *(str(made[name]) for name in (*WAYS, *CHOICES)),
         number(made["step_time_s"], 4), _percent(made["mfu"]), number(made["tokens_s"] / 1e6, 4),
         number(made["exposed_communication_s"], 3), _percent(made["bubble_frac"]),
         _percent(made["dynamic_power_frac"])]
        for k, made in enumerate(rows, 1)
    ]  # fmt: skip
    ways = range(len(WAYS) + 1)
    return table(header, cells, right=(*ways, *range(len(ways) + len(CHOICES), len(header))))


def _memory(rows: list[dict[str, Any]]) -> list[str]:
    """Return what each plan keeps on the fullest chip."""
    header = ["plan", *(f"{part} GB" for part in rows[0]["memory"]), "memory GB"]
    cells = [
        [str(k), *(number(kept / BYTES_PER_GB, 3) for kept in made["memory"].values()),
         number(made["memory_bytes"] / BYTES_PER_GB, 3)]
        for k, made in enumerate(rows, 1)
    ]  # fmt: skip
    return table(header, cells, right=range(len(header)))


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _say_why(answer: Answer) -> None:
    """Say why there is no plan, and the nearest numbers of accelerators that have one."""
    say(f"gigawatt: {answer.reason}")
    for line in _fewer(answer, "nearest below"):
        say(f"gigawatt: {line}")
    if answer.enough:
        say(f"gigawatt: nearest above: {answer.enough} accelerators")
    if not answer.fewer and not answer.enough:
        say("gigawatt: no number of accelerators near it has a plan; try another batch")


def _fewer(answer: Answer, opening: str) -> list[str]:
    """Return the line on fewer accelerators, the others standing by."""
    if answer.fewer is None:
        return []
    count, best = answer.fewer
    told = f"{count} accelerators and {answer.accelerators - count} spares"
    return [f"{opening}: {told}: {wording(best.plan)}: {best.step.step_time_s:.4g} s"]
