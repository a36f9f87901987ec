"""Scripted incidents: they strike what they name, when they say, in every replicate alike."""

import numpy as np
import pytest
from small import Bench, Load, load_tree, pod, pod_site, pod_tree

from simulator import simulation
from simulator.components import from_catalog
from simulator.components.incident import Incident
from simulator.engine import effects, incidents
from simulator.engine.elements import elements
from simulator.engine.outage_log import of_one_stage
from simulator.engine.repair import AllIn
from simulator.metrics.balance import checks
from simulator.simulation import simulate
from simulator.site import compile_site

FLEET = from_catalog.failure_classes("hyperscale")
CLASSES = [cls for cls in FLEET if elements(pod_site(), cls)]  # the pod has no cores
BY_NAME = {cls.name: cls for cls in CLASSES}


def with_incidents(folder, *scripted, **changes):
    tree = pod_tree()
    tree |= {"incidents": list(scripted), "reliability": {"rate_scale": 0}} | changes
    return load_tree(tree, folder)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.name)
def test_an_effect_answers_with_the_name_it_was_found_by(cls):
    known = elements(pod_site(), cls)
    assert known
    for name in list(known)[:4] + list(known)[-1:]:
        bench = Bench(pod(), (Load("job", "training", 0, synchronous=True),))
        repair = of_one_stage("repair", 600.0)
        assert effects.inflict(bench.world, cls, *known[name], repair) == name


def test_it_is_a_failure_event_at_its_time_with_its_duration(tmp_path):
    scripted = {"cause": "leak", "element": "pod/r0003", "at": "90 min", "lasts": "2 h"}
    results = simulate(with_incidents(tmp_path, scripted))
    row = results.events[results.events["kind"] == "failure"].iloc[0]
    start = results.timeseries["site"]["time"].iloc[0]
    assert (row["time"] - start).total_seconds() == 5400.0
    assert tuple(row[["element", "cause", "duration_s", "detail"]]) == (
        "pod/r0003", "leak", 7200.0, "scripted")
    down = results.tables["hours"].query("category == 'down'")["accelerator_hours"].sum()
    assert down == pytest.approx(2.0 * 72.0)


def test_blank_lasts_the_median_repair_and_what_is_given_counts():
    incident = Incident(cause="leaf_switch", element="pod/leaf 1", at="1 h")
    switch = BY_NAME["leaf_switch"]
    repair = incidents.repair_of(switch, incident, 3600.0, AllIn())
    assert repair.back_s == 3600.0 + switch.repair
    short = Incident(cause="leaf_switch", element="pod/leaf 1", at="1 h", lasts="5 min")
    repair = incidents.repair_of(switch, short, 3600.0, AllIn())
    assert (repair.back_s, repair.transient) == (3900.0, True)


def test_every_replicate_sees_it_beside_its_own_failures(tmp_path):
    scripted = {"cause": "line", "element": "lines/1", "at": "6 h", "lasts": "1 h"}
    given = with_incidents(tmp_path, scripted, reliability={"rate_scale": 20})
    for replicate in (0, 1):
        failures = simulate(given, replicate).events.query("kind == 'failure'")
        assert (failures["detail"] == "scripted").sum() == 1
        assert len(failures) > 1


def test_balances_close_over_incidents_of_every_kind(tmp_path):
    scripted = [
        {"cause": cls.name, "element": list(elements(pod_site(), cls))[0], "at": f"{2 + k * 37} min"}
        | ({} if cls.effect == "interrupt" else {"lasts": "50 min"})
        for k, cls in enumerate(CLASSES)
    ]
    results = simulate(with_incidents(tmp_path, *scripted))
    assert (results.events["detail"] == "scripted").sum() == len(CLASSES)
    for name, value in checks(results).items():
        assert abs(value) <= 1e-9, name


def test_a_unit_out_by_script_does_not_fail_by_draw(tmp_path, monkeypatch):
    often = BY_NAME["line"].model_copy(update={"rate": 1.0 / 3600.0, "repair": 60.0})
    monkeypatch.setattr(simulation, "_failure_classes", lambda scenario: (often,))
    scripted = {"cause": "line", "element": "lines/2", "at": "0 s", "lasts": "1 d"}
    events = simulate(with_incidents(tmp_path, scripted)).events.query("kind == 'failure'")
    assert len(events) > 5
    assert set(events.query("detail != 'scripted'")["element"]) == {"lines/1"}


def test_a_flow_incident_exists_only_where_coolant_flows(tmp_path):
    tree = pod_tree()
    tree["topology"]["halls"][0] |= {"rack": "HGX-H100-4"}
    tree["workloads"] = []
    site = compile_site(load_tree(tree, tmp_path).spec.topology)
    assert elements(site, BY_NAME["coolant_unit"]) == {}
    assert np.array(list(elements(site, BY_NAME["busway"]).values())).shape[1] == 2


def test_a_failure_stands_before_what_it_causes_in_the_same_second(tmp_path):
    both = [{"cause": "line", "element": f"lines/{k}", "at": "90 min", "lasts": "2 h"} for k in (1, 2)]
    kinds = simulate(with_incidents(tmp_path, *both)).events.query("cause != 'heat'")
    order = list(zip(kinds["kind"], kinds["element"], strict=True))
    caused = [k for k, (kind, _) in enumerate(order) if kind in ("supply_lost", "plants_lost", "dark", "interruption")]
    assert caused and order.index(("failure", "lines/1")) < order.index(("failure", "lines/2")) < min(caused)
