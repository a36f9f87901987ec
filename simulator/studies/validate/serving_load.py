"""Topic `serving_load`: a closed loop of users with fixed lengths on one deployment."""

from functools import lru_cache

from simulator.performance import serving_memory
from simulator.performance.serving_setting import ReplicaPlan
from simulator.performance.speculation import Drafts, speculated
from simulator.studies.validate.load_plans import Engines, engines_of
from simulator.studies.validate.replicas import (
    NARROW_KV,
    WIDE_KV,
    Deployment,
    deployment,
    unknown_quantity,
)
from simulator.studies.validate.request_loop import Engine, Lengths, Prefill, closed
from simulator.studies.validate.topic import Cells, Simulated, count, given, in_unit, number

QUANTITIES = ("ttft_mean", "tpot_mean")
ENGINES = {"vllm": "vllm-0.12", "sglang": "sglang-0.5", "trtllm": "trtllm-1.0"}
NARROW_KEYS = ("trtllm", "vllm")
"""Engines that kept keys and values in 8 bits where weights are narrow (InferenceX)."""

# Lengths of InferenceX runs, which draw each between 0.8 of it and all of it; others are exact.
SPREAD, INFERENCEX = 0.2, (1024.0, 8192.0)

DRAFTING = {"1.1.0rc2.post2", "1.2.0rc6.post3"}
"""Versions whose runs of DeepSeek-R1 drafted with its own prediction layer (InferenceX ran both; none
of these times is that of a run known not to draft)."""
DEEP, SHALLOW = Drafts(3, 2.49), Drafts(1, 1.79)
"""Tokens drafted and accepted per step: 3 where attention is tensor parallel, 1 where it is data
parallel; accepted as measured for a prediction layer (InferenceX)."""


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
    made = _deployment(row, engines.decode)
    prompt, output = number(row, "input_tokens"), count(row, "output_tokens")
    copies = engines.decodes if engines.prefill else 1
    users = max(round(count(row, "concurrency") * copies / engines.decodes), 1)
    cost, engine = made.cost.time, made.setting.engine
    drafts = _drafts(row, engines)
    if drafts:
        cost = speculated(made.setting, cost, drafts)
    loop = Engine(
        cost,
        made.seats(prompt + output) * copies,
        engine.chunk_tokens,
        engine.mixes,
        engine.request_host,
        _prefill(row, engines),
        copies,
    )
    spread = SPREAD if {prompt, float(output)} <= set(INFERENCEX) else 0.0
    found = closed(loop, Lengths(prompt, output, 1.0 - spread), users)
    note = engines.note or (
        "" if row.get("weight_precision") else f"{made.setting.precision} weights"
    )
    return *found.means(users), note


def _prefill(row: Cells, engines: Engines) -> Prefill | None:
    if engines.prefill is None:
        return None
    made = _deployment(row, engines.prefill)
    setting = made.setting
    kept = serving_memory.sequence_bytes(setting, 1.0) * setting.plan.tp
    moved_s = kept / (setting.plan.tp * setting.chip.scaleout_bandwidth)
    tokens = setting.engine.chunk_tokens * setting.plan.dp
    return Prefill(made.cost.time, engines.prefills, tokens, moved_s)


def _deployment(row: Cells, plan: ReplicaPlan) -> Deployment:
    name = given(row, "engine")
    if name not in ENGINES:
        raise ValueError(f"engine is '{name}', none of {', '.join(ENGINES)}")
    narrow = name in NARROW_KEYS and row.get("weight_precision")
    return deployment(row, plan, ENGINES[name], kv_bytes=NARROW_KV if narrow else WIDE_KV)


def _drafts(row: Cells, engines: Engines) -> Drafts | None:
    """Return what was drafted, if anything was."""
    drafting = row.get("engine_version") in DRAFTING and row["model"].endswith("DeepSeek-R1")
    if not drafting or row["engine"] != "trtllm":
        return None
    return DEEP if engines.decode.tp > 1 else SHALLOW
