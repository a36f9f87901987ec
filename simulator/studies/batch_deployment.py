"""What a trace is served on: the replica, its memory, the cost of its iterations as the kernel has it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.components import from_catalog
from simulator.kernels import dispatch
from simulator.kernels.batching_state import GRAIN, Cost, Rules
from simulator.performance import serving_memory, speculation
from simulator.performance.batching import kernel_cost, rules_of, transfer_s
from simulator.performance.collectives import fabric_of
from simulator.performance.encoding import reads_images
from simulator.performance.iteration import ReplicaCost, replica_cost_of
from simulator.performance.serving_setting import ReplicaPlan, ServingSetting
from simulator.request_trace import BLOCK_TOKENS, RequestTrace
from simulator.studies import StudyError

ENGINE = "vllm-0.12"
"""The newest engine of the catalog that mixes prompts and decoding."""
KV_BYTES = 2.0
"""Bytes of one value of keys and values: 16 bits, the engines' default."""


class InfeasibleError(StudyError):
    """A deployment that cannot be: the message says what does not fit."""


@dataclass(frozen=True)
class Question:
    """What is asked; None where the engine's own figure is meant."""

    trace: Path
    model: str
    accelerator: str
    tp: int = 1
    dp: int = 1
    ep: int = 1
    pp: int = 1
    """Stages that each have a part of the layers."""
    replicas: int = 1
    prefill_replicas: int = 0
    """Replicas that only take prompts; with them the others only decode."""
    kv_tokens: int | None = None
    max_sequences: int | None = None
    max_batched_tokens: int | None = None
    chunked: bool | None = None
    ahead: bool | None = None
    """Iterations are made up while the one before runs."""
    precision: str | None = None
    engine: str = ENGINE
    dispatch: str = dispatch.POLICIES[0]
    swap: bool = False
    patience_s: float = math.inf
    block_tokens: int | None = None
    """Tokens of a block of the trace's prefixes; 0: no prefix cache."""
    drafts: int = 0
    accepted: float | None = None
    """Tokens that a step of speculative decoding gives on average."""
    drawn: bool = False
    """Accepted drafts are drawn for every step."""
    slo_ttft_s: float = math.inf
    slo_tpot_s: float = math.inf
    seed: int = 1

    @property
    def limited(self) -> bool:
        """Whether there is a limit that requests can be within."""
        return min(self.slo_ttft_s, self.slo_tpot_s) < math.inf


