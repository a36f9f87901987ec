"""A plant that lost its power comes back unit by unit after its restart time; its tank rides through."""

import numpy as np
import pytest
from small import Bench, Load, load_tree, pod_tree

from simulator.engine import plant_power

LOADS = (Load("job", "training", 0, synchronous=True),)
DIP_S, RESTART_S, BUFFER_S = 600.0, 300.0, 300.0


@pytest.fixture(scope="module")
def dipped(tmp_path_factory):
    """Return minutes of the warm loop's water, heat and units around a dip of half a minute."""
    tree = pod_tree()
    cooling = tree["topology"]["cooling"]
    cooling["warm"] |= {"restart": "5 min", "tank": "60 s", "buffer": "7.2 m3/MW"}
    bench = Bench(load_tree(tree, tmp_path_factory.mktemp("dip")), LOADS)
    bench.work("job", np.arange(8), 0.9)
    bench.at(DIP_S, lambda: plant_power.dip(bench.world, 0, 30.0, "sag"))
    seen = []
    for minute in range(1, 40):
        bench.run(60.0 * minute)
        loops = bench.state.loops
        seen.append((loops.supply_c[0], bench.state.plant_w[0, 2], loops.units_up[0], loops.units_up[1]))
    return bench, np.array(seen)


def test_without_a_unit_the_tank_warms_at_exactly_heat_over_its_mass(dipped):
    bench, seen = dipped
    loop = bench.site.loops[0]
    assert loop.tank_s == pytest.approx(60.0 + BUFFER_S, rel=0.01)  # 7.2 m3/MW at 10 K
    down = np.flatnonzero(seen[:, 2] == 0.0)
    assert down.size >= 5
    rise_k = np.diff(seen[:, 0])[down - 1]
    np.testing.assert_allclose(rise_k, seen[down, 1] * 60.0 / (loop.flow_w_k * loop.tank_s), rtol=1e-9)


def test_units_come_back_one_group_after_another_once_they_have_restarted(dipped):
    bench, seen = dipped
    told = bench.site.topology.ride_through
    units = seen[:, 2]
    back_s = DIP_S + 30.0 + told.machines_restart + RESTART_S
    first = int(np.flatnonzero((units > 0.0) & (np.arange(1, 40) * 60.0 > DIP_S))[0])
    assert (first + 1) * 60.0 == pytest.approx(-(-back_s // 60.0) * 60.0, abs=60.0)
    assert (np.diff(units[first:]) >= 0.0).all() and units[-1] == bench.site.loops[0].units
    assert 0.0 < units[first] < units[-1]


def test_chillers_take_their_restart_time_without_being_told(dipped):
    bench, seen = dipped
    up = np.flatnonzero((seen[:, 3] > 0.0) & (np.arange(1, 40) * 60.0 > DIP_S))[0]
    told = bench.site.topology.ride_through
    back_s = DIP_S + 30.0 + told.machines_restart + 180.0
    assert abs((up + 1) * 60.0 - back_s) <= 60.0


def test_heat_closes_through_the_outage(dipped):
    bench, _ = dipped
    heat = bench.results().tables["heat"]
    left_j = heat["received_j"] - heat["rejected_j"] - heat["stored_j"]
    assert left_j.abs().max() <= 1e-9 * heat["received_j"].sum()
