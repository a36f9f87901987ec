"""Topic `serving_load`: a closed loop of users with fixed lengths on one deployment."""

from functools import lru_cache

from simulator.components import from_catalog
from simulator.performance import serving_memory
from simulator.performance.serving_setting import ReplicaPlan
from simulator.performance.speculation import Drafts
from simulator.studies.validate.load_plans import Engines, engines_of
from simulator.studies.validate.replicas import (
    NARROW_KV,
    WIDE_KV,
    Deployment,
    deployment,
    unknown_quantity,
)
from simulator.studies.validate.request_loop import Lengths, Pool, closed
from simulator.studies.validate.topic import Cells, Simulated, count, given, in_unit, number

FAMILIES = {"deepseek-r1": "deepseek", "deepseek-v3": "deepseek", "glm-5": "glm-5"}
CHUNKS = {
    ("sglang", "deepseek", "B200", "fp8"): 32768, ("sglang", "deepseek", "B200", "fp4"): 16384,
    ("sglang", "deepseek", "H200-SXM-141GB", "fp8"): 32768,
    ("sglang", "glm-5", "B200", "fp8"): 32768, ("sglang", "glm-5", "B200", "fp4"): 131072,
}  # fmt: skip
"""Tokens of an iteration where a script of InferenceX set other than the engine's default."""
POLLING, POLLS = "B200", (10, 30, 16)
"""On these chips SGLang looked for requests of DeepSeek every ten iterations, from 16 users on every
thirty (InferenceX, --scheduler-recv-interval)."""

QUANTITIES = ("ttft_mean", "tpot_mean")
ENGINES = {"vllm": "vllm-0.12", "sglang": "sglang-0.5", "trtllm": "trtllm-1.0"}
HOPPER = ("H100-SXM-80GB", "H200-SXM-141GB")
NARROW_ON_HOPPER = {"vllm": ("llama-3.1-70b",), "sglang": ("qwen3.5-397b-a17b",)}
WIDE_ANYWHERE = {"vllm": ("kimi-k2",), "sglang": (), "trtllm": ()}
"""Keys and values: TensorRT-LLM kept them in 8 bits but for gpt-oss on Hopper, the others on Blackwell
only, with these exceptions (scripts of InferenceX; engines of others left them in 16 bits)."""

# Lengths of InferenceX runs, which draw each between 0.8 of it and all of it; others are exact.
SPREAD, INFERENCEX = 0.2, (1024.0, 8192.0)

DRAFTING = {"1.1.0rc2.post2", "1.2.0rc6.post3"}
"""Versions whose runs of DeepSeek-R1 drafted with its own prediction layer (InferenceX ran both; none
of these times is that of a run known not to draft)."""
ACCEPTED = {1: 1.79, 2: 2.27, 3: 2.49}
"""Tokens that a step gives by tokens drafted, as measured for a prediction layer (InferenceX)."""
DEEP, SHALLOW = 3, 1
"""Tokens drafted by one engine of TensorRT-LLM: where attention is tensor parallel, and data parallel."""
SGLANG_DRAFTS = 2


def simulate(row: Cells) -> Simulated:
    """Return mean time to first token or mean time per further token."""
    quantity = row.get("quantity", "")
    if quantity not in QUANTITIES:
        raise unknown_quantity(row, QUANTITIES)
    keys = [(k, v) for k, v in row.items() if k not in ("id", "quantity", "unit", "measured")]
    ttft_s, tpot_s, note = _latency(tuple(keys))
    return Simulated(in_unit(ttft_s if quantity == "ttft_mean" else tpot_s, "s", row), note=note)


@lru_cache(maxsize=8)
def _latency(cells: tuple[tuple[str, str], ...]) -> tuple[float, float, str]:
    """Return mean TTFT, mean TPOT and what was chosen; both quantities of a run share it."""
    row = dict(cells)
    engines = engines_of(row)
    prompt, output = number(row, "input_tokens"), count(row, "output_tokens")
    pool, prefill, token_way_s = _pools(row, engines, prompt + output)
    drawn = {prompt, float(output)} <= set(INFERENCEX)
    lengths = Lengths(prompt, output, 1.0 - SPREAD if drawn else 1.0)
    users = count(row, "concurrency")
    found = closed(pool, lengths, users, prefill, token_way_s)
    precision = pool.deployment.setting.precision
    note = engines.note or ("" if row.get("weight_precision") else f"{precision} weights")
    return float(found.ttft_s.mean()), float(found.tpot_s.mean()), note


def _pools(row: Cells, engines: Engines, context: float) -> tuple[Pool, Pool | None, float]:
    """Return who decodes, who takes prompts if others do, and how long a token moves over."""
    made = _deployment(row, engines.decode)
    known, seats = engines.published, made.seats(context)
    drafts = _drafts(row, engines)
    if known and known.decode.seats:
        seats = min(seats, known.decode.seats)
    accepted = Drafts(drafts, ACCEPTED[drafts]) if drafts else None
    pool = Pool(made, seats, engines.decodes, accepted, *_flags(row, engines))
    if engines.prefill is None:
        return pool, None, 0.0
    first = _deployment(row, engines.prefill)
    prompts, tokens = (known.prefill.seats, known.prefill.tokens) if known else (0, 0)
    prefill = Pool(first, prompts or first.seats(context), engines.prefills, None, tokens)
    kept = serving_memory.sequence_bytes(first.setting, 1.0)
    return pool, prefill, kept / first.setting.chip.scaleout_bandwidth


def _deployment(row: Cells, plan: ReplicaPlan) -> Deployment:
    name = given(row, "engine")
    if name not in ENGINES:
        raise ValueError(f"engine is '{name}', none of {', '.join(ENGINES)}")
    narrow = bool(row.get("weight_precision")) and _narrow_keys(row)
    return deployment(row, plan, ENGINES[name], kv_bytes=NARROW_KV if narrow else WIDE_KV)


def _narrow_keys(row: Cells) -> bool:
    """Tell whether an engine kept keys and values in 8 bits."""
    name, model = given(row, "engine"), from_catalog.language_model(given(row, "model")).name
    on_hopper = from_catalog.accelerator(given(row, "accelerator")).name in HOPPER
    if name == "trtllm":
        return not (on_hopper and model.startswith("gpt-oss"))
    if on_hopper:
        return model in NARROW_ON_HOPPER[name]
    return model not in WIDE_ANYWHERE[name]


def _flags(row: Cells, engines: Engines) -> tuple[int, int]:
    """Return the tokens of an iteration and the iterations between two looks at arrivals.

    Of engines that decode only neither matters.
    """
    name, chip = given(row, "engine"), given(row, "accelerator")
    model = from_catalog.language_model(given(row, "model")).name
    if engines.prefill or model not in FAMILIES:
        return 0, 1
    tokens = CHUNKS.get((name, FAMILIES[model], chip, row.get("weight_precision", "")), 0)
    if name != "sglang" or FAMILIES[model] != "deepseek" or chip != POLLING:
        return tokens, 1
    return tokens, POLLS[1] if count(row, "concurrency") >= POLLS[2] else POLLS[0]


def _drafts(row: Cells, engines: Engines) -> int:
    """Return how many tokens were drafted ahead."""
    if engines.published:
        return engines.published.drafts
    drafting, trtllm = engines.drafting, row["engine"] == "trtllm"
    if drafting is None:
        drafting = trtllm and row.get("engine_version") in DRAFTING
        drafting = drafting and row["model"].endswith("DeepSeek-R1")
    if not drafting:
        return 0
    if not trtllm:
        return SGLANG_DRAFTS
    return DEEP if engines.decode.tp > 1 else SHALLOW
