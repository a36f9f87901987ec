"""Torus: TPU pods, and bisection by max-flow over every chip."""

import math

import networkx as nx
import pytest

from simulator.components.fabric import Ends
from simulator.components.fabric.torus import Torus

COMMON = {"port_bandwidth": "100 GB/s", "hop_latency": "600 ns", "switch_power": "108 W",
          "optic_power": "10 W"}
LINK = 100e9


def torus(**keys):
    return Torus(**COMMON | keys)


def ends(n):
    return Ends(n, n, 12.5e9, 1)


def test_tpu_v4_pod():
    """4,096 chips in 64 cubes over 48 circuit switches of 128 ports in use (arXiv:2304.01433)."""
    counts = torus().counts(ends(4096))
    assert counts.switches == {"circuit switch": 48}
    assert counts.optics == 64 * 96
    assert torus().dimensions(ends(4096)) == (16, 16, 16)


def test_tpu_v7_pod():
    """9,216 chips are 144 cubes, 16 x 24 x 24; all six links make 600 GB/s a way."""
    (tier,) = torus().tiers(ends(9216))
    assert tier.dimensions == (16, 24, 24)
    assert (tier.kind, tier.shape, tier.reach, tier.bytes_s) == ("scaleup", "torus", 9216, 600e9)
    assert torus(circuit_ports=288).counts(ends(9216)).switches == {"circuit switch": 48}


def test_six_links_of_every_chip_are_counted_once():
    for n in (64, 4096, 9216):
        counts = torus().counts(ends(n))
        assert counts.copper_links + counts.optical_links / (2 if n > 64 else 1) == 3 * n


@pytest.mark.parametrize("shape", [(4, 4, 8), (4, 8, 8)])
def test_bisection_is_the_max_flow_between_halves(shape):
    made, n = nx.DiGraph(), math.prod(shape)
    for x in range(shape[0]):
        for y in range(shape[1]):
            for z in range(shape[2]):
                for nx_, ny, nz in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
                    to = ((x + nx_) % shape[0], (y + ny) % shape[1], (z + nz) % shape[2])
                    made.add_edge((x, y, z), to, capacity=1)
                    made.add_edge(to, (x, y, z), capacity=1)
                end = "left" if z < shape[2] // 2 else "right"
                made.add_edge(*((end, (x, y, z)) if end == "left" else ((x, y, z), end)), capacity=9)
    flow = nx.maximum_flow_value(made, "left", "right")
    assert torus(shape=shape).bisection_bytes_s(ends(n)) == pytest.approx(flow * LINK)


def test_a_shape_is_whole_cubes_and_large_enough():
    with pytest.raises(ValueError, match="not made of cubes of 4"):
        torus(shape=(4, 4, 6))
    with pytest.raises(ValueError, match="has 128 places, not 256"):
        torus(shape=(4, 4, 8)).graph(ends(256))
