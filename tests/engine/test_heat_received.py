"""All heat that is made in a steady hour reaches the loops: of racks, lights, power chain, fans and pumps, each
from its own element's model, none as the rest of another."""

from functools import partial

import numpy as np
import pytest
import yaml
from small import ROOT, load_tree, pod_tree

from simulator.engine import state
from simulator.engine.physics import STEP_S
from simulator.kernels.cooling import pump_frac
from simulator.metrics import balance
from simulator.simulation import build, simulate

AT_S = 3.0 * 3600.0
APART = 1e-9
"""Of heat received."""


def _pod(**cooling):
    tree = pod_tree()
    tree["topology"]["cooling"] |= cooling
    return tree


def _air():
    """A hall of chips in air beside one on coolant, both on chilled water."""
    text = (ROOT / "tests" / "broken" / "base" / "pod.yaml").read_text()
    return yaml.safe_load(text)["templates"]["pod"]


def _tanks():
    tree = _pod(coolant_unit={"kind": "single_phase_immersion", "unit": "200 kW"})
    tree["topology"]["halls"][0] |= {"rack": "HGX-H100-8-IMMERSION", "racks_per_block": 20}
    return tree


KINDS = {
    "pod": _pod,
    "a hall in air": _air,
    "tanks": _tanks,
    "outdoor air": partial(_pod, chilled_supply="22 degC", fan_wall={"kind": "crah", "economiser": {}}),
    "pumps by load": partial(_pod, coolant_unit={"unit": "1.3 MW", "flow": "by_load"}),
}  # fmt: skip


def steady(tree, folder):
    """Return a run three hours into steady full work."""
    tree["topology"].pop("generators", None)
    tree["period"]["duration"] = "4 h"
    tree["workloads"] = [{"kind": "batch", "name": "batch", "backlog": "1e5 h", "power": "80 %"}]
    run = build(load_tree(tree, folder), disturbed=False)
    run.advance(AT_S)
    return run


def received_w(run):
    """Return the heat that all loops receive over the next minute."""
    before_j = run.world.state.loops.received_j.sum()
    run.advance(AT_S + STEP_S)
    return float(run.world.state.loops.received_j.sum() - before_j) / STEP_S


def made_w(run):
    """Return the heat that racks, lights, power chain, fans and pumps made in that minute."""
    site, state = run.world.site, run.world.state
    indoors = site.topology.cooling.indoors
    tree, plant_w = state.tree, state.plant_w
    lost_w = float(site.node_indoors @ (tree.input_w - tree.output_w))
    machines_w = float((plant_w[:, :2].sum(axis=1) - plant_w[:, 4:6].sum(axis=1)).sum())  # fans, coolant pumps
    house_w = float(indoors.house * site.halls.house_w.sum())
    return float(state.blocks.it_w.sum()) + house_w + lost_w + machines_w + float(pumps_w(state).sum())


def pumps_w(state):
    """Return what the pumps of each loop draw, by the heat beside their own that it takes, (halls, 2)."""
    loops, heat_w = state.loops, state.plant_w[:, 2:4]
    moved_w = np.zeros_like(heat_w)
    for _ in range(20):
        for at, of_loop in enumerate(heat_w.ravel() - moved_w.ravel()):
            law = float(loops.least_flow[at]), float(loops.held_head[at])
            moved_w.flat[at] = loops.pump_w[at] * pump_frac(float(of_loop / loops.design_w[at]), *law)
    return moved_w


@pytest.mark.parametrize("kind", KINDS)
def test_heat_made_is_heat_received(kind, tmp_path):
    run = steady(KINDS[kind](), tmp_path)
    told_w = received_w(run)
    assert told_w == pytest.approx(made_w(run), rel=APART)
    assert told_w > 1.01 * run.world.state.blocks.it_w.sum()


@pytest.mark.parametrize("leak", ["lights", "power chain"])
def test_heat_that_never_arrives_shows(leak, tmp_path):
    """The balance of loops cannot see it: they reject all that they received."""
    run = steady(_pod(), tmp_path)
    state = run.world.state
    if leak == "lights":
        state.heat.house_frac[0] = 0.0
    else:
        state.heat.indoor_w[:] = 0.0  # for the minute that follows
    told_w = received_w(run)
    assert made_w(run) - told_w > 5e-3 * told_w


INCIDENTS = {
    "plants and fans": [
        {"cause": "mechanical_substation", "element": f"pod/mechanical/{n}", "at": "1 h", "lasts": "20 min"}
        for n in (1, 2)],
    "pumps and air": [
        {"cause": "warm_loop_pump", "element": "pod/warm/pump 1", "at": "1 h", "lasts": "40 min"},
        {"cause": "warm_loop_pump", "element": "pod/warm/pump 2", "at": "1.01 h", "lasts": "40 min"},
        {"cause": "warm_loop_pump", "element": "pod/warm/pump 3", "at": "1.02 h", "lasts": "30 min"},
        {"cause": "air_unit", "element": "pod/air unit 1", "at": "2 h"}],
    "a sag": [{"cause": "voltage_sag", "element": "point of interconnection", "at": "1 h", "lasts": "200 ms"}],
}  # fmt: skip


@pytest.mark.parametrize("incidents", INCIDENTS)
@pytest.mark.parametrize("kind", ["pod", "tanks", "outdoor air"])
def test_heat_made_in_a_run_is_received_whatever_stops(kind, incidents, tmp_path):
    tree = KINDS[kind]()
    tree["period"]["duration"] = "4 h"
    tree["workloads"] = [{"kind": "batch", "name": "batch", "backlog": "1e5 h"}]
    tree["incidents"] = INCIDENTS[incidents]
    found = simulate(load_tree(tree, tmp_path))
    assert found.tables["heat_sources"]["made_j"].iloc[:-1].min() > 0.0
    assert balance.checks(found)["heat_made_rel"] <= APART


def test_heat_that_never_arrives_shows_in_the_checks_of_a_run(monkeypatch, tmp_path):
    sound = state.build

    def dark(*arguments):
        built = sound(*arguments)
        built.heat.house_frac[0] = 0.0
        return built

    monkeypatch.setattr(state, "build", dark)
    found = balance.checks(simulate(load_tree(_pod(), tmp_path)))
    assert found["heat_made_rel"] > 1e-3
    assert found["heat_balance_rel"] <= APART
