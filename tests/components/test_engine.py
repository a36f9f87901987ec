"""Serving engines of the catalog: figures by chip and precision, versions, refusals."""

import pytest
from pydantic import ValidationError

from simulator import catalog
from simulator.components import from_catalog
from simulator.components.engine import Engine


@pytest.mark.parametrize("name", catalog.names("engines"))
def test_every_figure_has_a_source_and_serves_every_chip(name):
    engine = from_catalog.engine(name)
    assert engine.name == name
    for chip in catalog.names("accelerators"):
        assert 0.0 < engine.of(engine.kv_share, chip) <= 1.5
        assert engine.of(engine.kernel_start, chip) < 10e-6
        assert 0.0 < engine.by_precision(engine.product_rate, chip, "fp8") <= 1.5
    assert all(source for _, _, source, _, _ in catalog.figures("engines", name))


def test_a_newer_version_is_the_newest_older_one():
    assert from_catalog.engine("vllm-0.15").name == "vllm-0.12"
    assert from_catalog.engine("vllm-0.2.7").name == "vllm-0.2"
    with pytest.raises(KeyError, match=r"the catalog has no 'vllm-0\.1'"):
        from_catalog.engine("vllm-0.1")
    with pytest.raises(KeyError, match="vllm"):
        from_catalog.engine("vlm")


def test_a_chip_without_a_figure_takes_that_of_others_or_is_refused():
    engine = from_catalog.engine("vllm-0.12")
    assert engine.of({"other": 1.0, "H100": 2.0}, "H100") == 2.0
    assert engine.of({"other": 1.0, "H100": 2.0}, "A100") == 1.0
    with pytest.raises(KeyError, match="figures of H100, not of A100"):
        engine.of({"H100": 2.0}, "A100")


def test_a_precision_without_a_figure_takes_the_smallest():
    engine = from_catalog.engine("vllm-0.12")
    rates = {"other": {"bf16": 0.9, "fp8": 0.7}}
    assert engine.by_precision(rates, "H100", "fp8") == 0.7
    assert engine.by_precision(rates, "H100", "fp4") == 0.7
    assert engine.by_precision(rates, "H100", "bf16") == 0.9


def test_unknown_keys_and_absurd_shares_are_refused():
    made = from_catalog.engine("vllm-0.12").model_dump()
    for wrong in ({"color": 1}, {"kv_share": {"other": 7.0}}, {"exchange": "pigeon"}):
        with pytest.raises(ValidationError):
            Engine.model_validate(made | wrong, context={"si": True})
