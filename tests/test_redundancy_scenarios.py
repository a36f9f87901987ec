"""The campus wired four ways, as compiled: what each leaves usable, and that its sweep is the same."""

from pathlib import Path

import pytest

from simulator.scenario import load
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
