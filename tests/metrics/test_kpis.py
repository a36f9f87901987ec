"""The contract's list of indicators, to the letter; the summary document."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from simulator.metrics.kpis import checks, dumps, kpis, summary

CONTRACT = {
    "site.accelerators_installed": "1", "site.accelerators_available_mean": "1",
    "power.poi_peak": "MW", "power.poi_peak_1min": "MW", "power.poi_mean": "MW",
    "power.poi_firm": "MW", "power.it_mean": "MW", "power.headroom_min": "MW",
    "power.stranded": "MW", "power.pue_mean": "1", "power.load_factor": "1",
    "energy.poi": "MWh", "energy.onsite": "MWh", "energy.it": "MWh", "energy.cooling": "MWh",
    "energy.house": "MWh", "energy.electrical_losses": "MWh",
    "cooling.water_consumed": "m3", "cooling.water_withdrawn": "m3", "cooling.wue": "L/kWh",
    "cooling.water_peak_day": "m3", "cooling.water_peak_hour": "m3", "power.pue_peak": "1",
    "cooling.usable_it_p5": "MW", "cooling.usable_it_min": "MW",
    "cooling.chilled.free_hours": "h", "cooling.chilled.partial_hours": "h",
    "cooling.chilled.mechanical_hours": "h", "thermal.throttled_minutes": "min",
    "thermal.throttle_margin_min": "K",
    "thermal.throttled_accelerator_hours": "h", "thermal.coolant_supply_max": "degC",
    "thermal.junction_max": "degC", "thermal.hbm_max": "degC",
    "fleet.utilization": "1", "fleet.GB300.utilization": "1", "fleet.MAIA-200.utilization": "1",
    "fleet.H200-SXM-141GB.utilization": "1",
    "fleet.hours.useful": "h", "fleet.hours.idle": "h", "fleet.hours.down": "h",
    "fleet.hours.lost_checkpoint": "h", "fleet.hours.lost_throttling": "h",
    "failures.count": "1", "failures.gpu": "1", "failures.optic": "1",
    "operations.mttr": "h", "operations.repair_wait_mean": "h",
    "operations.crew_utilization": "1", "operations.spares_fill_rate": "1",
    "operations.spares_stockouts": "1", "operations.down_hours.repair": "h",
    "training.frontier.step_time": "s", "training.frontier.mfu": "1",
    "training.frontier.ettr": "1", "training.frontier.tokens": "tokens",
    "training.frontier.interruptions": "1",
    "training.frontier.planned_stops": "1", "training.frontier.false_alarms": "1",
    "training.frontier.mttf": "h",
    "training.frontier.finish_time": "ISO date", "training.frontier.communication_frac": "1",
    "training.reason.generation_frac": "1", "training.benchmarks.tests": "1",
    "training.benchmarks.accelerator_hours": "h", "training.benchmarks.tokens": "tokens",
    "training.corpus.tokens": "tokens", "training.corpus.finish_time": "ISO date",
    "inference.chat-large.requests": "1", "inference.chat-large.ttft_p50": "s",
    "inference.chat-large.ttft_p99": "s", "inference.chat-large.tpot_p50": "s",
    "inference.chat-large.tpot_p99": "s", "inference.chat-large.slo_attainment": "1",
    "inference.chat-large.output_tokens": "tokens", "inference.chat-large.unserved": "1",
    "carbon.location": "tCO2e", "cost.energy": "USD",
    "cost.energy_per_useful_accelerator_hour": "USD",
    "cost.energy_per_million_output_tokens": "USD",
}  # fmt: skip


@pytest.fixture(scope="module")
def table(week):
    return kpis(week).set_index("kpi")


@pytest.mark.parametrize("name", CONTRACT)
def test_indicator_is_present_with_its_unit(table, name):
    assert table.at[name, "unit"] == CONTRACT[name]
    assert table.at[name, "value"] is not None


def test_fuel_and_hot_spot_come_from_their_tables(week):
    more = {
        "generators": pd.DataFrame({"element": ["generators"], "fuel_l": [1234.5]}),
        "transformers": pd.DataFrame({"hot_spot_max_c": [91.0], "life_used_frac": [0.002]}),
    }
    told = kpis(dataclasses.replace(week, tables=week.tables | more)).set_index("kpi")
    assert tuple(told.loc["energy.generator_fuel", ["value", "unit"]]) == (1234.5, "L")
    hot = told.loc["power.transformer_hot_spot_max"]
    assert (hot["value"], hot["unit"]) == (91.0, "degC") and "0.200 %" in hot["definition"]


def test_definitions_are_sentences_and_names_unique(table):
    assert table.index.is_unique
    assert all(d[0].isupper() and d.endswith(".") and " " in d for d in table["definition"])


def test_power_against_plain_arithmetic(week, table):
    site = week.timeseries["site"]
    quarters = site["poi_w"].to_numpy().reshape(-1, 15).mean(axis=1)
    assert table.at["power.poi_peak", "value"] == pytest.approx(quarters.max() / 1e6)
    assert table.at["power.load_factor", "value"] == pytest.approx(
        site["poi_w"].mean() / quarters.max()
    )
    supplied = site["poi_w"].sum() + site["onsite_w"].sum()
    assert table.at["power.pue_mean", "value"] == pytest.approx(supplied / site["it_w"].sum())
    headroom = (week.info["firm_w"] - site["poi_w"].max()) / 1e6
    assert table.at["power.headroom_min", "value"] == pytest.approx(headroom)
    assert week.info["firm_limit"] in table.at["power.headroom_min", "definition"]


def test_fleet_hours_add_up_to_installed_hours(week, table):
    hours = table.loc[table.index.str.startswith("fleet.hours."), "value"].sum()
    installed = table.at["site.accelerators_installed", "value"]
    assert hours == pytest.approx(installed * week.info["duration_s"] / 3600, rel=1e-12)


def test_water_and_throttling_integrate_minutes(week, table):
    site = week.timeseries["site"]
    consumed = site["evaporation_kg_s"].sum() * 60 / 1000
    assert table.at["cooling.water_consumed", "value"] == pytest.approx(consumed)
    assert table.at["thermal.throttled_accelerator_hours", "value"] == pytest.approx(
        site["throttled_accelerators"].sum() / 60
    )


def test_cost_is_energy_plus_monthly_demand(week, table):
    site = week.timeseries["site"].set_index("time")
    energy = site["poi_w"].sum() * 60 * week.info["energy_price_usd_j"]
    months = site["poi_w"].resample("15min").mean().resample("MS").max()
    seconds = site["poi_w"].resample("MS").size() * 60
    demand = (months * seconds).sum() * week.info["demand_charge_usd_w_s"]
    assert table.at["cost.energy", "value"] == pytest.approx(energy + demand)


def test_checks_close_and_find_what_is_missing(week):
    assert all(value <= 1e-9 for value in checks(week).values())
    for name, column, check in (
        ("energy", "energy_j", "energy_balance_rel"),
        ("heat", "rejected_j", "heat_balance_rel"),
        ("hours", "accelerator_hours", "accelerator_hours_rel"),
        ("downtime", "accelerator_hours", "downtime_rel"),
    ):
        broken = week.tables[name].copy()
        broken.loc[1, column] = broken.loc[1, column] * 1.001 + 1.0
        found = checks(dataclasses.replace(week, tables=week.tables | {name: broken}))
        assert found[check] > 1e-9
        assert all(value <= 1e-9 for other, value in found.items() if other != check)


def test_a_leak_of_one_kilowatt_shows(week):
    energy = week.tables["energy"].copy()
    leak_j = 1e3 * week.info["duration_s"]
    energy.loc[energy["element"] == "it", "energy_j"] -= leak_j
    broken = dataclasses.replace(week, tables=week.tables | {"energy": energy})
    assert checks(broken)["energy_balance_rel"] > 1e-7


def test_summary_of_one_run_is_stable_json(week):
    document = summary([week])
    text = dumps(document)
    assert text == dumps(summary([week]))
    read = json.loads(text)
    assert set(read) == {"kpis", "checks"}
    assert set(read["kpis"]["power.poi_peak"]) == {"value", "unit", "definition"}
    assert read["kpis"]["training.frontier.finish_time"]["value"].startswith("2027-08-02T")


def test_summary_of_replicates_has_means_and_percentiles(replicates):
    read = summary(replicates)["kpis"]
    values = [kpis(r).set_index("kpi").at["power.poi_peak", "value"] for r in replicates]
    peak = read["power.poi_peak"]
    assert peak["value"] == pytest.approx(np.mean(values))
    assert [peak["p10"], peak["p50"], peak["p90"]] == pytest.approx(
        np.quantile(values, [0.1, 0.5, 0.9])
    )
    finish = read["training.frontier.finish_time"]
    assert finish["value"] == finish["p50"] == "2027-08-03T05:00:00+00:00"
    assert finish["p10"] < finish["p50"] < finish["p90"]


def test_unfinished_replicates_count_as_later_than_any_date(replicates):
    jobs = replicates[2].tables["jobs"].assign(finish=pd.NaT)
    late = dataclasses.replace(replicates[2], tables=replicates[2].tables | {"jobs": jobs})
    finish = summary([*replicates[:2], late])["kpis"]["training.frontier.finish_time"]
    assert finish["p50"] == "2027-08-03T05:00:00+00:00"
    assert finish["p90"] is None


def test_a_cause_that_never_struck_counts_as_zero(replicates):
    events = replicates[1].events
    spared = dataclasses.replace(replicates[1], events=events[events["cause"] != "feeder"])
    found = summary([replicates[0], spared])["kpis"]["failures.feeder"]
    counted = (replicates[0].events["cause"] == "feeder").sum()
    assert found["value"] == pytest.approx(counted / 2)


def test_false_alarms_are_no_failures(week):
    gpu = (week.events["cause"] == "gpu").sum()
    events = week.events.assign(cause=week.events["cause"].replace("gpu", "false_alarm"))
    before, after = (
        kpis(dataclasses.replace(week, events=e)).set_index("kpi") for e in (week.events, events)
    )
    assert after.at["failures.false_alarm", "value"] == gpu > 0
    fewer = before.at["failures.count", "value"] - after.at["failures.count", "value"]
    assert fewer == gpu
    assert "not among failures.count" in after.at["failures.false_alarm", "definition"]
    causes = after.index.str.startswith("failures.") & ~after.index.isin(
        ["failures.count", "failures.false_alarm"])
    assert after.loc[causes, "value"].sum() == after.at["failures.count", "value"]
    assert "failures.false_alarm" not in before.index


def test_a_folder_of_an_older_version_has_no_planned_stops_to_tell(week):
    old = week.tables["jobs"].drop(columns=["planned_stops", "false_alarms"])
    told = kpis(dataclasses.replace(week, tables=week.tables | {"jobs": old})).set_index("kpi")["value"]
    assert told["training.frontier.planned_stops"] is None or np.isnan(told["training.frontier.planned_stops"])
    assert told["training.frontier.interruptions"] > 0


WORK = ("jobs", "phases", "tests", "preparations", "pools", "latency", "steps")


def test_nothing_to_train_or_serve_leaves_no_indicator(week):
    empty = {name: week.tables[name].iloc[:0] for name in WORK}
    names = kpis(dataclasses.replace(week, tables=week.tables | empty))["kpi"]
    assert not names.str.startswith(("training.", "inference.")).any()
    assert "cost.energy_per_million_output_tokens" not in set(names)
