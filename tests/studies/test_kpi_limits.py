"""Limits: what is read, what is compared, what is refused."""

import json
import re
from pathlib import Path

import pytest

from simulator.metrics.kpis import kpis
from simulator.scenario import load
from simulator.simulation import simulate
from simulator.studies.limits import LimitError, expected, failures, read, refuse

ROOT = Path(__file__).parents[2]

SUMMARY = {
    "kpis": {
        "power.poi_peak": {"value": 970.0, "unit": "MW"},
        "fleet.utilization": {"value": 0.9, "unit": "1"},
        "carbon.location": {"value": 5.0, "unit": "tCO2e"},
        "training.a.tokens": {"value": 2e12, "unit": "tokens"},
        "training.a.finish_time": {"value": "2027-08-01T00:00:00+00:00", "unit": "ISO date"},
        "training.b.finish_time": {"value": None, "unit": "ISO date"},
    },
    "checks": {"energy_balance_rel": 1e-15},
}


@pytest.mark.parametrize(
    "text",
    [
        "power.poi_peak <= 970",
        "power.poi_peak <= 0.97 GW",
        "power.poi_peak<971 MW",
        "power.poi_peak == 970000 kW",
        "fleet.utilization >= 90 %",
        "carbon.location <= 5 tCO2e",
        "carbon.location < 5001 kg",
        "training.a.tokens > 1e12 tokens",
        "training.a.finish_time <= 2027-08-01",
        "energy_balance_rel <= 1e-9",
    ],
)
def test_kept(text):
    assert failures([read(text)], SUMMARY) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("power.poi_peak < 970", "it is 970 MW"),
        ("fleet.utilization > 95 %", "it is 0.9"),
        ("training.a.finish_time <= 2027-07-31", "it is 2027-08-01"),
        ("training.b.finish_time <= 2030-01-01", "it is not reached"),
    ],
)
def test_broken(text, found):
    assert found in failures([read(text)], SUMMARY)[0]


@pytest.mark.parametrize("text", ["", "power.poi_peak", "power.poi_peak <= ", "<= 3", "a = 3"])
def test_unreadable(text):
    with pytest.raises(LimitError, match="write KPI"):
        read(text)


def test_all_that_is_wrong_is_told_at_once():
    limits = [read("power.poi_peek < 1"), read("power.poi_peak < 1 h"), read("fleet.utilization > x")]
    with pytest.raises(LimitError) as told:
        failures(limits, SUMMARY)
    lines = str(told.value).splitlines()
    assert len(lines) == 3 and "did you mean 'power.poi_peak'" in lines[0] and "MW" in lines[1]


def test_what_a_run_told_was_expected_of_it():
    told = json.loads((ROOT / "reports" / "sample" / "summary.json").read_text())
    known = expected(load(ROOT / "scenarios" / "gigawatt-campus.yaml").spec)
    assert {name: entry["unit"] for name, entry in told["kpis"].items()}.items() <= known.items()
    assert set(told["checks"]) <= set(known)


def test_what_a_run_with_windows_told_was_expected_of_it():
    """Some windows shed requests, and the share of those is verified too."""
    scenario = load(ROOT / "scenarios" / "chip-mix.yaml")
    told, known = kpis(simulate(scenario)), expected(scenario.spec)
    assert dict(zip(told["kpi"], told["unit"], strict=True)).items() <= known.items()
    assert told["kpi"].str.endswith(".verify_shed_frac").any()


@pytest.fixture(scope="module")
def pod():
    return load(ROOT / "scenarios" / "pod.yaml").spec


@pytest.mark.parametrize(
    "text",
    [
        "power.poi_peak <= 1 GW", "fleet.GB300.utilization > 50 %", "failures.hbm <= 3", "equipment.busway < 9",
        "fleet.hours.lost_throttle <= 1", "energy_balance_rel <= 1e-9", "cooling.erf > 0",
    ],
)  # fmt: skip
def test_held_against_a_run_to_come(pod, text):
    assert refuse([read(text)], pod) is None


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("power.poi_peek <= 1 GW", "did you mean 'power.poi_peak'"),
        ("power.poi_peak <= 1 h", "'1 h' is not a value in MW"),
        ("failures.hbmm <= 3", "did you mean 'failures.hbm'"),
        ("training.nobody.ettr > 90 %", "no KPI"),
        ("operations.mttr < 9 h", "no KPI"),  # nothing is said of operations
    ],
)
def test_refused_before_a_run(pod, text, cure):
    with pytest.raises(LimitError, match=re.escape(cure)):
        refuse([read(text)], pod)


def test_what_did_not_happen_happened_no_times():
    assert failures([read("failures.hbm <= 0"), read("fleet.hours.lost_throttle < 1 h")], SUMMARY) == []
    assert failures([read("failures.hbm > 0")], SUMMARY) == ["failures.hbm > 0: it is 0"]
