"""Energy, heat and accelerator-hours close, and a leak anywhere shows."""

import pytest
from small import load_tree, pod, pod_tree

from simulator.engine import state
from simulator.metrics import balance
from simulator.simulation import simulate

JOB = {
    "kind": "training", "name": "tune", "model": "llama-3.1-70b", "accelerator": "GB300",
    "accelerators": 1152, "plan": {"tp": 4, "pp": 2, "global_batch_sequences": 1152,
                                   "sequence_length": 8192},
    "tokens": 1e13, "checkpoint": {"stall": "5 s", "restart": "5 min"}, "spares": 1,
}


@pytest.fixture(scope="module")
def halls(tmp_path_factory):
    """Three halls, a training job, a pool and batch work, failing fifty times as often."""
    tree = pod_tree()
    tree["topology"]["halls"][0] |= {"name": "hall", "count": 3}
    for bank in ("lines", "transformers"):
        tree["topology"]["grid"][bank] |= {"count": 3, "rating": "4 MVA"}
    tree["workloads"].insert(0, JOB)
    tree["reliability"] = {"rate_scale": 50}
    tree["period"]["duration"] = "5 d"
    tree["topology"]["battery"] = {
        "power": "2 MW", "energy": "1 MWh", "recharge": "500 kW", "auxiliary": "1 kW"}
    return load_tree(tree, tmp_path_factory.mktemp("halls"))


@pytest.fixture(scope="module")
def busy(halls):
    return simulate(halls)


def test_everything_closes_on_a_quiet_pod():
    assert max(balance.checks(simulate(pod())).values()) <= 1e-9


def test_everything_closes_through_many_failures(busy):
    assert busy.events["kind"].eq("failure").sum() > 50
    for name, value in balance.checks(busy).items():
        assert value <= 1e-9, name


def test_energy_by_load_is_the_energy_of_accelerator_racks(busy):
    energy = busy.tables["energy"].set_index("element")["energy_j"]
    switches_w = 36 * 2500.0 + 3 * 1728 * 15.0  # 24 leaves, 12 spines, three modules per port
    shelf_w = 44e3 * (0.0112 + 0.0384 * (switches_w / 9 / 44e3) ** 2)
    support_w = switches_w + 9 * shelf_w + 3 * 11_233.92
    by_load_j = busy.tables["load_energy"]["it_j"].sum()
    assert by_load_j + support_w * busy.info["duration_s"] == pytest.approx(energy["it"], rel=1e-9)


def test_the_minutes_add_up_to_the_energies(busy):
    energy = busy.tables["energy"].set_index("element")["energy_j"]
    site = busy.timeseries["site"]
    for column, term in (("poi_w", "poi"), ("onsite_w", "onsite"), ("it_w", "it"),
                         ("cooling_w", "cooling"), ("house_w", "house")):
        assert site[column].sum() * 60.0 == pytest.approx(energy[term], rel=1e-9, abs=1.0)
    losses_j = energy[energy.index.str.startswith("loss.")].sum()
    assert site["losses_w"].sum() * 60.0 == pytest.approx(losses_j, rel=1e-9)
    gap_w = site["poi_w"] + site["onsite_w"] - site["battery_w"] - site[
        ["it_w", "cooling_w", "house_w", "losses_w"]].sum(axis=1)
    assert gap_w.abs().max() < 1.0


def test_hours_by_hour_are_the_hours_of_the_run(busy):
    job = busy.timeseries["job"]
    held = job[job["element"] == "tune"]["accelerators"].sum()
    hours = busy.tables["hours"]
    assert held == pytest.approx(hours[hours["load"] == "tune"]["accelerator_hours"].sum())


def leaking(monkeypatch, leak):
    """Return the checks of a pod whose state was tampered with."""
    sound = state.build

    def build(*arguments):
        built = sound(*arguments)
        leak(built)
        return built

    monkeypatch.setattr(state, "build", build)
    return balance.checks(simulate(pod()))


def test_a_kilowatt_that_no_meter_sees_shows(monkeypatch):
    def leak(built):
        built.tree.unmetered_w[4] = 1000.0

    found = leaking(monkeypatch, leak)
    assert found["energy_balance_rel"] > 1e-6
    assert found["energy_balance_rel"] == pytest.approx(1000.0 / 975e3, rel=0.1)
    assert found["heat_balance_rel"] <= 1e-9


def test_heat_that_is_lost_between_rack_and_weather_shows(monkeypatch):
    def leak(built):
        built.loops.rejected_j[0] = 1000.0 * 86_400.0  # a kilowatt for a day

    assert leaking(monkeypatch, leak)["heat_balance_rel"] > 1e-6


def test_hours_that_belong_to_nobody_show(monkeypatch):
    def leak(built):
        built.loads.count[0] -= 1.0  # one accelerator is in no load

    assert leaking(monkeypatch, leak)["accelerator_hours_rel"] > 1e-6
