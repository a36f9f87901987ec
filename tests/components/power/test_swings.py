"""Ramps, swings and spectra against waves whose own are known."""

import numpy as np
import pytest

from simulator.components import from_catalog
from simulator.components.power import swings
from simulator.components.power.battery import Battery
from simulator.components.power.smoothing import SMOOTHERS
from simulator.components.power.smoothing.battery_plant import BatteryPlant

DT_S = 0.01
AT_S = np.arange(6000) * DT_S


def sine(amplitude_w, frequency_hz):
    return 50e6 + amplitude_w * np.sin(2.0 * np.pi * frequency_hz * AT_S)


def test_a_square_wave_has_its_fourier_lines():
    wave = 1e6 * np.sign(np.sin(2.0 * np.pi * 0.5 * AT_S + 1e-6))
    found = swings.spectrum(wave, DT_S)
    for odd in (1, 3, 5):
        frequency, amplitude = found.largest(0.5 * odd - 0.1, 0.5 * odd + 0.1)
        assert frequency == pytest.approx(0.5 * odd)
        assert amplitude == pytest.approx(4e6 / np.pi / odd, rel=0.01)
    assert found.largest(0.9, 1.1)[1] < 1e4  # no even lines
    below = 8.0 / np.pi**2 * sum(1.0 / n**2 for n in range(1, 40, 2))
    assert found.share(0.1, 20.0) == pytest.approx(below, abs=0.01)


def test_a_band_holds_what_lies_in_it():
    wave = sine(3e6, 1.0) + sine(1e6, 8.0)
    assert swings.band_amplitude_w(wave, DT_S, 0.1, 5.0) == pytest.approx(3e6, rel=0.02)
    assert swings.band_amplitude_w(wave, DT_S, 5.0, 50.0) == pytest.approx(1e6, rel=0.02)
    with pytest.raises(ValueError, match="at least 100 s"):
        swings.band_amplitude_w(wave, DT_S, 0.01, 1.0)


def test_a_ramp_is_its_slope_over_any_time():
    ramp = 2e6 * AT_S
    for over_s in (0.25, 1.0, 20.0):
        assert swings.ramp_w_s(ramp, DT_S, over_s) == pytest.approx(2e6)
    assert swings.ramp_w_s(ramp, DT_S, 10.0, 20.0) == pytest.approx(2e6)
    with pytest.raises(ValueError, match="more than 60 s"):
        swings.ramp_w_s(ramp, DT_S, 60.0)


def test_a_step_is_slower_the_longer_one_looks():
    step = np.where(AT_S < 30.0, 0.0, 10e6)
    assert swings.ramp_w_s(step, DT_S, 0.25) == pytest.approx(40e6)
    assert swings.ramp_w_s(step, DT_S, 5.0) == pytest.approx(2e6)


@pytest.mark.parametrize(("rise_mw", "lasts_s", "found_mw_min"), [
    (40.0, 1.0, 0.0), (60.0, 1.0, 60.0), (60.0, 240.0, 15.0), (150.0, 180.0, 50.0),
])  # fmt: skip
def test_ramps_count_where_they_are_part_of_a_large_change(rise_mw, lasts_s, found_mw_min):
    """A rise of so much, there and back; a ripple on it makes no further change."""
    at_s = np.arange(0.0, 900.0, 0.1)
    up = np.clip((at_s - 100.0) / lasts_s, 0.0, 1.0) - np.clip((at_s - 500.0) / lasts_s, 0.0, 1.0)
    trace_w = rise_mw * 1e6 * up
    found = swings.ramp_w_s(trace_w, 0.1, 60.0, least_w=50e6) * 60e-6
    assert found == pytest.approx(found_mw_min)
    plain = swings.ramp_w_s(trace_w, 0.1, 60.0) * 60e-6
    assert plain == pytest.approx(rise_mw * min(60.0 / lasts_s, 1.0))
    ripple_w = trace_w + 5e6 * np.sin(2.0 * np.pi * at_s)
    assert len(swings.changes(ripple_w, 50e6)) == (2 if rise_mw > 50.0 else 0)


def test_the_rule_of_changes_above_50_mw_is_of_that_mask():
    limit = from_catalog.mask("atc-spp").limits[0]
    assert limit.least == 50e6 and "of changes above 50 MW" in limit.told()
    step_w = np.where(np.arange(0.0, 200.0, DT_S) < 100.0, 0.0, 1.0)
    assert limit.judge(45e6 * step_w, DT_S).passes is True
    assert limit.judge(55e6 * step_w, DT_S).passes is False


