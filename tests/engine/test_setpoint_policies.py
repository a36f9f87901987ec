"""A pod under each set-point policy: what the loop is told, and what that trades."""

import pytest
from small import load_tree, pod_tree

from simulator.metrics import balance, kpis
from simulator.policies.setpoint import SETPOINTS
from simulator.simulation import simulate


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return the results of a mild morning by policy; lowest of the reset is 25 degC."""
    found = {}
    for policy in SETPOINTS:
        tree = pod_tree()
        told = {"policy": policy} | ({} if policy == "fixed" else {"lowest": "25 degC"})
        told |= {"uneven": "5 %"} if policy == "load_coordinated" else {}
        tree["topology"]["cooling"]["setpoint"] = told
        tree["weather"] = {"station": "miami"}
        tree["period"] = {"start": "2027-01-15T06:00:00-05:00", "duration": "4 h"}
        tree["workloads"] = [{"kind": "batch", "name": "batch", "backlog": "1e5 h"}]
        found[policy] = simulate(load_tree(tree, tmp_path_factory.mktemp(policy)))
    return found


def warm(results, column):
    loop = results.timeseries["loop"]
    return loop.loc[loop["element"] == "pod/warm", column].to_numpy()


def value(results, name):
    return kpis.kpis(results).set_index("kpi")["value"][name]


def test_the_loop_is_told_what_the_policy_says(runs):
    assert (warm(runs["fixed"], "setpoint_c") == 37.0).all()
    reset = warm(runs["wet_bulb_reset"], "setpoint_c")
    assert (reset >= 25.0).all() and (reset < 37.0).any()
    coordinated = warm(runs["load_coordinated"], "setpoint_c")
    assert ((coordinated > 37.0) & (coordinated < 40.0)).all()
    # the approach falls with heat, so the racks get what they get at design heat
    assert warm(runs["load_coordinated"], "supply_max_c")[-1] <= 40.0 + 1e-6


def test_colder_water_buys_cooler_chips_with_fan_energy(runs):
    junction = [value(runs[p], "thermal.junction_max") for p in
                ("wet_bulb_reset", "fixed", "load_coordinated")]
    fans = [warm(runs[p], "power_w").sum() for p in ("wet_bulb_reset", "fixed", "load_coordinated")]
    # the first minutes still have the water of the start: compare what they end with
    ends = [warm(runs[p], "supply_c")[-1] for p in ("wet_bulb_reset", "fixed", "load_coordinated")]
    assert ends[0] < ends[1] < ends[2]
    assert junction[0] <= junction[1] < junction[2]
    assert fans[0] > fans[1] > fans[2]


def test_leakage_follows_the_water(runs):
    assert value(runs["wet_bulb_reset"], "energy.it") < value(runs["load_coordinated"], "energy.it")


def test_everything_closes_under_every_policy(runs):
    assert max(max(balance.checks(results).values()) for results in runs.values()) <= 1e-9
