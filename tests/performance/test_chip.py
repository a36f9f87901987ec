"""Roofline, power by activity, speed under a cap, collectives: limits that are known."""

import numpy as np
import pytest

from simulator import catalog
from simulator.components.from_catalog import accelerator
from simulator.performance import chip, collectives
from simulator.performance.collectives import Fabric

PLAIN = Fabric(8, 450e9, 50e9, launch_s=0.0, scaleup_latency_s=0.0, scaleout_latency_s=0.0)


@pytest.mark.parametrize("name", catalog.names("accelerators"))
def test_sustained_rates_stay_below_peaks(name: str) -> None:
    made = accelerator(name)
    for precision in ("bf16", "fp8", "fp4"):
        rates = chip.sustained(made, precision)
        assert rates.layer_flop_s < rates.matrix_flop_s <= max(made.peak.values())
        assert rates.kv_bytes_s < rates.weight_bytes_s < made.memory_bandwidth


def test_large_products_reach_the_measured_rate() -> None:
    h100 = accelerator("H100")
    assert chip.matrix_rate_flop_s(h100, "bf16") == pytest.approx(794.5e12, rel=1e-3)
    assert chip.compute_precision(h100, "fp4") == "fp8"
    assert chip.compute_precision(accelerator("A100"), "fp8") == "bf16"
    with pytest.raises(ValueError, match="no matrix units for fp64"):
        chip.compute_precision(h100, "fp64")


def test_roofline_is_the_slower_of_two() -> None:
    h100 = accelerator("H100")
    assert chip.roofline_s(h100, "bf16", 794.5e12, 1.0) == pytest.approx(1.0, rel=1e-3)
    assert chip.roofline_s(h100, "bf16", 1.0, 0.85 * 3.35e12) == pytest.approx(1.0)


def test_power_follows_activity() -> None:
    busy = np.linspace(0.0, 1.0, 11)
    assert chip.dynamic_power_frac(0.0, 0.0) == 0
    assert chip.dynamic_power_frac(1.0, 0.5) == pytest.approx(1.0)
    assert (np.diff(chip.dynamic_power_frac(busy, 0.3)) > 0).all()
    assert (np.diff(chip.dynamic_power_frac(0.3, busy)) > 0).all()


def test_a_cap_slows_products_more_than_memory() -> None:
    assert chip.capped_speed(1.0) == 1
    assert chip.capped_speed(0.5) == pytest.approx(0.5**0.4)
    assert chip.capped_speed(0.5, memory_share=1.0) > chip.capped_speed(0.5, memory_share=0.5)
    assert chip.capped_speed(0.5, memory_share=0.5) > chip.capped_speed(0.5)


@pytest.mark.parametrize(("ranks", "rate"), [(2, 450e9), (8, 450e9)])
def test_ring_inside_a_domain(ranks: int, rate: float) -> None:
    expected_s = 2 * (ranks - 1) / ranks * 1e9 / (collectives.SCALEUP_SHARE * rate)
    assert collectives.all_reduce_s(PLAIN, ranks, 1e9) == pytest.approx(expected_s)


def test_between_domains_each_chip_carries_its_share() -> None:
    inside = collectives.all_gather_s(PLAIN, 8, 1e9)
    across = collectives.all_gather_s(PLAIN, 64, 1e9)
    expected_s = 7 / 8 * (1e9 / 8) / (collectives.SCALEOUT_SHARE * 50e9)
    assert across - inside == pytest.approx(expected_s)


def test_all_to_all_is_bound_by_what_leaves_the_domain() -> None:
    far_s = 1e9 * (64 - 8) / 64 / (collectives.SCALEOUT_SHARE * 50e9)
    assert collectives.all_to_all_s(PLAIN, 64, 1e9) == pytest.approx(far_s)
    assert collectives.all_to_all_s(PLAIN, 1, 1e9) == 0


@pytest.mark.parametrize("ranks", [1, 2, 8, 72, 576, 100_800])
def test_one_rank_is_free_and_more_cost_more(ranks: int) -> None:
    fabric = collectives.fabric_of(accelerator("GB300"))
    time_s = collectives.all_reduce_s(fabric, ranks, 1e8)
    assert time_s >= 0 and (time_s == 0) == (ranks == 1)
    assert time_s <= collectives.all_reduce_s(fabric, 2 * ranks, 1e8)
