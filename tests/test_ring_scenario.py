"""Two halls on a ring, as shipped: a cut cable and a lost lineup that nobody feels."""

from pathlib import Path

import pytest

from simulator.metrics import balance
from simulator.reports.headroom import LEVELS
from simulator.scenario import load
from simulator.simulation import simulate

FILE = Path(__file__).parents[1] / "scenarios" / "ring-hall.yaml"


@pytest.fixture(scope="module")
def ring():
    return simulate(load(FILE, ["period.duration=6 h"]))


def test_batteries_carry_the_cut_cable_and_the_lost_lineup(ring):
    hours = ring.tables["hours"].set_index("category")["accelerator_hours"]
    assert hours["useful"].sum() == pytest.approx(6.0 * ring.tables["racks"]["accelerators"].sum(), rel=1e-9)
    assert not ring.tables["limits"][["trips", "exceeded", "overload_s"]].any(axis=None)
    assert {"mv_branch", "substation"} <= set(ring.events["cause"])


def test_what_is_fed_in_and_what_is_drawn_balance(ring):
    assert abs(balance.checks(ring)["energy_balance_rel"]) <= 1e-9


def test_pages_know_every_level_of_a_network(ring):
    assert {"line", "transformer", "mv_branch"} <= set(ring.tables["limits"]["level"]) <= set(LEVELS)
