"""What fits the memory of one serving replica: weights, keys and values, recurrent states."""

from simulator.performance import layers, transformer
from simulator.performance.serving_setting import ServingSetting
from simulator.performance.serving_stages import uneven

# Bytes of a byte that chips are sold with: makers count memory in powers of two and call them GB (drivers
# show 81,559 MiB on H100-80GB, 143,771 on H200-141GB, 183,359 on B200-180GB). Measured.
BINARY = 2**30 / 1e9


def weight_bytes(setting: ServingSetting) -> float:
    """Return the bytes of weights on one chip.

    Groups that take different sequences each hold attention and dense networks; experts are there
    once. Low-rank projections that no chip shares are on every chip. Of several stages the fullest
    counts: the longest, with the larger of what stands before the layers and what stands behind.
    """
    plan, model, total = setting.plan, setting.model, 0.0
    behind = 2.0 * layers.output(model).stored_weights / plan.tp
    before = 2.0 * (transformer.parameters(model) - _layers_weights(setting)) / plan.tp
    for kind in layers.kinds(model):
        each = setting.other_bytes(kind)
        for product in kind.products:
            share = {"experts": plan.stage_chips, "whole": 1}.get(product.split, plan.tp)
            each += setting.weight_bytes(product) / share
        total += kind.count * each
    if plan.pp > 1:
        return total * uneven(setting) / plan.pp + max(before, behind)
    return behind + before + total


def _layers_weights(setting: ServingSetting) -> float:
    """Return the weights of the layers and the output matrix; the rest are tables and encoders."""
    model = setting.model
    kept = sum(kind.count * kind.stored_weights for kind in layers.kinds(model))
    return kept + layers.output(model).stored_weights


def sequence_bytes(setting: ServingSetting, context: float) -> float:
    """Return the bytes that one sequence keeps on each chip of its group.

    A chip cannot keep less than one key-value head, so more chips than heads keep copies; latent
    vectors are kept on all. Of several stages each keeps those of its layers.
    """
    model, plan = setting.model, setting.plan
    whole = transformer.kv_bytes(model, context, setting.kv_bytes)
    heads = 1.0 if model.latent or model.low_rank else float(model.kv_heads)
    kept = whole / min(plan.tp, heads) + transformer.state_bytes(model) / plan.tp
    return kept * uneven(setting) / plan.pp


def room_bytes(setting: ServingSetting) -> float:
    """Return a chip's memory beside its weights; ValueError if they leave none."""
    memory = setting.engine.memory_share * setting.chip.memory * BINARY
    weights = weight_bytes(setting)
    if weights >= memory:
        model, chip, plan = setting.model, setting.chip, setting.plan
        raise ValueError(
            f"{model.name} needs {weights * plan.chips / 1e9:.0f} GB for {setting.precision} "
            f"weights; {plan.chips} x {chip.name} offer {memory * plan.chips / 1e9:.0f} GB"
        )
    return memory - weights


def seats(setting: ServingSetting, context: float) -> int:
    """Return how many sequences of `context` tokens fit; ValueError if none does."""
    kept, room = sequence_bytes(setting, context), room_bytes(setting)
    if kept > room:
        chips = setting.plan.chips
        raise ValueError(
            f"one sequence of {context:.0f} tokens of {setting.model.name} keeps "
            f"{kept * setting.plan.tp / 1e9:.1f} GB; {chips} x {setting.chip.name} have "
            f"{room * chips / 1e9:.1f} GB beside the weights"
        )
    return int(room // kept) * setting.plan.dp


def kv_tokens(setting: ServingSetting, context: float) -> float:
    """Return the tokens of keys and values that fit, in sequences of `context` tokens each."""
    return room_bytes(setting) / sequence_bytes(setting, context) * context * setting.plan.dp