def test_swings_within_a_while():
    wave = sine(2e6, 0.05)  # a period of 20 s
    assert swings.peak_to_peak_w(wave, DT_S, 10.0) == pytest.approx(4e6, rel=1e-3)
    fast = 2.0 * 2e6 * np.sin(np.pi * 0.05 * 1.0)  # within 1 s, about the middle
    assert swings.peak_to_peak_w(wave, DT_S, 1.0) == pytest.approx(fast, rel=1e-3)


def test_density_is_the_variance_over_frequency():
    frequency, found = swings.density(sine(2e6, 1.0), DT_S)
    assert np.trapezoid(found, frequency) == pytest.approx(0.5 * 2e6**2, rel=0.05)


def verdicts(mask, power_w):
    return {v.limit: v for v in from_catalog.mask(mask).judge(power_w, DT_S)}


def test_a_mask_tells_what_it_allows_and_finds():
    found = verdicts("lipa", sine(12e6, 1.0) + sine(3e6, 8.0))
    low, high = found["amplitude in 0.1-5 Hz"], found["amplitude in 5-55 Hz"]
    assert (low.allowed, high.allowed) == (10.0, 3.5)
    assert low.found == pytest.approx(12.0, rel=0.02) and low.passes is False
    assert high.found == pytest.approx(3.0, rel=0.05) and high.passes is True


def test_the_lesser_of_a_power_and_a_share():
    limit = "amplitude in 0.1-20 Hz"
    assert verdicts("ieso", sine(1e5, 1.0))[limit].allowed == pytest.approx(0.0025 * 50.0)
    assert verdicts("ieso", 40.0 * sine(1e5, 1.0))[limit].allowed == pytest.approx(2.5)


def test_what_a_trace_is_too_short_for_is_not_judged():
    verdict = verdicts("caiso", sine(1e6, 1.0))["ramp over 60 s, means of 600 s"]
    assert verdict.found is None and verdict.passes is None and "660 s" in verdict.reason


def test_a_flat_trace_keeps_every_mask_but_shares_of_nothing():
    flat = np.full(150_000, 5e8)
    for name in ("caiso", "ieso", "southern", "atc-spp", "lipa", "ercot", "paper-form"):
        assert all(v.passes for v in from_catalog.mask(name).judge(flat, DT_S)), name


@pytest.mark.parametrize("kind", SMOOTHERS, ids=lambda kind: kind.__name__)
def test_every_smoother_says_what_it_is(kind):
    assert kind.__doc__ and kind.model_fields["kind"].annotation.__args__


def test_a_battery_keeps_its_charge_within_bounds():
    battery = BatteryPlant.model_validate(
        {"kind": "battery_plant", "power": "5 MW", "energy": "1 kWh", "follows": "20 s"}
    ).of_site(None)
    found = battery.behind(sine(8e6, 0.5), DT_S)
    assert found.charge_j.min() >= 0.0 and found.charge_j.max() <= 3.6e6
    assert np.abs(found.grid_w - sine(8e6, 0.5)).max() <= 5e6 * (1.0 + 1e-12)
    taken_j = (found.grid_w - sine(8e6, 0.5)).sum() * DT_S
    assert taken_j == pytest.approx(found.charge_j[-1] - 1.8e6 + found.loss_j)


def test_a_battery_plant_is_that_of_the_site_where_it_says_nothing_else():
    site = Battery.model_validate({
        "power": "2 MW", "energy": "1 MWh", "recharge": "500 kW", "lowest": "10 %", "highest": "90 %",
        "round_trip": "90 %",
    })  # fmt: skip
    plain = BatteryPlant.model_validate({"kind": "battery_plant"})
    taken = plain.of_site(site)
    assert (taken.power, taken.energy, taken.round_trip) == (2e6, pytest.approx(0.8 * 3.6e9), 0.9)
    own = BatteryPlant.model_validate({"kind": "battery_plant", "power": "5 MW", "energy": "1 kWh"})
    assert own.of_site(site).power == 5e6 and own.of_site(site).round_trip == 0.9
    assert own.of_site(None).round_trip == Battery.model_fields["round_trip"].default
    with pytest.raises(ValueError, match="the site has no battery"):
        plain.of_site(None)
