"""Another kind of cooling equipment by an override: what stays of the one before, and where errors point."""

import pytest
import yaml
from small import pod_tree

from simulator import scenario
from simulator.errors import ScenarioError
from simulator.scenario.kinds import PLACES, carried


def written(folder, **overrides):
    """Return the pod's scenario with overrides, each a scenario of its own, and figures of kinds in its tree."""
    tree = pod_tree()
    cooling = tree["topology"]["cooling"]
    cooling["warm"] |= {"unit": "1 MW", "range": "9 K", "spare_units": 2, "approach": "5 K", "fan": "3 %", "fans": 8}
    cooling["supply"] = "36 degC"
    cooling["coolant_unit"] |= {"approach": "3 K", "pump": "1.25 %"}
    tree |= {"overrides": overrides, "scenarios": {name: [name] for name in overrides}}
    path = folder / "scenario.yaml"
    path.write_text(yaml.safe_dump(tree, sort_keys=False))
    return path


def test_another_kind_of_plant_keeps_units_and_loop_and_starts_from_its_own_figures(tmp_path):
    path = written(tmp_path, towers={"topology.cooling.warm.kind": "tower"})
    warm = scenario.load(path, scenario="towers").spec.topology.cooling.warm
    assert (warm.kind, warm.unit, warm.range, warm.spare_units) == ("tower", 1e6, 9.0, 2)
    assert warm.fans == 2  # of towers, not of coolers
    pads = scenario.load(path, ["topology.cooling.warm.kind=adiabatic_dry_cooler"]).spec.topology.cooling.warm
    assert (pads.approach, pads.fan) == (5.0, 0.03)  # the same coil


@pytest.mark.parametrize("kind", ["single_phase_immersion", "two_phase_immersion"])
def test_a_tank_has_its_own_approach_unless_the_override_gives_one(tmp_path, kind):
    path = written(tmp_path, tank={"topology.cooling.coolant_unit": {"kind": kind, "unit": "2.6 MW"}})
    unit = scenario.load(path, scenario="tank").spec.topology.cooling.coolant_unit
    own = type(unit).model_fields
    assert unit.unit == 2.6e6 and unit.approach == own["approach"].default and unit.pump == own["pump"].default
    key = "topology.cooling.coolant_unit"
    for sets in ((f"{key}.approach=9 K", f"{key}.kind={kind}"), (f"{key}.kind={kind}", f"{key}.approach=9 K")):
        assert scenario.load(path, sets).spec.topology.cooling.coolant_unit.approach == 9.0


def test_the_same_kind_keeps_all(tmp_path):
    path = written(tmp_path, again={"topology.cooling.warm": {"kind": "dry_cooler", "fan": "4 %"}})
    warm = scenario.load(path, scenario="again").spec.topology.cooling.warm
    assert (warm.approach, warm.fans, warm.fan) == (5.0, 8, 0.04)
    assert carried("topology.cooling.coolant_unit", None, "coolant_unit") is None
    assert carried("workloads.batch", "batch", "tower") is None


def test_an_error_of_the_new_kind_points_at_the_override(tmp_path):
    told = {"kind": "two_phase_immersion", "unit": "2.6 MW", "approach": "3 K"}
    path = written(tmp_path, tank={"topology.cooling.coolant_unit": told})
    with pytest.raises(ScenarioError) as error:
        scenario.load(path, scenario="tank")
    found = next(p for p in error.value.problems if p.path.startswith("topology.cooling.coolant_unit"))
    line = path.read_text().splitlines()[found.line - 1]
    assert line.strip().startswith(("kind:", "topology.cooling.coolant_unit:"))


def test_every_kind_stands_in_for_every_other():
    for path, (kinds, _) in PLACES.items():
        names = [kind.model_fields["kind"].default for kind in kinds]
        required = {kind.model_fields["kind"].default: {k for k, f in kind.model_fields.items() if f.is_required()}
                    for kind in kinds}  # fmt: skip
        for before in names:
            for named in names:
                kept = carried(path, before, named)
                assert (kept is None) == (before == named)
                assert kept is None or (kept >= required[named] & required[before] and "kind" not in kept)
