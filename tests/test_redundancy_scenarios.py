"""The campus wired four ways, as compiled: what each leaves usable, and that its sweep is the same."""

from pathlib import Path

import pytest

from simulator.metrics import balance
from simulator.scenario import load
from simulator.simulation import simulate
from simulator.site import compile_site
from simulator.studies import designs

FOLDER = Path(__file__).parents[1] / "scenarios"
FILE = FOLDER / "campus-redundancy.yaml"
NAMES = ("N", "2N", "4N3", "block_redundant")


@pytest.fixture(scope="module")
def made():
    return {name: load(FILE, scenario=name) for name in NAMES}


def test_each_scheme_leaves_its_part_of_the_same_lineups(made):
    usable_w = {}
    for name, scenario in made.items():
        site = compile_site(scenario.spec.topology)
        usable_w[name] = float(site.block_limit_w[site.block_support_w == 0.0].sum())
    assert usable_w["N"] > usable_w["block_redundant"] > usable_w["4N3"] > usable_w["2N"]
    for name, part in (("2N", 1 / 2), ("4N3", 3 / 4)):  # losses at another load move it a little
        assert usable_w[name] == pytest.approx(part * usable_w["N"], rel=0.01)


def test_the_sweep_makes_the_scenarios_of_those_names(made):
    swept = designs.from_file(FOLDER / "sweeps" / FILE.name)
    assert len(swept.designs) == len(NAMES)
    for name, design in zip(NAMES, swept.designs, strict=True):
        assert design.scenario().spec.topology == made[name].spec.topology


def test_breakers_listed_for_80_percent_leave_four_fifths_and_hold_through_both_losses():
    """`redundancy.yaml` as N, from the first loss to after the second."""
    sets = ["period.duration=10 h"]
    plain, listed = (load(FOLDER / "redundancy.yaml", sets, scenario=name) for name in ("N", "N_80"))
    usable_w = []
    for scenario in (plain, listed):
        site = compile_site(scenario.spec.topology)
        usable_w.append(float(site.block_limit_w[site.block_support_w == 0.0].sum()))
    assert usable_w[1] == pytest.approx(0.8 * usable_w[0], rel=0.01)
    run = simulate(listed)
    assert abs(balance.checks(run)["energy_balance_rel"]) <= 1e-9
    assert set(run.events.loc[run.events["kind"] == "dark", "element"]) == {"hall/b01", "hall/b02"}
    limits = run.tables["limits"]
    assert not limits[["trips", "exceeded"]].any(axis=None)
    lineups = limits[limits["element"].astype(str).str.match(r"hall/l\d+/substation")]
    assert len(lineups) == 12
    assert (lineups["limit_w"] / lineups["rating_w"]).to_numpy() == pytest.approx(0.8)
    assert (lineups["peak_w"] <= lineups["limit_w"]).all()
