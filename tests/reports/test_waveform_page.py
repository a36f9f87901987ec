"""The page on power inside a minute, of made-up tables, and the drawing beside logs."""

import numpy as np
import pandas as pd
import pytest

from simulator.reports import measured_power, waveform
from simulator.results import TABLES

AT_S = np.arange(6000) * 0.01


def limit(mask, allowed, found, **more):
    row = {
        "window": 0, "mask": mask, "limit": "peak to peak within 6 s", "unit": "MW",
        "allowed": allowed, "plain": found, "found": found,
        "passes": None if found is None else found <= allowed, "reason": "" if found else "too short",
        "battery_w": None, "battery_j": None, "battery_follows_s": None, "battery_response_s": None,
    }  # fmt: skip
    assert row.keys() == TABLES["waveform_limits"].keys()
    return row | more


def tables(grid_frac=1.0, jobs=True):
    swing_w = 20e6 * np.sign(np.sin(2.0 * np.pi * AT_S / 4.0 + 1e-9))
    swing_w[:3000] = 0.0
    job = {
        "window": 0, "time": "2027-01-01T00:00:00+00:00", "job": "frontier", "accelerators": 1e5,
        "step_time_s": 4.0, "mean_w": 2e8, "least_w": 1.8e8, "most_w": 2.2e8, "smooth_mean_w": 2e8,
        "deviation_frac": -0.012, "added_j": 0.0, "withheld_j": 0.0, "storage_loss_j": 0.0,
        "charge_least": 1.0, "charge_most": 0.0,
    }  # fmt: skip
    assert job.keys() == TABLES["waveform_jobs"].keys()
    return {
        "waveform": pd.DataFrame({
            "window": 0, "at_s": AT_S, "it_w": 3e8 + swing_w, "poi_w": 3e8 + swing_w,
            "smooth_w": 3e8 + swing_w, "grid_w": 3e8 + grid_frac * swing_w,
        }),
        "waveform_jobs": pd.DataFrame([job] if jobs else [], columns=list(TABLES["waveform_jobs"])),
        "waveform_limits": pd.DataFrame([
            limit("southern", 10.0, 40.0 * grid_frac), limit("southern", 20.0, 21.0 * grid_frac),
            limit("caiso", 20.0, None), limit("lipa", 10.0, 1.0, battery_w=0.0, battery_j=0.0,
                                              battery_response_s=0.0),
        ]),
    }  # fmt: skip


def test_the_title_is_the_finding():
    plain, smoothed = (waveform.page_of(tables(frac)) for frac in (1.0, 0.1))
    assert plain.title == "Steps swing the draw by 40 MW within 5 s; 1 of 3 sets of limits are broken"
    assert smoothed.title == (
        "Smoothing leaves 4 of 40 MW of swing within 5 s; 0 of 3 sets of limits are broken"
    )
    assert "1.2 %" in plain.text[0]


def test_the_limit_that_binds_is_shown():
    shown = waveform.page_of(tables()).tables[0].frame
    assert list(shown["Mask"]) == ["southern", "caiso", "lipa"]
    assert list(shown["As seen"]) == ["40", "–", "1"]
    assert list(shown[""]) == ["broken", "too short", "kept"]
    assert shown["Battery that keeps the mask"].iloc[2] == "none needed"


def test_figures_have_their_data_and_words():
    for spec in waveform.page_of(tables(0.1)).figures:
        assert len(spec.data) > 10 and len(spec.alt) > 30 and spec.caption
    _, spectrum, ramps = waveform.page_of(tables(0.1)).figures
    assert {"amplitude_w", "grid_amplitude_w"} <= set(spectrum.data)
    assert (ramps.data["grid_ramp_w_s"] < 0.2 * ramps.data["ramp_w_s"]).all()


def test_bands_show_what_was_found_beside_the_limit():
    made = tables()
    rows = [
        limit("lipa", 10.0, 57.0, limit="amplitude in 0.1-5 Hz"),
        limit("lipa", 3.5, 1.0, limit="amplitude in 5-55 Hz"),
    ]
    made["waveform_limits"] = pd.DataFrame(rows)
    spec = waveform.page_of(made).figures[1]
    bars = spec.fig.axes[1]
    assert [bar.get_width() for bar in bars.patches] == [57.0, 1.0]
    assert [line.get_xdata()[0] for line in bars.lines] == [10.0, 3.5]
    names = [text.get_text() for text in bars.get_yticklabels()]
    assert names == ["LIPA 0.1–5 Hz\n57 of 10 MW: broken", "LIPA 5–55 Hz\n1 of 3.5 MW: kept"]
    assert bars.get_title("left") == "1 of 2 bands broken" and "57 of 10 MW, broken" in spec.alt


def test_ramps_over_a_minute_are_drawn_where_the_window_tells_them():
    made = tables()
    made["waveform_limits"] = pd.DataFrame([
        limit("southern", 20.0, 40.0, limit="ramp over 60 s", unit="MW/min"),
        limit("ercot", 300.0, None, limit="ramp over 2 s", unit="MW/min"),
    ])  # fmt: skip
    made["waveform"] = pd.concat([made["waveform"]] * 2, ignore_index=True)
    made["waveform"]["at_s"] = np.arange(len(made["waveform"])) * 0.01
    spec = waveform.page_of(made).figures[2]
    (ax,) = spec.fig.axes
    assert spec.data["over_s"].max() == pytest.approx(60.0)
    assert ax.get_title("left") == "SOUTHERN ramp over 60 s: 40 of 20 MW/min, broken"
    assert {"SOUTHERN 20 MW/min: broken", "250 ms"} <= {text.get_text() for text in ax.texts}
    assert "ERCOT (ramp over 2 s)" in spec.caption


def test_the_close_up_is_where_it_changes():
    trace = waveform.page_of(tables()).figures[0]
    low_s, high_s = trace.fig.axes[1].get_xlim()
    assert low_s < 30.0 < high_s and high_s - low_s == pytest.approx(12.0)


def test_without_jobs_it_says_so():
    page = waveform.page_of(tables(jobs=False))
    assert "No synchronous job" in page.text[0] and len(page.tables) == 1


def test_runs_beside_each_other():
    draws = np.random.default_rng(1)
    servers = {name: 7e3 + 100.0 * draws.standard_normal((4, 300)) for name in ("log 1", "simulated")}
    spec = measured_power.figure(servers, 2.0)
    assert set(spec.data["run"]) == set(servers) and len(spec.data) == 600
