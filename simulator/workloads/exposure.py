"""How often a job is to be interrupted, by what that leaves of its saves."""

from dataclasses import dataclass

import numpy as np

from simulator.components.failure_class import FailureClass
from simulator.engine.hazards import Fleet
from simulator.site import Site

SPARING = ("interrupt",)
"""Effects that leave the memory of the racks as it is."""
OF_BLOCKS = ("block", "flow")
"""Effects that take all racks of a block at once."""
OF_HALLS = ("switch", "push")
"""Effects that take several racks somewhere in a hall."""
ABOVE = ("spine_switch", "core_switch")
"""Switches whose loss leaves the job a slower network."""
INSIDE = (*SPARING, "server", "rack", "corrupt")
"""Effects on one rack. All others have something that stands in for what is lost."""


@dataclass(frozen=True)
class Exposure:
    """Expected stops by chance per second, by failures and false alarms, at reference temperature and age."""

    sparing: float = 0.0
    """That leave all memory in place."""
    single: float = 0.0
    """That take a server or a rack."""
    several: float = 0.0
    """That take several racks at once."""

    @property
    def mttf_s(self) -> float:
        """Mean time between them."""
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

    Of what strikes racks it bears its share, of blocks those that its racks fill when they stand
    together, of leaf switches and pushes under its racks as many as it has of these.
    """
    hazards, rates = fleet.hazards, [0.0, 0.0, 0.0]
    blocks = np.unique(site.rack_block[racks])
    filled = min(np.ceil(wanted * blocks.size / racks.size), blocks.size) / blocks.size
    share = wanted / racks.size
    mine = np.isin(hazards.rack, racks)
    for i, cls in enumerate(classes):
        of = hazards.cls == i
        if cls.effect in INSIDE:
            kind = 0 if cls.effect in SPARING else 1
            rates[kind] += share * float(hazards.rate_s[of & mine].sum())
        elif cls.effect in OF_BLOCKS:
            rates[2] += filled * float(hazards.rate_s[of & np.isin(fleet.target, blocks)].sum())
        elif cls.effect == "feed":
            alone = [site.own_block.get(node, -1) for node in fleet.target[of].tolist()]
            rates[2] += filled * float(hazards.rate_s[of][np.isin(alone, blocks)].sum())
        elif cls.effect in OF_HALLS and cls.per not in ABOVE:
            under = np.isin(fleet.target, _under(site, cls, racks))
            rates[2] += share * float(hazards.rate_s[of & under].sum())
    return Exposure(*rates)


def _under(site: Site, cls: FailureClass, racks: np.ndarray) -> list[int]:
    """Return the fabrics, or groups of halls, that have some of the racks."""
    if cls.effect == "switch":
        return [i for i, fabric in enumerate(site.fabrics) if np.isin(fabric.racks, racks).any()]
    halls = {site.hall_spec[hall].name for hall in np.unique(site.rack_hall[racks])}
    return [i for i, hall in enumerate(site.topology.halls) if hall.name in halls]


def _mean(rate_s: float) -> float:
    return 1.0 / rate_s if rate_s > 0.0 else float("inf")
