"""A run begins where its first load and weather settle."""

import numpy as np
import pytest
from small import load_tree, pod_tree

from simulator.simulation import build, simulate

COOLINGS = {
    "cold plates": {},
    "pumps that follow the load": {"coolant_unit": {"flow": "by_load"}},
    "oil": {"coolant_unit": {"kind": "single_phase_immersion", "unit": "200 kW"}},
    "boiling": {"coolant_unit": {"kind": "two_phase_immersion", "unit": "200 kW"}},
    "short of coolers": {"warm": {"unit": "400 kW", "spare_units": 0}},
}


def pod(folder, cooling=(), power="80 %", hours=1):
    tree = pod_tree()
    for key, keys in dict(cooling).items():
        here = tree["topology"]["cooling"]
        here[key] = dict(keys) if "kind" in keys else here[key] | keys
        if "kind" in keys:
            tree["topology"]["halls"][0] |= {"rack": "HGX-H100-8-IMMERSION", "racks_per_block": 20}
    tree["weather"] = {"station": "miami"}
    tree["period"] = {"start": "2027-07-15T12:00:00-04:00", "duration": f"{hours} h"}
    tree["workloads"] = [{"kind": "batch", "name": "batch", "backlog": "1e5 h", "power": power}]
    return load_tree(tree, folder)


@pytest.mark.parametrize("cooling", COOLINGS.values(), ids=COOLINGS)
def test_the_first_minutes_change_nothing(cooling, tmp_path):
    """What the closed form sets is what the kernel stays at, but for the weather of the minutes."""
    run = build(pod(tmp_path, cooling), disturbed=False)
    state = run.world.state
    parts = (state.loops.supply_c, state.blocks.coolant_c, state.hall_air_c, state.racks.junction_c)
    start = [part.copy() for part in parts]
    run.advance(300.0)
    up = state.blocks.liquid_w > 0.0
    assert up.any() and float(state.racks.junction_c.max()) > 40.0
    for before, part in zip(start, parts, strict=True):
        kept = up if part is state.blocks.coolant_c else np.ones(part.size, np.bool_)
        np.testing.assert_allclose(part[kept], before[kept], atol=0.05)


@pytest.mark.parametrize("power", ["5 %", "60 %"])
def test_a_short_run_is_not_hottest_at_its_start(power, tmp_path):
    """An idle hall starts cool, a busy one warm: neither with the junctions of another load."""
    site = simulate(pod(tmp_path, power=power)).timeseries["site"]
    hottest_c = site["junction_max_c"].to_numpy()
    assert hottest_c[0] <= hottest_c.max() + 1e-9
    assert hottest_c[0] == pytest.approx(np.median(hottest_c), abs=0.5)


def test_chips_that_would_pass_their_limit_begin_at_it(tmp_path):
    tree = pod_tree()
    tree["topology"]["cooling"]["supply"] = "59 degC"
    tree["workloads"] = [{"kind": "batch", "name": "batch", "backlog": "1e5 h"}]
    run = build(load_tree(tree, tmp_path), disturbed=False)
    assert run.world.state.racks.junction_c.max() == run.world.site.chips[0].throttle_start
    run.advance(600.0)
    assert run.world.state.loads.clock.min() < 1.0


def test_the_first_minute_knows_what_plants_lose_in_the_hall(tmp_path):
    """Plants and pumps draw through dry substations and a UPS in the building: their losses are heat of the
    first minute as of all others."""
    run = build(pod(tmp_path), disturbed=False)
    state = run.world.state
    began_w, plants_w = state.heat.indoor_w.copy(), state.plant_w[:, :2].copy()
    assert np.all(plants_w > 0.0)
    run.advance(180.0)
    np.testing.assert_allclose(began_w, state.heat.indoor_w, rtol=2e-3)
    np.testing.assert_allclose(plants_w, state.plant_w[:, :2], rtol=0.02)
