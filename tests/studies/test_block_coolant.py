"""Closed forms of studies follow the coolant as the kernels do: flow by load, tanks, chips' resistance."""

import numpy as np
import pytest
from small import ROOT, resting

from simulator import scenario
from simulator.components.cooling import LOAD_STEP
from simulator.kernels import rack_side
from simulator.site import compile_site
from simulator.studies import StudyError, climates
from simulator.studies.calibrate.models import _block_coolant
from simulator.studies.screen import screen

UNIT = "topology.cooling.coolant_unit"
HEAT_W = np.linspace(0.0, 1.2e6, 7)


def pod(*sets):
    return scenario.load(ROOT / "scenarios" / "pod.yaml", ["period.duration=3 h", *sets])


@pytest.fixture(scope="module")
def plain():
    return climates.hours(pod())


def test_flow_by_load_is_the_one_of_the_kernel():
    site = compile_site(pod(f"{UNIT}.flow=by_load").spec.topology)
    blocks, b = resting(site).blocks, int(np.argmax(site.block_liquid_w))
    found = _block_coolant.at_heat(site, np.tile(HEAT_W, (len(site.block_names), 1)))
    for i, heat_w in enumerate(HEAT_W):
        blocks.liquid_w[b] = heat_w
        rack_side.follow_load(blocks, LOAD_STEP)
        for name in ("approach_k_w", "pump_w", "resistance_frac"):
            assert getattr(found, name)[b, i] == pytest.approx(getattr(blocks, name)[b], rel=1e-9)
    assert found.pump_w[b, 0] < 0.2 * found.pump_w[b, -1]
    assert found.resistance_frac[b, 0] > found.resistance_frac[b, -1]


@pytest.mark.parametrize("kind", ["two_phase_immersion", "single_phase_immersion"])
def test_a_tank_settles_where_the_kernel_ends(kind):
    site = compile_site(pod(f"{UNIT}.kind={kind}", "topology.cooling.supply=36 degC").spec.topology)
    blocks, b = resting(site).blocks, int(np.argmax(site.block_liquid_w))
    every_w = np.tile(HEAT_W, (len(site.block_names), 1))
    found_c = _block_coolant.settled_c(site, np.full(every_w.shape, 38.0), every_w)
    for i, heat_w in enumerate(HEAT_W):
        whole_w = heat_w + blocks.pump_w[b]
        for _ in range(3):
            rack_side.exchange(blocks, b, whole_w, 38.0, blocks.approach_k_w[b], 1e7)
        assert found_c[b, i] == pytest.approx(blocks.coolant_c[b], abs=1e-6)


def test_chips_in_boiling_fluid_are_as_warm_as_that():
    found = climates.hours(pod(f"{UNIT}.kind=two_phase_immersion"))
    assert (found["coolant_c"] >= 49.0).all()
    cooler = climates.hours(pod(f"{UNIT}.kind=two_phase_immersion", f"{UNIT}.boiling=45 degC"))
    assert (cooler["margin_k"] > found["margin_k"] + 3.5).all()


def test_less_flow_past_the_plates_warms_chips_and_leaks(plain):
    found = climates.hours(pod(f"{UNIT}.range=16 K"))
    assert (found["margin_k"] < plain["margin_k"] - 3.0).all()
    assert (found["installed_w"] > plain["installed_w"]).all()
    half, whole = (screen(pod(*sets), 0)["energy.it"] for sets in ([f"{UNIT}.range=16 K"], []))
    assert half > whole


def test_limits_of_water_are_refused_by_name():
    short = pod('topology.cooling.water={daily_limit: 100 m3/d}')
    for study in (climates.hours, lambda given: screen(given, 0)):
        with pytest.raises(StudyError, match=r"topology\.cooling\.water"):
            study(short)
