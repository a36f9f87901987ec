"""A leaf-spine-core fabric counted from its ports."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from simulator.components.kinds import Spec
from simulator.units import Bandwidth, Duration, Positive, Power, Within


class Clos(Spec):
    """Folded Clos of equal switches: leaf, spine and, above one pod, core."""

    kind: Literal["clos"] = "clos"
    radix: Annotated[int, Field(ge=4, le=1024)]
    """Ports per switch at the endpoint rate."""
    port_bandwidth: Annotated[Bandwidth, Positive()]
    """Unidirectional bandwidth of one port."""
    oversubscription: Annotated[float, Field(ge=1.0, le=64.0)] = 1.0
    """Leaf down-links over up-links."""
    hop_latency: Annotated[Duration, Within("0 s", "1 s")]
    switch_power: Annotated[Power, Within("0 W", "100 kW")]
    """One switch without optics."""
    optic_power: Annotated[Power, Within("0 W", "1 kW")]
    """One optical module."""

    def size(self, endpoints: int) -> dict[str, int]:
        """Return switches per tier and optical modules for `endpoints` ports.

        Two tiers reach radix^2/2 endpoints, three tiers radix^3/4 (non-blocking fat tree,
        Al-Fares et al., SIGCOMM 2008). Links above the leaf are optical at both ends.
        """
        down = int(round(self.radix * self.oversubscription / (1.0 + self.oversubscription)))
        leaves = int(np.ceil(endpoints / down))
        uplinks = leaves * (self.radix - down)
        tiers = 2 if endpoints <= down * self.radix else 3
        spines = int(np.ceil(uplinks / (self.radix if tiers == 2 else self.radix / 2)))
        cores = 0 if tiers == 2 else int(np.ceil(uplinks / self.radix))
        links = endpoints + uplinks * (1 if tiers == 2 else 2)
        return {"leaf": leaves, "spine": spines, "core": cores, "optics": 2 * links, "tiers": tiers}
