"""Deployments as InferenceX published them: workers, their parallelism, seats, drafts.

`inferencex_deployments.csv` holds the split ones of github.com/SemiAnalysisAI/InferenceX (its master
configurations between October 2025 and April 2026, GLM-5 of August 2026 at 843c625) with what the
recipes they name add (github.com/NVIDIA/srt-slurm at c88ef73): sequences of a decode worker, prompts
and tokens of one pass of a prefill worker. `users` are the numbers of users each was run with.
`inferencex_engines.csv` holds those of one engine where any had data-parallel attention or drafted.
"""

import csv
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from simulator.components import from_catalog
from simulator.performance.serving_setting import ReplicaPlan

FOLDER = Path(__file__).parent
SPLIT, ALONE = "inferencex_deployments.csv", "inferencex_engines.csv"

SAME_SHAPE = {"deepseek-v3": "deepseek-r1"}
"""Tables call some runs of DeepSeek-R1 by the model it was trained from."""


@dataclass(frozen=True)
class Workload:
    """What a deployment was run for."""

    model: str
    accelerator: str
    precision: str
    engine: str
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True)
class Workers:
    """Workers alike; 0 where a limit is not published."""

    count: int
    plan: ReplicaPlan
    seats: int = 0
    """Sequences of one at a time; of a prefill worker, prompts of one pass."""
    tokens: int = 0
    """Of one pass."""


@dataclass(frozen=True)
class Alone:
    """One engine that did both, prompts and decoding, for a range of users."""

    version: str
    least: int
    most: int
    plan: ReplicaPlan
    drafting: bool


@dataclass(frozen=True)
class Deployment:
    """One published deployment."""

    version: str
    users: tuple[int, ...]
    drafts: int
    prefill: Workers
    decode: Workers

    @property
    def chips(self) -> int:
        """Chips of all workers."""
        return sum(side.count * side.plan.chips for side in (self.prefill, self.decode))

    def away(self, users: int) -> float:
        """Return how far its numbers of users are, as the logarithm of a ratio."""
        return min(abs(math.log(users / known)) for known in self.users)


def of(workload: Workload) -> tuple[Deployment, ...]:
    """Return the deployments that were run for a workload."""
    return _table().get(workload, ())


def alone(workload: Workload) -> tuple[Alone, ...]:
    """Return the engines that were run for a workload, if any was data parallel or drafted."""
    return _engines().get(workload, ())


def workload(
    model: str, accelerator: str, precision: str, engine: str, input_tokens: int, output_tokens: int
) -> Workload:
    """Return a workload by the catalog's names."""
    name = from_catalog.language_model(model).name
    chip = from_catalog.accelerator(accelerator).name
    return Workload(
        SAME_SHAPE.get(name, name), chip, precision, engine, input_tokens, output_tokens
    )


@cache
def _engines() -> dict[Workload, tuple[Alone, ...]]:
    found: dict[Workload, tuple[Alone, ...]] = {}
    for row in _rows(ALONE):
        key, chips, ep = _key(row), int(row["chips"]), int(row["ep"])
        plan = (
            ReplicaPlan(1, chips, ep) if row["data_parallel"] == "1" else ReplicaPlan(chips, 1, ep)
        )
        made = Alone(
            row["version"],
            int(row["users_from"]),
            int(row["users_to"]),
            plan,
            row["drafting"] == "1",
        )
        found[key] = (*found.get(key, ()), made)
    return found


@cache
def _table() -> dict[Workload, tuple[Deployment, ...]]:
    found: dict[Workload, tuple[Deployment, ...]] = {}
    for row in _rows(SPLIT):
        key = _key(row)
        found[key] = (*found.get(key, ()), _deployment(row))
    return found


def _rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _key(row: dict[str, str]) -> Workload:
    lengths = int(row["input_tokens"]), int(row["output_tokens"])
    return workload(row["model"], row["accelerator"], row["precision"], row["engine"], *lengths)


def _deployment(row: dict[str, str]) -> Deployment:
    return Deployment(
        row["version"],
        tuple(int(n) for n in row["users"].split()),
        int(row["drafts"]),
        _workers(row, "prefill", row["prefill_prompts"], row["prefill_tokens"]),
        _workers(row, "decode", row["decode_seats"]),
    )


def _workers(row: dict[str, str], side: str, seats: str, tokens: str = "") -> Workers:
    tp, dp, ep = (int(row[f"{side}_{name}"]) for name in ("tp", "dp", "ep"))
    plan = ReplicaPlan(tp, dp, ep)
    return Workers(int(row[f"{side}_workers"]), plan, int(seats or 0), int(tokens or 0))
