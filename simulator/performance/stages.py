"""How the layers of a model are dealt out to pipeline stages: what the fullest stage holds."""

from functools import lru_cache

from simulator.components.language_model import LanguageModel
from simulator.performance import layers
from simulator.performance.layers import LayerKind

# Embedding and output, each counted as one layer where layers do not divide evenly.
END_LAYERS = 2

Mix = tuple[tuple[LayerKind, float], ...]


def depth(model: LanguageModel) -> int:
    """Return the layers to deal out, those of multi-token prediction included."""
    return model.layers + model.mtp_layers


def fullest(model: LanguageModel, pp: int) -> float:
    """Return the layers of the fullest of `pp` stages.

    Layers that do not divide evenly are dealt out with embedding and output as one layer each, as
    frameworks do (Llama 3: 126 layers on 16 stages, the first and the last one short of a layer).
    """
    total = depth(model)
    if total % pp == 0:
        return total / pp
    return float(min(-(-(total + END_LAYERS) // pp), total))


@lru_cache(maxsize=4096)
def mix(model: LanguageModel, pp: int) -> Mix:
    """Return the kinds of layers of the fullest stage, each with how many it holds (a mean).

    Kinds are spread evenly, but where fewer than half of the networks are dense they are the first
    ones (DeepSeek, GLM, Kimi): a stage further back has experts only.
    """
    share = fullest(model, pp) / depth(model)
    networks, moe = share * model.ffn_layers, share * model.moe_layers
    if 0 < 2 * model.dense_layers < model.ffn_layers:
        moe = min(networks, float(model.moe_layers))
    dealt = {"experts": moe, "dense network": networks - moe}
    made = layers.predictions(model)
    every = (*layers.kinds(model), *((made,) if made else ()))
    return tuple((kind, dealt.get(kind.name, share * kind.count)) for kind in every)
