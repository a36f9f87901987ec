"""Rates, power by activity, speed under a cap: limits that are known."""

import numpy as np
import pytest

from simulator import catalog
from simulator.components.accelerator import Accelerator
from simulator.components.from_catalog import accelerator
from simulator.performance import chip


@pytest.mark.parametrize("name", catalog.names("accelerators"))
def test_sustained_rates_stay_below_peaks(name: str) -> None:
    made = accelerator(name)
    for precision in ("bf16", "fp8", "fp4"):
        rate = chip.matrix_rate_flop_s(made, precision)
        assert rate <= made.peak[chip.compute_precision(made, precision)]


def test_large_products_reach_the_measured_rate() -> None:
    h100 = accelerator("H100")
    assert chip.matrix_rate_flop_s(h100, "bf16") == pytest.approx(794.5e12, rel=1e-3)
    assert chip.compute_precision(h100, "fp4") == "fp8"
    assert chip.compute_precision(accelerator("A100"), "fp8") == "bf16"
    with pytest.raises(ValueError, match="no matrix units for fp64"):
        chip.compute_precision(h100, "fp64")


def test_power_follows_activity() -> None:
    busy = np.linspace(0.0, 1.0, 11)
    assert chip.dynamic_power_frac(0.0, 0.0) == 0
    assert chip.dynamic_power_frac(1.0, 0.5) == pytest.approx(1.0)
    assert (np.diff(chip.dynamic_power_frac(busy, 0.3)) > 0).all()
    assert (np.diff(chip.dynamic_power_frac(0.3, busy)) > 0).all()


def test_power_of_a_kernel_is_linear_up_to_the_limit() -> None:
    share = np.linspace(0.0, 1.0, 11)
    assert chip.kernel_power_frac(0.0, 0.0, 0.0) == chip.RUNNING_POWER > chip.WAITING_POWER
    for drawn in (
        chip.kernel_power_frac(share, 0.2, 0.0),
        chip.kernel_power_frac(0.0, share, 0.0),
        chip.kernel_power_frac(0.0, 0.2, share),
    ):
        assert (np.diff(drawn) >= 0).all() and drawn[-1] <= 1.0
    assert chip.kernel_power_frac(0.6, 0.2, 0.6) == 1.0
    memory = chip.kernel_power_frac(0.0, 0.5, 0.0) - chip.kernel_power_frac(0.0, 0.1, 0.0)
    assert memory == pytest.approx(0.4)


@pytest.mark.parametrize("name", ["A100", "H100", "B200"])
def test_a_byte_costs_as_much_energy_on_every_chip(name: str) -> None:
    """All of the bandwidth over a second draws joules in proportion to the bytes."""
    one = accelerator(name)
    drawn_w = chip.memory_power_frac(one) * (one.tdp - one.idle)
    assert drawn_w / one.memory_bandwidth == pytest.approx(chip.MEMORY_J_BYTE)
    assert 0.2 < chip.memory_power_frac(one) < 1.0 - chip.RUNNING_POWER


def test_a_chip_that_draws_no_more_at_work_than_idle_is_refused() -> None:
    told = catalog.plain(catalog.load("accelerators", "H100")) | {"idle": "700 W"}
    with pytest.raises(ValueError, match="idle must be less than tdp"):
        Accelerator.model_validate(told)
