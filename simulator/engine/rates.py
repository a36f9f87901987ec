"""Failure rates of one replicate: the fleet's own, or drawn from how far published fleets lie apart."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pandas as pd

from simulator import rng
from simulator.components.failure_class import FailureClass
from simulator.engine.failures import Front
from simulator.engine.populations import ON_RACKS
from simulator.engine.world import World
from simulator.kernels import philox

NODE_FAILURES = (6.50, 2.34, 3.79)
"""Failures per 1,000 days of an eight-accelerator node: RSC-1 and RSC-2 (arXiv:2410.21680), Llama 3
(arXiv:2407.21783, 419 stops of 2,048 nodes in 54 days). Measured."""
FLEET_SPREAD = float(np.std(np.log(NODE_FAILURES), ddof=1))
"""Log-standard deviation of what all classes on racks of a fleet share, 0.51. Derived."""
YEAR_S = 31_557_600.0


def of_replicate(
    classes: tuple[FailureClass, ...], how: str, seed: int, replicate: int
) -> tuple[FailureClass, ...]:
    """Return the classes with the rates of a replicate.

    Drawn rates are lognormal around the fleet's as medians. Classes on racks share one factor, of
    the spread that the failures of nodes show between fleets; what a class spreads beyond that, and
    all that a class of plant spreads, is its own.
    """
    if how == "fixed":
        return classes
    key = rng.key(seed, replicate, "failure rates")
    fleet = FLEET_SPREAD * philox.normal(*key, rng.word("fleet"), 0, 0, 0)

    def factor(cls: FailureClass) -> float:
        on_racks = cls.per in ON_RACKS
        beyond = cls.spread**2 - (FLEET_SPREAD**2 if on_racks else 0.0)
        own = math.sqrt(max(beyond, 0.0)) * philox.normal(*key, rng.word(cls.name), 0, 0, 1)
        return math.exp(own + (fleet if on_racks else 0.0))

    return tuple(c.model_copy(update={"rate": c.rate * factor(c)}) for c in classes)


def table(world: World, front: Front, fleet: tuple[FailureClass, ...]) -> pd.DataFrame:
    """Return for each class its rate in the catalog and in this replicate, and how many failures
    were to be expected of the hazard the fleet was exposed to, and how many came.

    A failure of a whole group counts once per unit. A unit that is out when it is hit does not
    count: for units of plant slightly fewer come than were expected.

    Parameters
    ----------
    fleet : the classes before their rates were drawn
    """
    entities, classes = front.fleet, len(fleet)
    cls = entities.hazards.cls
    units = np.bincount(cls, weights=entities.units, minlength=classes)
    struck = np.bincount(cls, weights=entities.hazards.rate_s, minlength=classes)
    came = Counter(
        cause for _, kind, _, cause, _, detail in world.events
        if kind == "failure" and detail != "scripted"
    )  # fmt: skip
    rows = []
    for i, (given, drawn) in enumerate(zip(fleet, front.classes, strict=True)):
        each = drawn.rate * units[i] / struck[i] if struck[i] else 1.0  # with those of its group
        expected = float(entities.classes.exposure[i]) * each
        rows.append((given.name, given.per, float(units[i]), given.rate * YEAR_S,
                     drawn.rate * YEAR_S, expected, came[given.name]))  # fmt: skip
    return pd.DataFrame(rows, columns=[
        "class", "per", "units", "fleet_rate_year", "rate_year", "expected", "simulated"])
