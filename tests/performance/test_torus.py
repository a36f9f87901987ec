"""The torus: who stands where, which links work, and what the middle lets through."""

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.components.from_catalog import accelerator
from simulator.performance import collectives, torus
from simulator.performance.collectives import fabric_of
from simulator.performance.transports import TORUS_SHARE

POD = (16, 20, 28)


@pytest.mark.parametrize(
    ("ranks", "stride", "taken"),
    [
        (8, 1, [8, 1, 1]),
        (16, 1, [16, 1, 1]),
        (320, 1, [16, 20, 1]),
        (8960, 1, [16, 20, 28]),
        (20, 16, [1, 20, 1]),
        (128, 8, [2, 20, 4]),
        (28, 320, [1, 1, 28]),
    ],
)
def test_a_group_fills_axis_by_axis(ranks, stride, taken):
    assert torus.extents(POD, ranks, stride) == taken


@given(ranks=st.integers(1, 8960), stride=st.sampled_from([1, 2, 4, 8, 16, 32]))
def test_extents_hold_the_group(ranks, stride):
    taken = torus.extents(POD, ranks, stride)
    assert all(1 <= n <= size for n, size in zip(taken, POD, strict=True))
    if ranks * stride <= prod(POD):
        assert prod(taken) >= min(ranks, prod(POD) // stride // 2)


def test_a_whole_pod_uses_every_link():
    assert torus.ring_bytes_s(300e9, POD, [16, 20, 28]) == 300e9
    assert torus.ring_bytes_s(300e9, POD, [16, 20, 1]) == pytest.approx(200e9)
    assert torus.ring_bytes_s(300e9, POD, [8, 1, 1]) == pytest.approx(100e9)  # closed by switches
    assert torus.ring_bytes_s(300e9, POD, [6, 1, 1]) == pytest.approx(50e9)  # no way back
    assert torus.ring_bytes_s(400e9, (16, 16), [8, 1]) == pytest.approx(100e9)  # nothing to close


def test_half_the_bytes_cross_the_middle():
    # n^3 chips: n^3/2 send S/2 over 2 n^2 links of B/6 one way.
    n, total, sent = 16, 300e9, 1e9
    expected_s = n**3 / 2 * sent / 2 / (2 * n**2 * total / 6)
    assert torus.exchange_s(total, (n, n, n), [n, n, n], sent) == pytest.approx(expected_s)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_a_small_torus_is_bound_by_the_chips_links(n):
    sent, total = 1e9, 300e9
    time_s = torus.exchange_s(total, (n, n, n), [n, n, n], sent)
    assert time_s >= sent * (n**3 - 1) / n**3 / total * (1 - 1e-9)


def test_an_exchange_hurts_more_the_longer_the_axis_while_gathers_do_not():
    chip = accelerator("TPU-v5p")
    fabric = fabric_of(chip)
    small, large = 16, 8960
    gathers = [collectives.all_gather_s(fabric, n, 1e9) for n in (small, large)]
    exchanges = [collectives.all_to_all_s(fabric, n, 1e9) for n in (small, large)]
    assert gathers[1] < gathers[0] and exchanges[1] > exchanges[0]
    moved_s = (large - 1) / large * 1e9 / (TORUS_SHARE * chip.scaleup_bandwidth)
    assert gathers[1] == pytest.approx(moved_s, rel=0.02)


def test_a_neighbour_gets_one_link():
    chip = accelerator("TPU-v5p")
    sent_s = collectives.send_s(fabric_of(chip), 1e9, 1)
    assert sent_s == pytest.approx(1e9 / (TORUS_SHARE * chip.scaleup_bandwidth / 6), rel=0.01)
