"""Images in serving: what a replica's chips do to encode them before the language model reads them.

The encoder is a transformer of its own (`layers.encoder`), passed once by all positions of an image,
each of which sees all others; the chips of a group share its matrices as they share the language
model's. It runs in 16 bits, in the iteration in which its prompt begins. The projector behind it is
left out: one product of a token's width.
"""

from dataclasses import replace

import numpy as np

from simulator.components.language_model import LanguageModel
from simulator.performance import attention, layers
from simulator.performance import serving_operators as ops
from simulator.performance.layers import LayerKind
from simulator.performance.serving_exchange import all_reduce_s
from simulator.performance.serving_setting import ReplicaPlan, ServingSetting
from simulator.performance.serving_work import Work, waited, work

SUMS_PER_LAYER = 2.0
"""Over the chips of a group: behind attention, and behind the feed-forward network."""


def reads_images(model: LanguageModel) -> bool:
    """Return whether a model has an encoder of images."""
    return model.encoder is not None and "images" in model.encoder.reads


def image_token_work(setting: ServingSetting) -> Work:
    """Return the work of a group's chips to encode a typical image, over the tokens it gives: time,
    matrix units at peak, memory at peak, draw; shape (4,)."""
    model, kind = setting.model, layers.encoder(setting.model)
    if kind is None or model.encoder is None or not reads_images(model):
        return np.zeros(4)
    positions = np.array([float(round(model.encoder.tokens_per_image * model.encoder.patches_per_token))])
    own = replace(
        setting, plan=ReplicaPlan(tp=setting.plan.tp), precision="bf16",
        model=model.model_copy(update={"hidden": model.encoder.hidden, "latent": None, "experts": None}),
    )  # fmt: skip
    layer = ops.small_work(own, kind, positions)
    for product in kind.products:
        layer = layer + ops.product_work(own, kind, product, positions)
    layer = layer[:, 0] + _attention_work(own, kind, float(positions[0]))
    if own.plan.tp > 1:
        message = 2.0 * positions * model.encoder.hidden
        layer = layer + waited(SUMS_PER_LAYER * float(all_reduce_s(own, own.plan.tp, message)[0]))
    return np.asarray(kind.count * layer / model.encoder.tokens_per_image)


def _attention_work(setting: ServingSetting, kind: LayerKind, positions: float) -> Work:
    """Return the work of scores and values of one layer and image on one chip."""
    core = kind.attention
    assert core is not None
    heads, width = core.heads / setting.plan.tp, core.qk_dimension
    seconds = attention.attention_s(
        setting.chip, "bf16", 1.0, heads, heads, positions, positions, width, causal=False,
        clock_frac=setting.clock_frac,
    )  # fmt: skip
    share = setting.engine.of(setting.engine.attention_share, setting.chip.name)
    return work(setting, seconds / share, 4.0 * heads * width * positions**2, 0.0)
