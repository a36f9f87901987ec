"""How often a job is to be interrupted, by what that leaves of its saves."""

from dataclasses import dataclass

import numpy as np

from simulator.components.failure_class import FailureClass
from simulator.engine.hazards import Fleet
from simulator.site import Site

SPARING = ("interrupt",)
"""Effects that leave the memory of the racks as it is."""
RACKS_TOGETHER = ("block", "flow", "pump", "switch", "push", "ups")
"""Effects that take several racks at once."""
ELSEWHERE = ("uplink", "plant_unit", "plant_fan", "line", "transformer", "feeder", "generator", "support")
"""Effects that stop no job by themselves."""


@dataclass(frozen=True)
class Exposure:
    """Expected interruptions per second, at reference temperature and age."""

    sparing: float = 0.0
    """That leave all memory in place."""
    single: float = 0.0
    """That take a server or a rack."""
    several: float = 0.0
    """That take several racks at once."""

    @property
    def mttf_s(self) -> float:
        """Mean time between interruptions."""
        return _mean(self.sparing + self.single + self.several)

    def mttf_beyond_s(self, tier: str | None) -> float:
        """Return the mean time between failures that saves in a tier do not survive; without one,
        between all."""
        if tier is None:
            return self.mttf_s
        beyond = {"local": self.single + self.several, "peer": self.several, "remote": 0.0}
        return _mean(beyond[tier])


def exposure_of(
    site: Site, classes: tuple[FailureClass, ...], fleet: Fleet, racks: np.ndarray, wanted: int
) -> Exposure:
    """Return the exposure of a job on `wanted` of the racks it may use.

    Of what strikes racks it bears its share. Of what strikes a block or a leaf switch it bears as
    many as its racks fill when they stand together.
    """
    hazards = fleet.hazards
    share = wanted / max(racks.size, 1)
    on_racks = np.bincount(
        hazards.cls, weights=hazards.rate_s * (np.isin(hazards.rack, racks) & (hazards.rack >= 0)),
        minlength=len(classes),
    )
    on_plant = np.bincount(
        hazards.cls, weights=hazards.rate_s * (hazards.rack < 0), minlength=len(classes)
    )
    blocks = np.unique(site.rack_block[racks]).size
    filled = min(np.ceil(wanted / max(racks.size / max(blocks, 1), 1.0)), blocks)
    plant_share = filled / max(len(site.block_names), 1)
    rates = [0.0, 0.0, 0.0]
    for i, cls in enumerate(classes):
        if cls.effect not in ELSEWHERE and cls.per not in ("spine_switch", "core_switch"):
            rates[_kind(cls)] += share * on_racks[i] + plant_share * on_plant[i]
    return Exposure(*rates)


def _kind(cls: FailureClass) -> int:
    if cls.effect in SPARING:
        return 0
    return 2 if cls.effect in RACKS_TOGETHER else 1


def _mean(rate_s: float) -> float:
    return 1.0 / rate_s if rate_s > 0.0 else float("inf")
