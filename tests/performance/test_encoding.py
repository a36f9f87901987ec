"""The time of images in serving, against what their layers must take at least."""

import numpy as np
import pytest

from simulator.components import from_catalog
from simulator.performance import transformer
from simulator.performance.collectives import fabric_of
from simulator.performance.encoding import image_token_work, reads_images
from simulator.performance.serving_setting import ReplicaPlan, ServingSetting

ENGINE = "vllm-0.12"
READERS = ("qwen2.5-vl-72b", "gemma-3-27b", "gemma-3-4b", "llama-4-maverick", "llama-4-scout")


def setting(model, tp=1, chip="H100-SXM-80GB", **more):
    found = from_catalog.accelerator(chip)
    return ServingSetting(
        from_catalog.language_model(model), found, ReplicaPlan(tp=tp), "bf16",
        from_catalog.engine(ENGINE), fabric_of(found), 2.0, **more,
    )  # fmt: skip


@pytest.mark.parametrize("model", READERS)
def test_an_image_takes_its_arithmetic_at_a_share_of_the_peak(model):
    made = setting(model)
    seconds, matrix_s, memory_s, drawn_s = made.model.encoder.tokens_per_image * image_token_work(made)
    at_peak_s = transformer.encode_flops(made.model, 1.0) / made.chip.peak["bf16"]
    assert matrix_s == pytest.approx(at_peak_s, rel=0.05)
    assert 0.15 < at_peak_s / seconds < 0.75
    assert 0.0 < memory_s < seconds
    assert 0.2 * seconds < drawn_s <= seconds


@pytest.mark.parametrize("model", READERS)
def test_chips_that_share_the_matrices_share_the_time(model):
    one, four = (image_token_work(setting(model, tp=tp)) for tp in (1, 4))
    assert one[0] / 4.0 < four[0] < one[0]
    np.testing.assert_allclose(four[1], one[1] / 4.0, rtol=1e-9)


def test_a_slower_clock_encodes_more_slowly():
    full, half = (image_token_work(setting("gemma-3-27b", clock_frac=f))[0] for f in (1.0, 0.5))
    assert full < half < 2.0 * full


@pytest.mark.parametrize("model", ["llama-3.1-70b", "voxtral-mini-3b"])
def test_models_without_eyes_encode_no_images(model):
    assert not reads_images(from_catalog.language_model(model))
    assert not image_token_work(setting(model)).any()
