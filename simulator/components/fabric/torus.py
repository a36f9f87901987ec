"""3-D torus of cubes joined by optical circuit switches, as TPU pods are built."""

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from simulator.components.fabric._base import Counts, Ends, FabricSpec
from simulator.components.fabric.graph import Graph
from simulator.components.fabric.tier import Tier

DIRECTIONS = 6
"""Links of a chip: two along each axis."""


class Torus(FabricSpec):
    """Cubes wired in copper; the links of their faces go to circuit switches that close the rings.

    Opposite links of a cube go to the same switch, so `3 * cube^2` places of switches join all
    cubes (Jouppi et al., TPU v4, arXiv:2304.01433). `switch_power` is that of a circuit switch;
    light passes it, so there are modules at the cubes only. Endpoints are accelerators, whatever
    `network_ports` their racks have.
    """

    levels: ClassVar[Mapping[str, int]] = {"torus": 1}
    kind: Literal["torus"] = "torus"
    cube: Annotated[int, Field(ge=2, le=16)] = 4
    """Chips along the edge of a cube."""
    shape: tuple[int, int, int] | None = None
    """Chips along each axis; blank: as near to a cube as the number of cubes allows."""
    circuit_ports: Annotated[int, Field(ge=2, le=4096)] = 136
    """Fibre pairs of one circuit switch (Palomar: 136)."""

    @model_validator(mode="after")
    def _whole_cubes(self) -> Self:
        if self.shape and any(n < 1 or n % self.cube for n in self.shape):
            raise ValueError(f"shape {self.shape} is not made of cubes of {self.cube}")
        return self

    def attached(self, accelerators: int, network_ports: int) -> int:
        """Return one place per accelerator."""
        return accelerators

    def graph(self, ends: Ends) -> Graph:
        """Return one node per cube under the circuit switches.

        Rings run through the faces of a cube with all its chips send, so its trunk counts as what
        its chips' links carry, and each link of its faces as an equal share of that.
        """
        chips, cubes = self.cube**3, self._cubes(ends)
        attached = np.full(cubes, chips)
        attached[-1] = ends.accelerators - (cubes - 1) * chips
        joined = cubes > 1
        links = np.full(cubes, self._faces() if joined else 0)
        circuits = 3 * self.cube**2 * math.ceil(2 * cubes / self.circuit_ports)
        return Graph(
            tiers=("cube", "circuit switch")[: 1 + joined],
            tier=np.array([0] * cubes + [1] * joined),
            switches=np.array([0] * cubes + [circuits] * joined),
            parent=np.array([cubes if joined else -1] * cubes + [-1] * joined),
            links=np.append(links, [0] * joined).astype(np.int64),
            bytes_s=np.append(links > 0, [0] * joined) * chips * DIRECTIONS * self.port_bandwidth,
            ports=np.append(attached, [0] * joined).astype(np.int64),
            port_bytes_s=DIRECTIONS * self.port_bandwidth,
        )

    def tiers(self, ends: Ends) -> tuple[Tier, ...]:
        """Return the torus as one tier that takes the place of the scale-up links.

        `bytes_s` is that of all six links; `latency_s` that to a neighbour.
        """
        dimensions = self.dimensions(ends)
        reach, rate = math.prod(dimensions), DIRECTIONS * self.port_bandwidth
        return (Tier("torus", "scaleup", reach, rate, self.hop_latency, "torus", dimensions),)

    def dimensions(self, ends: Ends) -> tuple[int, int, int]:
        """Return chips along each axis; ValueError if the given shape is too small."""
        if self.shape is None:
            x, y, z = _near_cube(math.ceil(ends.accelerators / self.cube**3))
            return x * self.cube, y * self.cube, z * self.cube
        if math.prod(self.shape) < ends.accelerators:
            raise ValueError(
                f"a torus of {self.shape} has {math.prod(self.shape):,} places, not "
                f"{ends.accelerators:,}; leave 'shape' out"
            )
        return self.shape

    def bisection_bytes_s(self, ends: Ends) -> float:
        """Return the links through two cuts across the longest axis: N / longest each."""
        dimensions = self.dimensions(ends)
        return 2.0 * math.prod(dimensions) / max(dimensions) * self.port_bandwidth

    def counts(self, ends: Ends) -> Counts:
        """Return circuit switches, modules and cables."""
        cubes, inside = self._cubes(ends), 3 * self.cube**2 * (self.cube - 1)
        optical = cubes * self._faces() if cubes > 1 else 0
        closing = 0 if cubes > 1 else self._faces() // 2
        graph = self.graph(ends)
        circuits = graph.switches_of(1) if cubes > 1 else 0
        return Counts({"circuit switch": circuits}, 0, optical, optical, cubes * inside + closing)

    def _cubes(self, ends: Ends) -> int:
        return math.prod(self.dimensions(ends)) // self.cube**3

    def _faces(self) -> int:
        return DIRECTIONS * self.cube**2


def _near_cube(count: int) -> tuple[int, int, int]:
    """Return three factors of `count` with the smallest surface."""
    best = (1, 1, count)
    for x in range(1, round(count ** (1 / 3)) + 1):
        if count % x == 0:
            rest = count // x
            y = next(y for y in range(math.isqrt(rest), 0, -1) if rest % y == 0)
            best = min(best, (x, y, rest // y), key=lambda s: s[0] * s[1] + s[1] * s[2] + s[0] * s[2])
    return best
