"""Windows against the limits of utilities, and the battery that would keep them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.components import from_catalog
from simulator.components.power.mask import Mask, Verdict
from simulator.components.power.smoothing.battery_plant import BatteryPlant
from simulator.workloads.waveform import SAMPLE_S, Waveform

Floats = NDArray[np.float64]
FOLLOWS_S = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
"""Time constants tried, the fastest first: the slower, the larger the charge."""
RESPONSES_S = (0.05, 0.02, 0.01)
"""Responses tried, the slowest first: a usual plant, a fast one, and within one sample, which only
capacitors reach."""
MARGIN = 1.05
"""Of the power and energy found, over what the window used."""


@dataclass(frozen=True)
class Needed:
    """The smallest battery tried with which a window keeps a mask."""

    power_w: float
    energy_j: float
    follows_s: float
    response_s: float


NOTHING = Needed(0.0, 0.0, 0.0, 0.0)


def masks_of(spec: Waveform, names: tuple[str, ...]) -> list[Mask]:
    """Return the masks asked for; all that the catalog has if none is named."""
    return [from_catalog.mask(name) for name in spec.masks or names]


def keeps(verdicts: list[Verdict]) -> bool:
    """Tell whether every limit that can be told is kept."""
    return all(verdict.passes is not False for verdict in verdicts)


def needed(power_w: Floats, mask: Mask) -> Needed | None:
    """Return a battery behind which a trace keeps a mask, None if none tried does, or if the trace is
    too short for every limit.

    A battery without limits follows slower and slower until the mask is kept, a faster one if that
    does not do; its power and charge swing, with `MARGIN`, are the size, which is then tried with its
    limits.
    """
    verdicts = mask.judge(power_w, SAMPLE_S)
    if all(verdict.passes is None for verdict in verdicts):
        return None
    if keeps(verdicts):
        return NOTHING
    for response_s in RESPONSES_S:
        for follows_s in FOLLOWS_S:
            found = _sized(power_w, mask, follows_s, response_s)
            if found is not None:
                return found
    return None


def _sized(power_w: Floats, mask: Mask, follows_s: float, response_s: float) -> Needed | None:
    most_w = float(power_w.max())
    free_j = 1e6 * most_w
    free = _battery(1e3 * most_w, free_j, follows_s, response_s)
    followed = free.behind(power_w, SAMPLE_S)
    if not keeps(mask.judge(followed.grid_w, SAMPLE_S)):
        return None
    half_j = float(np.abs(followed.charge_j - 0.5 * free_j).max())
    flow_w = float(np.abs(followed.grid_w - power_w).max())
    sized_w, sized_j = MARGIN * flow_w, 2.0 * MARGIN * half_j
    sized = _battery(sized_w, sized_j, follows_s, response_s)
    kept = keeps(mask.judge(sized.behind(power_w, SAMPLE_S).grid_w, SAMPLE_S))
    return Needed(sized_w, sized_j, follows_s, response_s) if kept else None


def _battery(power_w: float, energy_j: float, follows_s: float, response_s: float) -> BatteryPlant:
    return BatteryPlant.model_validate(
        {
            "kind": "battery_plant", "power": power_w, "energy": energy_j, "follows": follows_s,
            "response": response_s,
        },
        context={"si": True},
    ).of_site(None)  # fmt: skip
