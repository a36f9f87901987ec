"""Matrix products: limits that are known, and 5,635 published times."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import catalog
from simulator.components.accelerator import Accelerator
from simulator.components.from_catalog import accelerator
from simulator.performance import chip as chips
from simulator.performance.operators import cast_s
from simulator.performance.products import (
    OPERAND_BANDWIDTH_SHARE,
    SPLIT_DEPTH,
    WAVE_LOSS,
    paced_waves,
    product_s,
)

CHIPS = catalog.names("accelerators")
H100 = accelerator("H100")
dimension = st.integers(1, 20_000)
deep = st.integers(32, 20_000)
wide = st.integers(128, 20_000)  # thinner results are worked on in thinner tiles
precisions = st.sampled_from(["bf16", "fp8", "fp4", "int8"])


@given(st.sampled_from(CHIPS), precisions, dimension, dimension, dimension)
def test_never_faster_than_the_roofline(name: str, precision: str, m: int, n: int, k: int) -> None:
    made = accelerator(name)
    if precision == "int8" and "int8" not in made.peak and "fp8" not in made.peak:
        precision = "bf16"
    time_s = product_s(made, precision, m, n, k)
    assert time_s > 2.0 * m * n * k / chips.matrix_rate_flop_s(made, precision)
    assert time_s > 0.5 * n * k / made.memory_bandwidth


@pytest.mark.parametrize("name", CHIPS)
def test_large_products_approach_the_sustained_rate(name: str) -> None:
    made, side = accelerator(name), 131_072
    ideal_s = 2.0 * side**3 / chips.matrix_rate_flop_s(made, "bf16")
    assert product_s(made, "bf16", side, side, side) == pytest.approx(ideal_s, rel=0.02)


def test_one_row_takes_what_its_weights_take_to_read() -> None:
    n = k = 65_536
    read_s = 2.0 * n * k / (OPERAND_BANDWIDTH_SHARE * H100.memory_bandwidth)
    time_s = product_s(H100, "bf16", 1, n, k)
    assert read_s < time_s == pytest.approx(read_s + chips.LAUNCH_S, rel=0.02)


def test_the_smallest_product_is_a_launch() -> None:
    assert chips.LAUNCH_S < product_s(H100, "bf16", 1, 64, 64) < 1.5 * chips.LAUNCH_S


@given(dimension, dimension, deep, st.integers(1, 4096))
def test_more_work_never_takes_less_time(m: int, n: int, k: int, more: int) -> None:
    time_s = product_s(H100, "bf16", m, n, k)
    slack = 1.0 - 1e-12
    assert product_s(H100, "bf16", m + more, n, k) >= slack * time_s
    assert product_s(H100, "bf16", m, n + more, k) >= slack * time_s
    assert product_s(H100, "bf16", m, n, k + more) >= slack * time_s


@given(wide, wide, dimension)
def test_rows_and_columns_of_the_result_are_alike(m: int, n: int, k: int) -> None:
    assert product_s(H100, "bf16", m, n, k) == pytest.approx(product_s(H100, "bf16", n, m, k))


def test_edges_of_tiles_are_paid_in_full() -> None:
    m, n, k = 128 * 132, 128 * 16, 65_536
    even_s = product_s(H100, "bf16", m, n, k)
    assert product_s(H100, "bf16", m - 127, n, k) == pytest.approx(even_s, rel=1e-3)
    assert product_s(H100, "bf16", m + 1, n, k) > 1.005 * even_s


@pytest.mark.parametrize(
    ("tiles", "waves"),
    [(132, 1.0), (264, 2.0), (133, WAVE_LOSS * 2 + (1 - WAVE_LOSS) * 133 / 132)],
)
def test_waves_by_hand(tiles: int, waves: float) -> None:
    assert paced_waves(float(tiles), 1e9, 132) == pytest.approx(waves)


def test_few_tiles_are_split_along_the_sum_as_far_as_it_is_deep() -> None:
    shallow, deep = paced_waves(1.0, SPLIT_DEPTH, 132), paced_waves(1.0, 1e9, 132)
    assert shallow == pytest.approx(WAVE_LOSS + (1 - WAVE_LOSS) * 0.5)
    assert deep == pytest.approx(WAVE_LOSS + (1 - WAVE_LOSS) / 132)


def test_experts_share_a_kernel() -> None:
    one_s = product_s(H100, "bf16", 128, 2048, 4096)
    many_s = product_s(H100, "bf16", 128, 2048, 4096, count=64)
    assert many_s < 64 * one_s
    whole_s = product_s(H100, "bf16", 128 * 64, 2048, 4096)
    assert many_s > whole_s  # the same work, but each expert's weights are read


def test_arrays_and_numbers_agree() -> None:
    m, n, k = (np.array(v, float) for v in ([1, 100, 8192], [1024, 300, 4096], [64, 5000, 8192]))
    together = product_s(H100, "fp8", m, n, k)
    apart = [product_s(H100, "fp8", *shape) for shape in zip(m, n, k, strict=True)]
    assert together == pytest.approx(apart)


def test_a_precision_without_units_is_widened() -> None:
    a100, shape = accelerator("A100"), (8192, 8192, 8192)
    slow_s = product_s(a100, "bf16", *shape)
    assert product_s(a100, "fp8", *shape) == pytest.approx(slow_s, rel=0.02)
    assert product_s(a100, "int8", *shape) < 0.6 * slow_s
    narrow_s = product_s(a100, "bf16", 1, 16_384, 16_384, weights="int8")
    assert narrow_s < 0.6 * product_s(a100, "bf16", 1, 16_384, 16_384)
    with pytest.raises(ValueError, match="no matrix units"):
        product_s(a100, "fp64", *shape)


def test_a_slower_clock_slows_the_cores_not_the_memory() -> None:
    bound = product_s(H100, "bf16", 8192, 8192, 8192)
    assert product_s(H100, "bf16", 8192, 8192, 8192, clock_frac=0.5) == pytest.approx(
        2 * bound, rel=0.02
    )
    reads = product_s(H100, "bf16", 1, 16_384, 16_384)
    assert product_s(H100, "bf16", 1, 16_384, 16_384, clock_frac=0.5) < 1.05 * reads


# Published times: system, its format, and the precision and cast that the format means here.

FORMATS = {
    "bfloat16": ("bf16", None),
    "fp8": ("fp8", "fp8_current"),
    "fp8_block": ("fp8", "fp8"),
    "nvfp4": ("fp4", "nvfp4"),
}
LARGE_S = 50e-6


@pytest.fixture(scope="module")
def errors_of() -> Callable[[list[dict[str, str]], str], tuple[np.ndarray, np.ndarray]]:
    """Return a function from rows and a format to relative errors and measured seconds."""

    def of(rows: list[dict[str, str]], wanted: str) -> tuple[np.ndarray, np.ndarray]:
        errors, measured = [], []
        for row in rows:
            if row["gemm_dtype"] == wanted:
                time_s = float(row["latency_ms"]) / 1e3
                errors.append(_table_s(accelerator(row["system"]), row) / time_s - 1.0)
                measured.append(time_s)
        return np.array(errors), np.array(measured)

    return of


def _table_s(made: Accelerator, row: dict[str, str]) -> float:
    precision, cast = FORMATS[row["gemm_dtype"]]
    m, n, k = (float(row[name]) for name in "mnk")
    narrowed_s = cast_s(made, cast, m * k) if cast else 0.0
    return product_s(made, precision, m, n, k) + narrowed_s


@pytest.mark.parametrize(
    ("wanted", "median", "p90", "large_median"),
    [
        ("bfloat16", 0.08, 0.25, 0.08),
        ("fp8", 0.08, 0.25, 0.08),
        ("fp8_block", 0.08, 0.25, 0.08),
        ("nvfp4", 0.15, 0.40, 0.12),
    ],
)
def test_published_times(
    validation_rows, errors_of, wanted: str, median: float, p90: float, large_median: float
) -> None:
    rows = validation_rows("reference/gemm_sample_aiconfigurator.csv")
    errors, measured = errors_of(rows, wanted)
    size = np.abs(errors)
    assert np.median(size) < median and np.quantile(size, 0.9) < p90
    assert np.median(size[measured > LARGE_S]) < large_median


@pytest.mark.parametrize("system", ["a100_sxm", "h100_sxm", "b200_sxm", "gb300"])
def test_published_times_of_each_chip(validation_rows, errors_of, system: str) -> None:
    rows = validation_rows("reference/gemm_sample_aiconfigurator.csv")
    errors, _ = errors_of([row for row in rows if row["system"] == system], "bfloat16")
    assert np.median(np.abs(errors)) < 0.10
    assert abs(np.median(errors)) < 0.08
