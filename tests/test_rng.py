"""Names of streams: stable across runs and machines, different wherever anything differs."""

import itertools

from simulator import rng


def test_keys_are_fixed_for_good():
    """Changing these changes every published run."""
    assert rng.key(1, 0, "failures") == rng.key(1, 0, "failures")
    words = {rng.key(seed, replicate, purpose)
             for seed, replicate, purpose in itertools.product(range(5), range(5), "abc")}
    assert len(words) == 75
    assert all(0 <= word < 2**32 for pair in words for word in pair)


def test_seed_and_replicate_do_not_run_together():
    assert rng.key(1, 11, "x") != rng.key(11, 1, "x") != rng.key(111, 0, "x")


def test_words_of_a_campus_do_not_collide():
    names = [f"{cls}/hall-{h:02d}" for cls in ("accelerator", "hbm", "nic") for h in range(200)]
    assert len({rng.word(name) for name in names}) == len(names)
    assert all(0 <= rng.word(name) < 2**32 for name in names)
