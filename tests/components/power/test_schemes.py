"""Redundancy schemes against their textbook fractions, and what is left after losses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.components.power.schemes import DISTRIBUTED, group_of, reshared

USABLE = {
    ("N", 4): 1.0, ("N+1", 3): 3 / 4, ("N+1", 6): 6 / 7, ("2N", 4): 0.5, ("3N/2", 4): 2 / 3,
    ("4N/3", 4): 3 / 4, ("5N/4", 4): 4 / 5, ("6N/5", 4): 5 / 6, ("block_redundant", 3): 3 / 4,
    ("block_redundant", 6): 6 / 7,
}  # fmt: skip


@pytest.mark.parametrize(("scheme", "usable"), USABLE.items())
def test_the_usable_fraction_is_the_published_one(scheme, usable):
    assert group_of(*scheme, 0.5).usable_frac == pytest.approx(usable, rel=1e-12)


@pytest.mark.parametrize(("scheme", "k"), DISTRIBUTED.items())
def test_survivors_of_kn_over_k_minus_1_go_from_u_to_uk_over_k_minus_1(scheme, k):
    group = group_of(scheme, 1, 0.5)
    u = group.share.sum(axis=0)
    assert u == pytest.approx(np.full(k, (k - 1) / 2))
    for lost in np.eye(k, dtype=bool):
        after = group.without(lost).sum(axis=0)
        assert after[lost] == 0.0
        assert after[~lost] == pytest.approx(u[~lost] * k / (k - 1))


def test_every_pair_of_lineups_feeds_one_block():
    group = group_of("4N/3", 1, 0.5)
    pairs = {tuple(np.flatnonzero(wired)) for wired in group.wired}
    assert len(pairs) == group.blocks == 6


def test_the_catcher_is_idle_until_one_falls_and_carries_two_if_two_fall():
    group = group_of("block_redundant", 3, 0.5)
    assert group.share[:, 3].sum() == 0.0
    assert group.without(np.array([True, False, False, False])).sum(axis=0).tolist() == [0, 1, 1, 1]
    assert group.without(np.array([True, True, False, False])).sum(axis=0).tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize("scheme", ["3N/2", "4N/3", "5N/4", "6N/5"])
def test_uneven_feeds_cost_usable_load(scheme):
    """A lineup that has `share_a` of a neighbour's block loses more of its room when that falls."""
    even, uneven = (group_of(scheme, 1, a) for a in (0.5, 0.65))
    assert uneven.usable_frac < even.usable_frac
    assert group_of("2N", 1, 0.65).usable_frac == 0.5  # either side carries all of it anyway


@pytest.mark.parametrize("scheme", [s for s, _ in USABLE])
@pytest.mark.parametrize("share_a", [0.3, 0.5, 0.62])
def test_no_state_that_is_survived_loads_a_lineup_above_the_worst(scheme, share_a):
    group = group_of(scheme, 5, share_a)
    assert group.share.sum(axis=1) == pytest.approx(np.ones(group.blocks))
    for share in group.states():
        assert share.sum() == pytest.approx(group.blocks)
        assert share.sum(axis=0).max() <= group.worst_load + 1e-12


shares = st.lists(st.floats(0.01, 1.0), min_size=1, max_size=6)


@given(shares, st.integers(0, 63), st.integers(0, 2))
def test_reshared_feeds_carry_all_of_the_draw(parts, mask, reserves):
    share = np.array([*parts, *[0.0] * reserves]) / sum(parts)
    live = np.array([bool(mask >> i & 1) for i in range(share.size)])
    after = reshared(share, live)
    assert after.sum() == pytest.approx(1.0)
    if live.any():
        assert not after[~live].any()
    if live[: len(parts)].any():
        assert not after[len(parts) :].any()  # reserves wait


def test_an_unknown_scheme_is_refused():
    with pytest.raises(ValueError, match="unknown scheme 7N"):
        group_of("7N", 1, 0.5)
