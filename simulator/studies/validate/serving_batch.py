"""Topic `serving_batch`: steady continuous batching at an observed mean batch."""

from simulator.performance.serving_setting import ReplicaPlan
from simulator.studies.validate.replicas import deployment, unknown_quantity
from simulator.studies.validate.topic import Cells, Simulated, count, given, in_unit, number

QUANTITIES = ("output_throughput", "itl_p50", "accelerator_power")
ENGINE = "vllm-0.11"
"""Of ML.ENERGY's leaderboard v3."""

# Prompt tokens by task, which the tables do not give: a line of chat, and a question of graduate
# science with four answers. Assumed, 20-500 and 150-600.
PROMPT_TOKENS = {"lm-arena-chat": 100.0, "gpqa": 300.0}

REASONING, PLANNING, CAPTURED = "gpqa", "B200", ("gpt-oss",)
"""Task and chip of engines that launched attention from the host, and models whose configuration asked
for whole iterations in graphs (`cudagraph_mode: FULL_AND_PIECEWISE`; ml-energy/benchmark at c1d6557,
configs/vllm). Which engines of one chip waited for their host shows in their times only: without this
the rest of the table is as it was, and the 90th percentiles of all of it are 42, 31 and 38 %."""

# Squared spread of answers over their mean, which makes long answers count in the mean context as
# often as they step. Assumed, 0.2-1.0.
LENGTH_CV2 = 0.5


def simulate(row: Cells) -> Simulated:
    """Return tokens/s, the time between tokens, or the power of all chips.

    A batch that stays full admits a prompt for every `output` tokens it writes, so per iteration
    batch / output prompts take the engine; the median token sees none of them.
    """
    engines, chips = count(row, "dp", 1), count(row, "n_accelerators")
    each = chips // engines
    plan = ReplicaPlan(tp=each, ep=each if number(row, "ep", 1.0) > 1.0 else 1)
    made = deployment(row, plan, ENGINE, planned=_planned(row))
    prompt, note = _prompt(row)
    output = number(row, "mean_output_tokens")
    batch = number(row, "mean_batch", number(row, "max_num_seqs", 1.0)) / engines
    context = prompt + 0.5 * output * (1.0 + LENGTH_CV2)
    step_s, prompts = made.decode_s(batch, context), batch / output
    quantity = row.get("quantity", "")
    if quantity == "itl_p50":
        return Simulated(in_unit(step_s, "s", row), note=note)
    if quantity == "output_throughput":
        rate = engines * batch / (step_s + prompts * made.added_s(prompt, batch))
        return Simulated(in_unit(rate, "tokens/s", row), note=note)
    if quantity == "accelerator_power":
        frac = made.mean_power(batch, context, prompt, prompts)
        return Simulated(in_unit(chips * made.power_w(frac), "W", row), note=note)
    raise unknown_quantity(row, QUANTITIES)


def _planned(row: Cells) -> bool:
    """Tell whether the host launched mixers one by one: engines of one chip, eight beside one another on
    their host, in long answers, unless graphs held whole iterations."""
    alone = count(row, "n_accelerators") == 1 and row.get("task") == REASONING
    captured = any(name in given(row, "model") for name in CAPTURED)
    return alone and row.get("accelerator") == PLANNING and not captured


def _prompt(row: Cells) -> tuple[float, str]:
    """Return the prompt's tokens and where they are from."""
    if row.get("prompt_tokens"):
        return number(row, "prompt_tokens"), ""
    task = given(row, "task")
    if task not in PROMPT_TOKENS:
        raise ValueError(
            f"task is '{task}', none of {', '.join(PROMPT_TOKENS)}: how long are prompts?"
        )
    return PROMPT_TOKENS[task], f"prompts of {PROMPT_TOKENS[task]:.0f} tokens assumed"
