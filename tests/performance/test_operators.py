"""Operators that only move bytes."""

import pytest

from simulator.components.from_catalog import accelerator
from simulator.performance import chip as chips
from simulator.performance.operators import (
    CAST_BANDWIDTH_SHARE,
    CASTS,
    OPERATORS,
    cast_s,
    operator_s,
)

H100 = accelerator("H100")


def test_a_stream_is_bytes_over_bandwidth_and_launches() -> None:
    second = chips.STREAM_SHARE * H100.memory_bandwidth
    assert chips.stream_s(H100, second, kernels=0) == pytest.approx(1.0)
    assert chips.stream_s(H100, 0.0, kernels=3) == pytest.approx(3 * chips.LAUNCH_S)


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_operators_grow_with_their_elements(name: str, direction: str) -> None:
    small, large = (operator_s(H100, name, n, direction) for n in (1e6, 2e9))
    assert 0 < small < large
    kernels = OPERATORS[name].kernels * chips.LAUNCH_S
    assert (large - kernels) / (small - kernels) == pytest.approx(2000)


def test_a_norm_reads_and_writes_once() -> None:
    moved_s = 4.0 * 1e9 / (chips.STREAM_SHARE * H100.memory_bandwidth)
    assert operator_s(H100, "norm", 1e9) == pytest.approx(moved_s, rel=1e-2)


@pytest.mark.parametrize("kind", CASTS)
def test_a_second_copy_only_writes(kind: str) -> None:
    one, two = (cast_s(H100, kind, 1e9, copies) for copies in (1, 2))
    written_s = CASTS[kind].written_bytes * 1e9 / (CAST_BANDWIDTH_SHARE * H100.memory_bandwidth)
    assert two - one == pytest.approx(written_s)


def test_unknown_names_bring_the_nearest() -> None:
    with pytest.raises(KeyError, match="norm"):
        operator_s(H100, "nrom", 1.0)
    with pytest.raises(KeyError, match="nvfp4"):
        cast_s(H100, "nvpf4", 1.0)
