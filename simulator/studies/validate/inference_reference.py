"""Topic `inference_reference`: single published figures of serving, their configuration in words.

DeepSeek's day of serving, its model in InferenceX at a given speed per user, and results of MLPerf.
Everything else is told apart with the reason why it is nothing this simulates.
"""

import re

from simulator.performance.iteration import IterationCost
from simulator.performance.serving_setting import ReplicaPlan
from simulator.performance.speculation import Drafts, speculated
from simulator.studies.validate.mlperf_inference import PROMPT_TOKENS, TENSORRT
from simulator.studies.validate.replicas import NARROW_KV, Deployment, deployment
from simulator.studies.validate.topic import Cells, Simulated, given
from simulator.studies.validate.under_limits import Task, tokens_s

DAY_S, NODE = 86400.0, 8
INPUT, OUTPUT, HIT_FRAC = 608e9, 168e9, 342.0 / 608.0
"""Tokens of DeepSeek's day (27 February 2025), and the share of prompts found on disk."""
STREAMS, CONTEXT, PROMPT = 705.0, 4989.0, 4096.0
"""Sequences of a decode node and tokens behind a token of an answer as published; tokens of a prompt,
which are not. Assumed, 2000-5000."""
PREFILL, DECODE = ReplicaPlan(1, 32, 32), ReplicaPlan(1, 144, 144)
OWN = {"model": "deepseek-v3", "accelerator": "H800", "weight_precision": "fp8"}
ENGINE = "sglang-0.5"
"""Open engine with DeepSeek's own exchange of tokens and data-parallel attention."""

SPEEDY = "trtllm-1.0"
"""Engine of InferenceX's fastest runs."""

ASKED = Task(8192.0, 1024.0)
PROMPTS = ReplicaPlan(1, 8, 8)
PLANS = (ReplicaPlan(8, 1, 1), ReplicaPlan(8, 1, 8), PROMPTS, ReplicaPlan(1, 32, 32))
"""Engines that compute its prompts, and those that decode; the last within a rack only."""
DRAFTS = Drafts(3, 2.49)
"""As the fastest runs of InferenceX drafted, accepted as it measured a prediction layer."""

MODELS = {"R1": "deepseek-r1", "405": "llama-3.1-405b", "70": "llama-2-70b"}
CHIPS = {"MI300": "MI300X", "MI325": "MI325X"}
ANSWERS = {"R1": 3740.0, "405": 653.0, "70": 290.0}
LIMITS = {
    "R1-S": (2.0, 0.080), "405-S": (6.0, 0.175), "405-I": (4.5, 0.080), "70-I": (0.450, 0.040)
}  # fmt: skip
"""MLPerf v5.1 by the parts of an id: models, mean answers, limits on first and further tokens."""


def simulate(row: Cells) -> Simulated:
    """Return a figure in its unit; ValueError says why one is not simulated."""
    name = given(row, "id")
    own = {"DS-PRE": prefill_s, "DS-DEC": decode_s, "DS-SPD": speed, "DS-NODES": nodes}
    if name in own:
        return Simulated(own[name](), note=f"on {ENGINE}")
    if name.startswith("MLP-"):
        return _mlperf(name, row.get("configuration", ""))
    found = re.match(r"(\w+) (?:NVL72 )?FP8 8k.*@ (\d+) tok/s/user", row.get("configuration", ""))
    if name.startswith("IX-") and found:
        return Simulated(at_speed(found.group(1), float(found.group(2))), note="prompts counted")
    raise ValueError(f"'{row.get('quantity', '')}' is no figure that a deployment determines")


def prefill_s() -> float:
    """Return tokens/s of a prefill node, those found on disk counted."""
    made = deployment(OWN, PREFILL, ENGINE)
    new = PROMPT * (1.0 - HIT_FRAC)
    many = PREFILL.dp * max(int(made.setting.engine.chunk_tokens // new), 1)
    pass_s = made.cost.time.prompts_s(new, PROMPT - new, float(many))
    return many * PROMPT / pass_s * NODE / PREFILL.chips


def _decode() -> float:
    made: Deployment = deployment(OWN, DECODE, ENGINE)
    return made.decode_s(STREAMS * DECODE.chips / NODE, CONTEXT)


def decode_s() -> float:
    """Return tokens/s of a decode node."""
    return STREAMS / _decode()


def speed() -> float:
    """Return tokens/s that a user sees."""
    return 1.0 / _decode()


def nodes() -> float:
    """Return the mean number of nodes that the day's tokens took."""
    return (INPUT / prefill_s() + OUTPUT / decode_s()) / DAY_S


def _mlperf(name: str, configuration: str) -> Simulated:
    _, model, chip, *scenario = name.split("-")
    told = re.search(r"(\d+)\s?x(?=[A-Z])|x(\d+)", configuration)
    usual = 72 if chip.startswith("GB") else 8
    chips = int(told.group(1) or told.group(2)) if told else usual
    precision = "fp4" if "B" in chip else "fp8"
    key = "-".join([model, *scenario])
    limits = LIMITS[key] if scenario else ()
    task = Task(PROMPT_TOKENS[MODELS[model]], ANSWERS[model], *limits)
    rate = tokens_s(MODELS[model], CHIPS.get(chip, chip), chips, precision, TENSORRT, task)
    return Simulated(rate, note=f"best plan of {chips} chips on {TENSORRT}")


def at_speed(chip: str, tokens_s_user: float) -> float:
    """Return tokens/s of a chip, prompts counted, of DeepSeek-R1 at 8192 in and 1024 out.

    Engines take as many users as get so many tokens per second, the best of several plans with and
    without drafts. A server computes prompts beside decoding, so users wait for them; racks compute them
    apart, and chips of both are counted.
    """
    row = {"model": "deepseek-r1", "accelerator": chip, "weight_precision": "fp8"}
    rack = chip.startswith("GB")
    first = deployment(row, PROMPTS, SPEEDY, kv_bytes=NARROW_KV)
    apart_s = first.cost.time.prompts_s(ASKED.prompt, 0.0, float(PROMPTS.dp)) if rack else 0.0
    best = 0.0
    for plan in PLANS if rack else PLANS[:3]:
        made = deployment(row, plan, SPEEDY, kv_bytes=NARROW_KV)
        plain = made.cost.time
        for cost in (plain, speculated(made.setting, plain, DRAFTS)):
            batch = _users(made, cost, cost.emitted / tokens_s_user, beside=not rack)
            chips = plan.chips + batch * tokens_s_user / ASKED.output * apart_s
            best = max(best, batch * tokens_s_user * (1.0 + ASKED.prompt / ASKED.output) / chips)
    return best


def _users(made: Deployment, cost: IterationCost, step_s: float, beside: bool) -> float:
    """Return how many sequences decode in a step of so many seconds at most, prompts `beside` it or
    not: of a full chunk each group computes its share, so they cost what they do together."""
    context, groups = ASKED.prompt + 0.5 * ASKED.output, made.setting.plan.dp
    each_s = cost.prompts_s(ASKED.prompt, 0.0, float(groups)) / groups if beside else 0.0
    low, high = 0, made.seats(ASKED.prompt + ASKED.output) + 1
    while high - low > 1:
        middle = (low + high) // 2
        mean_s = cost.decode_s(middle, context) + middle * cost.emitted / ASKED.output * each_s
        low, high = (middle, high) if mean_s <= step_s else (low, middle)
    return float(low)
