"""Topic goodput: held against Daly's complete model, and against a published count."""

import math

import pytest

from simulator.studies.validate import goodput

ROW = {"n_accelerators": "16384", "accelerators_per_node": "8", "failures_per_1000_node_days": "6.5",
       "checkpoint_stall_s": "30", "checkpoint_interval_s": "624.038", "restart_s": "600",
       "days": "30", "unit": "1"}  # fmt: skip


def value(quantity, **cells):
    return goodput.simulate(ROW | {"quantity": quantity} | cells).value


@pytest.mark.parametrize("chips", [16_384, 65_536, 262_144])
@pytest.mark.parametrize(("stall", "restart", "interval"), [(30, 600, 312.0), (2, 120, 80.0)])
def test_ettr_is_within_a_hundredth_of_the_closed_form(chips, stall, restart, interval):
    mttf_s = 86_400.0 / (chips / 8 * 6.5e-3)
    exact = interval / (mttf_s * math.exp(restart / mttf_s))
    exact /= math.expm1((interval + stall) / mttf_s)
    found = value("ettr", n_accelerators=str(chips), checkpoint_stall_s=str(stall),
                  restart_s=str(restart), checkpoint_interval_s=str(interval))  # fmt: skip
    assert found == pytest.approx(exact, abs=0.01)


def test_mttf_is_the_rates():
    blank = {"checkpoint_stall_s": "", "checkpoint_interval_s": "", "restart_s": "", "days": ""}
    assert value("mttf", unit="h", **blank) == pytest.approx(24.0 / (2048 * 0.0065), rel=0.01)


def test_interruptions_follow_length_and_size():
    once = value("interruptions")
    assert once == pytest.approx(30 * 2048 * 0.0065, rel=0.02)
    assert value("interruptions", days="60") == pytest.approx(2 * once, rel=0.02)


@pytest.mark.parametrize(
    "cell",
    [{"failures_per_1000_node_days": "0"}, {"failures_per_1000_node_days": ""}, {"days": "0"},
     {"n_accelerators": "many"}, {"checkpoint_interval_s": "0"}],
)  # fmt: skip
def test_what_cannot_be_simulated_says_why(cell):
    with pytest.raises(ValueError, match=r"\w"):
        value("ettr", **cell)


def test_a_run_without_failures_has_no_time_between_them():
    with pytest.raises(ValueError, match="no failure"):
        value("mttf", n_accelerators="1", accelerators_per_node="1", days="0.001", unit="h")
