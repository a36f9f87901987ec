"""Pipeline stages in serving: a round, in which each stage serves every part of the batch once.

The running sequences are dealt out over as many parts as there are stages. The parts follow each other
through the stages, so that a round takes as often the slowest stage's time for the largest part as there
are stages: what all layers take for one part, on the chips of one stage, and the way of its activations
from stage to stage. With fewer sequences than stages some stages rest (bubbles): a round never takes
less than one sequence's pass. Below that batch the reading of contexts counts as if shared by all.
"""

import math

import numpy as np

from simulator.performance import serving_operators as ops
from simulator.performance.collectives import send_s
from simulator.performance.serving_setting import ServingSetting
from simulator.performance.serving_work import TIME, Tokens, Work, waited

ACTIVATION_BYTES = 2.0
"""Of a number that goes from stage to stage: 16 bits."""


def uneven(setting: ServingSetting) -> float:
    """Return the layers of the longest stage over the mean: it sets the pace."""
    layers, pp = setting.model.layers, setting.plan.pp
    return math.ceil(layers / pp) * pp / layers


def round_work(setting: ServingSetting, tokens: Tokens, part: Work) -> Work:
    """Return the work of a round by the tokens of all parts, `part` being that of all layers for one.

    The last stage also scores the vocabulary, and all wait for it. A chip works for the parts there
    are; what a stage does is its share of the layers.
    """
    pp = setting.plan.pp
    if pp == 1:
        return part
    made = part * np.minimum(tokens / pp, 1.0)
    sent = ACTIVATION_BYTES * setting.model.hidden * np.maximum(tokens / pp, 1.0) / setting.plan.tp
    way_s = np.array([send_s(setting.fabric, float(each), setting.plan.tp) for each in sent])
    scores_s = ops.output_work(setting, np.ones(1))[0, 0]
    round_s = part[TIME] * uneven(setting) + pp * way_s + (pp - 1.0) * scores_s
    return np.asarray(made + waited(round_s - made[TIME]))


def shared(setting: ServingSetting, work: Work) -> Work:
    """Return what one sequence, or one pair of query and key, adds to a round: its part's share of
    all layers' work, at the pace of the longest stage."""
    if setting.plan.pp == 1:
        return work
    made = work / setting.plan.pp
    return np.asarray(made + waited((uneven(setting) - 1.0) * made[TIME]))


def per_sequence(setting: ServingSetting, work: Work) -> Work:
    """Return what one more sequence adds to a round: its scores hold up the last stage, and so all."""
    if setting.plan.pp == 1:
        return work
    made = work / setting.plan.pp
    return np.asarray(made + waited(work[TIME] - made[TIME]))
