"""Hourly prices and carbon: read on the UTC clock, whole or refused, and told in the result."""

import gzip
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small import ROOT
from synthetic import campus

from simulator import scenario
from simulator.errors import ScenarioError
from simulator.market import CarbonSeries, MarketError, PriceSeries, hours_of, read_once
from simulator.metrics import balance, cost, market
from simulator.scenario import resolving
from simulator.scenario.hourly import market_table
from simulator.studies import provenance, remarks

START = datetime.fromisoformat("2022-07-14T00:00:00-05:00")
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def rows(first="2022-07-14T05:00", hours=24, zone=""):
    times = pd.date_range(f"{first}Z", periods=hours, freq="h")
    return [f"{zone}{t:%Y-%m-%dT%H:%M}Z,{40 + t.hour}" for t in times]


def prices(tmp_path, lines, header="datetime_utc,price_usd_per_mwh", name="p.csv", **asked):
    (tmp_path / name).write_text("\n".join([header, *lines]) + "\n")
    return read_once(PriceSeries.model_validate({"file": name, **asked}), tmp_path)


def test_every_hour_a_run_touches_has_its_own_price(tmp_path):
    found = prices(tmp_path, rows())
    hours, value = hours_of(found, START.replace(minute=30), 2 * 3600.0)
    assert [str(h)[11:13] for h in hours] == ["05", "06", "07"]
    np.testing.assert_allclose(value * 3.6e9, [45.0, 46.0, 47.0])
    with pytest.raises(MarketError, match=r"no value for 2022-07-15T05:00Z of the run"):
        hours_of(found, START, 25 * 3600.0)
    with pytest.raises(MarketError, match="no value for 2023-07-14T05:00Z"):
        hours_of(found, START.replace(year=2023), 3600.0)


def test_zones_units_and_packing(tmp_path):
    lines = [*rows(zone="A,"), *rows(zone="B,", hours=3)]
    head = "zone_key,time,price_usd_per_mwh"
    with pytest.raises(MarketError, match="rows of several zones: give zone, one of A, B"):
        prices(tmp_path, lines, head)
    found = prices(tmp_path, lines, head, zone="B", one="0.1 USD/kWh")
    assert len(found.hour) == 3 and found.value[0] * 3.6e6 == pytest.approx(4.5)
    (tmp_path / "p.csv.gz").write_bytes(gzip.compress((tmp_path / "p.csv").read_bytes()))
    packed = read_once(PriceSeries.model_validate({"file": "p.csv.gz", "zone": "B"}), tmp_path)
    np.testing.assert_array_equal(packed.hour, found.hour)
    stamps = pd.date_range("2022-07-14T05:00Z", periods=4, freq="h")
    table = pd.DataFrame({"zone_key": "X", "datetime_utc": stamps, "ci_direct_g_per_kwh": [400.0, 300, 200, 100]})
    table.to_parquet(tmp_path / "c.parquet")
    carbon = read_once(CarbonSeries.model_validate({"file": "c.parquet"}), tmp_path)
    np.testing.assert_allclose(carbon.value * 3.6e9, [400, 300, 200, 100])  # g/kWh are kg/MWh


@pytest.mark.parametrize(
    ("lines", "header", "message"),
    [
        ([], "datetime_utc,price_usd_per_mwh", "no rows of data"),
        (rows(), "when,price_usd_per_mwh", "column 'time' or 'datetime_utc' is missing"),
        (rows(), "time,price_usd_mwh", "there is no column 'price_usd_per_mwh' (did you mean 'price_usd_mwh'"),
        ([*rows(), rows()[3]], "time,price_usd_per_mwh", "hours there twice: 2022-07-14T08:00Z"),
        (["2022-07-14T05:00Z,"], "time,price_usd_per_mwh", "no value at 2022-07-14T05:00Z"),
        (["2022-07-14T05:30Z,1"], "time,price_usd_per_mwh", "not hourly: 2022-07-14T05:30Z"),
        (["2022-07-14T05:00,1"], "time,price_usd_per_mwh", "is no time with an offset from UTC"),
        (["2022-07-14T05:00Z,dear"], "time,price_usd_per_mwh", "holds what is no number"),
        (["2022-07-14T05:00Z,1e6"], "time,price_usd_per_mwh", "1e+06 USD/MWh is outside"),
        (["2022-07-14T05:00Z,1,2"], "time,price_usd_per_mwh", "line 2 does not have 2 cells"),
    ],
)
def test_what_is_no_series_is_refused(tmp_path, lines, header, message):
    with pytest.raises(MarketError) as error:
        prices(tmp_path, lines, header)
    assert message in str(error.value) and str(error.value).startswith("p.csv: ")


