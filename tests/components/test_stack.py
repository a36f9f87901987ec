"""Software stacks: found by family and version, complete for every chip they meet."""

import pytest

from simulator import catalog
from simulator.components.from_catalog import accelerator, stack


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("megatron-bridge-26.06", "megatron-bridge-26.06"),
        ("megatron-bridge-26.05", "megatron-bridge-25.11"),
        ("megatron-bridge-27.01", "megatron-bridge-26.06"),
        ("mlperf-v5.1", "mlperf-v3.1"),
        ("Composer_FSDP_2024", "composer-fsdp-2024"),
    ],
)
def test_a_version_that_is_missing_is_the_newest_older_one(asked: str, found: str) -> None:
    assert stack(asked).name == found


@pytest.mark.parametrize("asked", ["megatron-bridge-24.01", "jax-2030", "nothing"])
def test_a_stack_without_an_older_version_is_unknown(asked: str) -> None:
    with pytest.raises(KeyError, match="the catalog has no"):
        stack(asked)


@pytest.mark.parametrize("name", catalog.names("stacks"))
def test_every_stack_has_shares_for_every_chip(name: str) -> None:
    made = stack(name)
    for chip in map(accelerator, catalog.names("accelerators")):
        for precision in chip.peak:
            assert 0.3 < made.share(chip.name, precision) < 1.3
        assert 0.2 < made.attention_rate(chip.name) <= 1.0
        assert 0.0 <= made.host_product_s(chip.name) < 0.01


@pytest.mark.parametrize("name", catalog.names("stacks"))
def test_chips_a_stack_names_are_in_the_catalog(name: str) -> None:
    made = stack(name)
    named = {*made.product_share, *made.attention_share, *made.host_product, *made.captures,
             *made.offloads, *made.precisions} - {"other"}  # fmt: skip
    assert {accelerator(chip).name for chip in named} == named


def test_constants_are_fewer_than_a_tenth_of_the_rows() -> None:
    fitted = {
        (name, id(figure))
        for name in catalog.names("stacks")
        for _, figure in catalog.evidenced("stacks", name)
        if "Fit of one number" in figure["source"]
    }
    assert 20 < len(fitted) <= 48  # 483 published steps