@dataclass(frozen=True)
class Deployment:
    """One replica as the kernel serves on it."""

    setting: ServingSetting
    rules: Rules
    cost: Cost
    assumed: Mapping[str, str] = field(default_factory=dict)
    """Why each value that was not given is what it is."""

    @property
    def kv_tokens(self) -> int:
        """Tokens of keys and values that fit a replica."""
        return self.rules.capacity // GRAIN

    def transfer_s(self, tokens: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how long keys and values of prompts are on their way to another replica."""
        return transfer_s(self.setting, tokens)


def deploy(asked: Question, trace: RequestTrace) -> Deployment:
    """Return the replica that a question asks for; StudyError for what is unknown or impossible."""
    setting = _setting(asked)
    assumed = {
        "kv_bytes": "16-bit keys and values",
        "fabric": "one non-blocking network at the chip's own ports",
    }
    cost = replica_cost_of(setting)
    if asked.drafts:
        cost = _speculated(asked, setting, cost)
    rules = _rules(asked, setting, trace, assumed)
    return Deployment(setting, rules, kernel_cost(cost, rules.max_tokens), assumed)


def with_images(asked: Question, trace: RequestTrace) -> RequestTrace:
    """Return a trace whose prompts hold the tokens of their images beside their text; a StudyError if
    the model reads none."""
    if trace.images is None or not trace.images.any():
        return replace(trace, images=None)
    model = named(from_catalog.language_model, asked.model)
    if not reads_images(model) or model.encoder is None:
        raise StudyError(f"{trace.path.name} has images, and {model.name} reads none")
    shown = model.encoder.tokens_per_image * trace.images
    return replace(trace, input_tokens=trace.input_tokens + shown)


def seen_tokens(deployment: Deployment, images: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the tokens that images give."""
    made = deployment.setting.model.encoder
    return images * made.tokens_per_image if made else 0 * images


def _setting(asked: Question) -> ServingSetting:
    model = named(from_catalog.language_model, asked.model)
    chip = named(from_catalog.accelerator, asked.accelerator)
    engine = named(from_catalog.engine, asked.engine)
    plan = ReplicaPlan(tp=asked.tp, dp=asked.dp, ep=asked.ep, pp=asked.pp)
    if model.heads % asked.tp:
        raise StudyError(f"{asked.tp} chips do not share the {model.heads} heads of {model.name}")
    if asked.ep > 1 and (not model.experts or plan.stage_chips % asked.ep):
        has = f"{model.experts.count} experts" if model.experts else "no experts"
        raise StudyError(f"{model.name} has {has}: no {asked.ep} ranks of {plan.stage_chips} chips")
    if asked.pp > model.layers:
        raise StudyError(f"{model.name} has {model.layers} layers: no {asked.pp} stages")
    if asked.pp > 1 and (asked.dp > 1 or asked.drafts):
        raise StudyError("stages (--pp) go with neither groups (--dp) nor --drafts; leave one out")
    precision = asked.precision or model.weight_precision
    if precision not in ("bf16", "fp8", "int8", "fp4"):
        raise StudyError(f"weights come in bf16, fp8, int8 or fp4, not in {precision}")
    return ServingSetting(model, chip, plan, precision, engine, fabric_of(chip), KV_BYTES)


def named(load: Any, name: str) -> Any:
    """Return what the catalog has under a name; a StudyError if it has nothing."""
    try:
        return load(name)
    except KeyError as error:
        raise StudyError(str(error.args[0])) from None


def _speculated(asked: Question, setting: ServingSetting, cost: ReplicaCost) -> ReplicaCost:
    accepted = asked.accepted
    if accepted is None or not 1.0 <= accepted <= asked.drafts + 1.0:
        raise StudyError(
            f"a step that verifies {asked.drafts} drafts gives 1 to {asked.drafts + 1} tokens; "
            f"--accepted says {accepted}"
        )
    try:
        drafts = speculation.Drafts(asked.drafts, accepted)
        return speculation.speculated_replica(setting, cost, drafts)
    except ValueError as error:
        raise InfeasibleError(str(error)) from None


def _rules(
    asked: Question, setting: ServingSetting, trace: RequestTrace, assumed: dict[str, str]
) -> Rules:
    engines = rules_of(setting, _kv_tokens(asked, setting, trace, assumed), asked.drafts)
    verified, tokens = engines.verified, asked.max_batched_tokens or engines.max_tokens
    sequences = asked.max_sequences or min(engines.max_sequences, tokens // verified)
    if sequences * verified > tokens:
        raise StudyError(
            f"{sequences} sequences bring {sequences * verified} tokens to an iteration, more than "
            f"the {tokens} it may have: fewer --max-sequences or more --max-batched-tokens"
        )
    block = asked.block_tokens
    if block is None:
        block = BLOCK_TOKENS if trace.blocks else 0
    if block and not trace.blocks:
        raise StudyError(f"{trace.path.name} has no prefix blocks for a cache to find")
    return engines._replace(
        max_sequences=sequences,
        max_tokens=tokens,
        chunked=engines.chunked if asked.chunked is None else asked.chunked,
        ahead=engines.ahead if asked.ahead is None else asked.ahead,
        swap=asked.swap,
        block_tokens=block,
        patience_s=asked.patience_s,
    )


def _kv_tokens(
    asked: Question, setting: ServingSetting, trace: RequestTrace, assumed: dict[str, str]
) -> int:
    """Return the tokens that fit a replica: as asked, or what the weights leave."""
    context = float(trace.input_tokens.mean() + 0.5 * trace.output_tokens.mean())
    try:
        most = int(serving_memory.kv_tokens(setting, context))
    except ValueError as error:
        raise InfeasibleError(str(error)) from None
    if asked.kv_tokens is None:
        assumed["kv_tokens"] = "what weights leave of the engine's share of memory"
        return most
    if asked.kv_tokens > most:
        assumed["kv_tokens"] = f"as given, though only {most} fit beside the weights"
    return asked.kv_tokens