def pod(tmp_path, *sets):
    given = [f'period.start="{START.isoformat()}"', "period.duration=6 h", *sets]
    return scenario.load(ROOT / "scenarios" / "pod.yaml", given)


def test_a_scenario_takes_prices_and_keeps_no_path(tmp_path):
    (tmp_path / "p.csv").write_text("\n".join(["time,price_usd_per_mwh", *rows()]))
    given = pod(tmp_path, f"economics.prices.file={tmp_path / 'p.csv'}")
    table = market_table(given)
    np.testing.assert_allclose(table["price_usd_j"] * 3.6e9, np.arange(45, 51))
    np.testing.assert_allclose(table["carbon_kg_j"] * 3.6e9, 380.0)
    assert any("hot hours and dear hours" in told for told in remarks.of_years(given))
    assert any(file["kind"] == "market" for file in provenance.inputs(given))
    assert str(tmp_path.parent) not in given.config_hash and "p.csv" in resolving.resolved(given)
    moved = tmp_path / "elsewhere.csv"
    moved.write_bytes((tmp_path / "p.csv").read_bytes())
    again = pod(tmp_path, f"economics.prices.file={moved}")
    assert again.config_hash == given.config_hash
    assert provenance.identity(again, 0) == provenance.identity(given, 0)
    assert market_table(pod(tmp_path)).empty


@pytest.mark.parametrize(
    ("key", "message"), [("nowhere.csv", "there is no file"), ("p.csv", "no value for 2022-07-14T05:00Z")]
)
def test_what_does_not_cover_the_run_is_told_at_its_place(tmp_path, key, message):
    (tmp_path / "p.csv").write_text("\n".join(["time,price_usd_per_mwh", *rows("2021-07-14T05:00")]))
    with pytest.raises(ScenarioError, match=message) as error:
        pod(tmp_path, f"economics.prices.file={tmp_path / key}")
    assert error.value.problems[0].path == "economics.prices.file"


def test_cost_and_carbon_by_hand():
    results = campus()
    site = results.timeseries["site"]
    hour = site["time"].dt.floor("h")
    hours = hour.drop_duplicates().reset_index(drop=True)
    price = pd.Series(np.linspace(1e-8, 5e-8, len(hours)), index=hours)
    results.tables["market"] = pd.DataFrame(
        {"time": hours, "price_usd_j": price.to_numpy(), "carbon_kg_j": 1e-7}
    )
    bill = (site["poi_w"] * price.reindex(hour).to_numpy()).sum() * 60.0
    assert cost.cost(results)["energy_usd"].sum() == pytest.approx(bill)
    assert market.mean(results, market.PRICE) * site["poi_w"].sum() * 60.0 == pytest.approx(bill)
    kpi = {k.name: k.value for k in cost.kpis(results)}
    poi_j = balance.energy(results)["poi"]
    assert kpi["carbon.location"] == pytest.approx(poi_j * 1e-7 / 1e3)


@pytest.mark.skipif(not (SHARED / "grid").exists(), reason="no price series beside the repository")
def test_one_actual_year_of_texas_is_aligned():
    grid, texas = SHARED / "grid", "US-TEX-ERCO"
    given = scenario.load(ROOT / "scenarios" / "pod.yaml", [
        'period.start="2021-02-15T00:00:00-06:00"', "period.duration=2 d",
        f"weather.csv={SHARED / 'weather' / 'openmeteo_hourly_2021_2023.csv.gz'}", "weather.site=Dallas_TX",
        "weather.elevation=170 m", f"economics.prices.file={grid / 'price_ercot_hb_hubavg_dam_2021.csv.gz'}",
        f"economics.emissions.file={grid / 'carbon_intensity_emaps_2021_2023.parquet'}",
        f"economics.emissions.zone={texas}",
    ])  # fmt: skip
    table = market_table(given)
    assert len(table) == 48 and list(remarks.of_years(given)) == []
    assert (table["price_usd_j"] * 3.6e9).max() > 5_000.0  # the freeze: dear hours are cold hours
    assert str(table["time"].iloc[0]) == "2021-02-15 06:00:00+00:00"
