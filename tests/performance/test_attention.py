"""Attention kernels: closed forms, limits, and the speeds their papers publish."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.components.from_catalog import accelerator
from simulator.performance import chip as chips
from simulator.performance.attention import attended, attention_s
from simulator.performance.products import OPERAND_BANDWIDTH_SHARE

LENGTHS = (512, 1024, 2048, 4096, 8192, 16384)


def speed(
    name: str,
    head_dim: int,
    length: int,
    causal: bool = False,
    direction: str = "forward",
    tokens: int = 16_384,
    **chosen: object,
) -> float:
    """Return TFLOP/s as the papers count them: hidden 2,048, half the pairs where causal."""
    batch, heads = tokens / length, 2048 / head_dim
    flops = 4.0 * batch * heads * length**2 * head_dim * (0.5 if causal else 1.0)
    flops *= 2.5 if direction == "backward" else 1.0
    time_s = attention_s(
        accelerator(name),
        "bf16",
        batch,
        heads,
        heads,
        length,
        length,
        head_dim,
        causal,
        direction,
        **chosen,
    )
    return flops / time_s / 1e12


# FlashAttention-3 (arXiv:2407.08608), figures 5 and 6, H100: TFLOP/s at the six lengths.
FA3 = [
    (128, False, "forward", (467, 565, 625, 638, 646, 648)),
    (128, True, "forward", (292, 423, 521, 579, 602, 616)),
    (64, False, "forward", (333, 392, 460, 476, 496, 497)),
    (64, True, "forward", (197, 265, 371, 420, 460, 473)),
    (256, True, "forward", (286, 427, 537, 612, 628, 642)),
    (128, False, "backward", (316, 424, 501, 542, 559, 561)),
    (64, False, "backward", (272, 363, 422, 453, 472, 474)),
]


@pytest.mark.parametrize(("dim", "causal", "direction", "measured"), FA3)
def test_flash_attention_3_on_h100(dim, causal, direction, measured) -> None:
    for length, known in zip(LENGTHS, measured, strict=True):
        within = 0.25 if length < 2048 else 0.15
        assert speed("H100", dim, length, causal, direction) == pytest.approx(known, rel=within)


@pytest.mark.parametrize(
    ("direction", "measured"),
    [
        ("forward", (309, 350, 362, 368, 370, 370)),
        ("backward", (214, 260, 291, 310, 318, 322)),
    ],
)
def test_the_generation_before_on_h100(direction, measured) -> None:
    for length, known in zip(LENGTHS, measured, strict=True):
        got = speed("H100", 128, length, False, direction, kernel="earlier")
        assert got == pytest.approx(known, rel=0.13)


@pytest.mark.parametrize(
    ("causal", "direction", "known"),
    [
        (False, "forward", 1535),
        (True, "forward", 1418),
        (False, "backward", 1360),
        (True, "backward", 1209),
    ],
)
def test_flash_attention_4_on_b200(causal, direction, known) -> None:
    """Pull request 2280: heads of 128, 8,192 positions, 4 sequences of 16 heads."""
    got = speed("B200", 128, 8192, causal, direction, tokens=32_768)
    assert got == pytest.approx(known, rel=0.10)


@pytest.mark.parametrize(("length", "known"), [(1024, 100), (2048, 119), (4096, 133), (8192, 139)])
def test_unfused_on_h100_waits_for_its_scores(length: int, known: int) -> None:
    """The paper's standard attention has no dropout, which moves 5 of our 13 bytes per score."""
    got = speed("H100", 128, length, kernel="unfused")
    assert 0.7 * known < got < 1.05 * known
    assert got < 0.25 * speed("H100", 128, length)


@given(st.integers(1, 300), st.integers(0, 300), st.integers(1, 700), st.booleans())
def test_attended_positions_are_counted(q: int, before: int, window: int, causal: bool) -> None:
    kv = q + before
    seen = [min(i + 1 if causal else kv, window) for i in range(before, kv)]
    mean = sum(seen) / q
    assert attended(q, kv, causal, window) == pytest.approx(mean)


@pytest.mark.parametrize("name", ["A100", "H100", "GB300", "MI300X", "TPU-v5p", "Maia-200"])
def test_never_faster_than_matrix_products(name: str) -> None:
    made = accelerator(name)
    for precision in ("bf16", "fp8"):
        limit = chips.matrix_rate_flop_s(made, precision)
        flops = 4.0 * 64 * 32_768**2 * 128
        time_s = attention_s(made, precision, 1, 64, 8, 32_768, 32_768, 128, causal=False)
        assert flops / time_s < limit


def test_one_query_takes_what_its_keys_take_to_read() -> None:
    h100 = accelerator("H100")
    read_s = 2.0 * 64 * 8 * 65_536 * 256 / (OPERAND_BANDWIDTH_SHARE * h100.memory_bandwidth)
    time_s = attention_s(h100, "bf16", 64, 32, 8, 1, 65_536, 128)
    assert read_s < time_s < 1.15 * read_s


def test_shapes_bend_it_the_right_way() -> None:
    gb200 = accelerator("GB200")

    def time_s(**changed: float) -> float:
        shape = {"batch": 1, "heads": 32, "kv_heads": 8, "q_len": 8192, "kv_len": 8192}
        return attention_s(gb200, "bf16", **(shape | {"head_dim": 128} | changed))

    whole = time_s()
    assert time_s(causal=False) > 1.7 * whole
    assert time_s(window=1024) < 0.4 * whole
    assert 1.9 < time_s(batch=2) / whole < 2.05
    assert 2.0 < time_s(direction="backward") / whole < 3.5
    assert whole < time_s(head_dim=192, value_dim=128) < 1.25 * whole  # latent attention
    assert time_s(clock_frac=0.5) == pytest.approx(2 * whole, rel=0.02)
    assert time_s(kernel="earlier") > 1.5 * whole


def test_narrow_formats_do_not_speed_up_softmax() -> None:
    h100 = accelerator("H100")
    shape = (1, 16, 16, 16_384, 16_384, 256, False)
    gain = attention_s(h100, "bf16", *shape) / attention_s(h100, "fp8", *shape)
    assert 1.5 < gain < 1.9  # 756 to 1171 TFLOP/s in the paper: 1.55
