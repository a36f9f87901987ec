"""What is told of a sound scenario before it runs: coolant warmer than a rack's maker allows, generators
smaller than what is behind UPS."""

import pytest
from small import load_tree, pod_tree

from simulator.components import from_catalog
from simulator.components.cooling.single_phase_immersion import SinglePhaseImmersion
from simulator.components.cooling.two_phase_immersion import TwoPhaseImmersion
from simulator.components.power.generator import Generators
from simulator.components.power.node import UPS
from simulator.scenario import Scenario
from simulator.site import compile_site
from simulator.studies import remarks, run

GB300 = from_catalog.rack("GB300-NVL72")


def pod(folder, supply, racks=(), **cooling):
    """Return the pod with other cooling or racks, which no check sees."""
    tree = pod_tree()
    tree["topology"]["cooling"]["supply"] = supply
    sound = load_tree(tree, folder)
    topology = sound.spec.topology
    halls = [hall.model_copy(update={"rack": racks[0].name if racks else hall.rack}) for hall in topology.halls]
    parts = {"racks": racks, "halls": tuple(halls), "cooling": topology.cooling.model_copy(update=cooling)}
    spec = sound.spec.model_copy(update={"topology": topology.model_copy(update=parts)})
    return Scenario(spec, sound.document)


def test_coolant_above_what_the_maker_of_the_rack_allows_is_told(tmp_path):
    assert GB300.coolant_supply_max == 45.0
    assert list(remarks.of_coolant(pod(tmp_path, "45 degC"))) == []
    told = [line for line in run.warnings_of(pod(tmp_path, "66 degC")) if line.startswith("cooling:")]
    assert told[0] == "cooling: cold plates of hall 'pod' get 66 degC, GB300-NVL72 is made for 45 degC at most"
    assert len(told) == 2 and told[1].startswith("cooling: at full power the chips of hall 'pod' would stand at 105 ")


def test_air_in_which_racks_without_accelerators_slow_is_told(tmp_path):
    tree = pod_tree()
    tree["topology"]["cooling"] |= {"supply": "45 degC", "chilled_supply": "38 degC"}
    lines = list(remarks.of_intakes(load_tree(tree, tmp_path)))
    assert len(lines) == 2
    assert lines[0] == ("cooling: NETWORK of hall 'pod' takes in 42 degC, and slows from 40 degC on with all cooling "
                        "in service")
    assert list(remarks.of_intakes(load_tree(pod_tree(), tmp_path))) == []


def test_chips_that_slow_with_all_cooling_in_service_are_told(tmp_path):
    boiling = TwoPhaseImmersion.model_validate({"unit": "2 MW"})
    told = list(remarks.of_full_work(pod(tmp_path, "40 degC", coolant_unit=boiling)))
    assert len(told) == 1 and "over 49 degC" in told[0]
    assert list(remarks.of_full_work(pod(tmp_path, "40 degC"))) == []


def test_a_tank_has_no_cold_plates(tmp_path):
    tank = SinglePhaseImmersion.model_validate({"unit": "2 MW"})
    assert list(remarks.of_coolant(pod(tmp_path, "60 degC", coolant_unit=tank))) == []


@pytest.mark.parametrize(("most_c", "lines"), [(70.0, 0), (None, 0), (50.0, 1)])
def test_racks_of_ones_own_have_their_own_limit_or_none(tmp_path, most_c, lines):
    own = GB300.model_copy(update={"name": "own", "coolant_supply_max": most_c})
    assert len(list(remarks.of_coolant(pod(tmp_path, "60 degC", (own,))))) == lines


@pytest.mark.parametrize(("share", "told"), [(1.001, 0), (0.999, 1)])
def test_racks_beyond_the_whole_connection_are_told(tmp_path, share, told):
    sound = load_tree(pod_tree(), tmp_path)
    topology = sound.spec.topology
    hall = topology.halls[0]
    site = compile_site(topology)
    racks_w = float(sum(site.rack_types[kind].nameplate for kind in site.rack_type))
    racks_w += sum(entry.count * entry.nameplate_w for entry in site.support)
    assert racks_w > hall.count * GB300.nameplate
    grid = topology.grid.model_copy(update={"import_limit": share * racks_w})
    spec = sound.spec.model_copy(update={"topology": topology.model_copy(update={"grid": grid})})
    lines = list(remarks.of_connection(Scenario(spec, sound.document)))
    assert len(lines) == told
    assert all(f"{racks_w * 1e-6:.4g} MW by nameplate" in line for line in lines)


@pytest.mark.parametrize(("share", "told"), [(1.001, 0), (0.999, 1)])
def test_generators_below_what_stands_behind_all_ups_are_told(tmp_path, share, told):
    sound = load_tree(pod_tree(), tmp_path)
    topology = sound.spec.topology
    site = compile_site(topology)
    # the pod's UPS, of support racks each side's, are sized on what they carry, times their margin
    behind_w = sum(n.firm_w or n.rating_w for n in site.nodes if n.stage == UPS) / (1.0 + topology.ups.margin)
    sets = Generators.model_validate({"count": 2, "rating": f"{0.5 * share * behind_w} W", "start": "10 s"})
    spec = sound.spec.model_copy(update={"topology": topology.model_copy(update={"generators": sets})})
    lines = list(remarks.of_generators(Scenario(spec, sound.document)))
    assert len(lines) == told
    assert all("all 2 generators carry" in line and "the UPS of 1 hall take" in line for line in lines)


def test_a_campus_without_work_is_told(tmp_path):
    assert list(remarks.of_work(load_tree(pod_tree() | {"workloads": []}, tmp_path))) == [
        "workloads: there are none, every accelerator idles"
    ]
    assert list(remarks.of_work(load_tree(pod_tree(), tmp_path))) == []
