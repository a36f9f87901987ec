"""Plants between the load steps of their maps, and about the steps of their groups: what a run takes for them against
the law itself."""

import sys

import numpy as np
import pytest
from small import load_tree, pod_tree

from simulator.components.cooling import LOAD_STEP, PLANT_KINDS, HourlyWeather, Staged
from simulator.components.cooling.chiller_tower import ChillerTower
from simulator.components.cooling.tower import Tower
from simulator.engine.cooling import plant_maps
from simulator.kernels import cooling
from simulator.kernels.columns import LoopState
from simulator.policies.setpoint import chosen
from simulator.site import compile_site
from simulator.studies.calibrate.models._outdoors import by_groups

AIR = HourlyWeather(
    np.repeat([36.0, 22.0, 12.0, -5.0], 2), np.repeat([25.0, 17.0, 9.0, -6.0], 2), np.full(8, 9.5e4))  # fmt: skip
"""Hours alike at both ends, from hot to cold."""
HOURS = range(0, 8, 2)
CHILLED = 1
UNITS, UNIT_W = 4.0, 1e6
FINE = np.arange(1, 1400) / 1000.0
LOADS = np.sort(np.concatenate([
    np.arange(0.027, 1.39, 0.057), [0.249, 0.2502, 0.257, 0.499, 0.5002, 0.507, 0.749, 0.7502, 0.757]]))  # fmt: skip
"""Off the grid, and closely on both sides of where one group of four more starts."""
OF_MOST = 0.004
"""Of the most that a plant takes: what is less than that off is not looked at in per cent."""


@pytest.fixture(scope="module")
def pod(tmp_path_factory):
    return load_tree(pod_tree(), tmp_path_factory.mktemp("pod")).spec.topology


def law(plant, set_c, loads):
    """Return a plant's map at any loads."""
    with pytest.MonkeyPatch.context() as patch:
        for name, module in list(sys.modules.items()):
            if name.startswith("simulator.components.cooling") and hasattr(module, "LOAD_FRAC"):
                patch.setattr(module, "LOAD_FRAC", loads)
        return plant.plant_map(set_c, AIR)


def at_rest(maps, hour, load):
    """Return power, evaporation and water temperature of the chilled plant under a load for five minutes, the first
    two per W of its units; one group of four ran."""
    one = lambda value: np.array([value])  # noqa: E731
    loops = LoopState(
        plant=one(CHILLED), unit_w=one(UNIT_W), units_up=one(UNITS), flow_w_k=one(1e5), tank_s=one(1.0),
        pump_w=one(0.0), design_w=one(UNITS * UNIT_W), least_flow=one(1.0), held_head=one(0.0),
        supply_c=one(30.0), running=one(0.25), waited_s=one(0.0), received_j=one(0.0),
        rejected_j=one(0.0), stored_j=one(0.0), reused_j=one(0.0),
    )  # fmt: skip
    for _ in range(5):
        power_w, water_kg_s, *_ = cooling.integrate(0, loops, maps, (hour, 0.5, 0), load * UNITS * UNIT_W, 60.0)
    return power_w / (UNITS * UNIT_W), water_kg_s / (UNITS * UNIT_W), float(loops.supply_c[0])


def between_modes(fine, stages):
    """Return which loads, by hour, stand within a step of the grid of one where the law jumps from one mode to
    another: a map tells there how far that step has come."""
    asked = np.broadcast_to(FINE, (len(HOURS), len(FINE))) if fine.asked_frac is None else fine.asked_frac[HOURS]
    starts = (np.diff(np.clip(np.ceil(stages * asked - 1e-9), 1.0, stages)) != 0.0) & (np.abs(np.diff(asked)) < 0.003)
    jumps = np.zeros((len(HOURS), len(FINE) - 1), bool)
    for table in (fine.power_frac[HOURS], fine.evaporation_kg_j[HOURS]):
        moved = np.abs(np.diff(table, axis=1))
        around = np.maximum(np.roll(moved, 2, axis=1), np.roll(moved, -2, axis=1))
        jumps |= (moved > 4.0 * around) & (moved > 0.005 * table.max())
    at = (jumps & ~starts)[:, None, :]
    return (at & (np.abs(LOADS[None, :, None] - FINE[None, None, 1:]) < LOAD_STEP)).any(axis=2)


PLANTS = [
    (kind, stages, least) for kind in PLANT_KINDS for stages in ((1, 4) if issubclass(kind, Staged) else (1,))
    for least in ((None, "20 %") if "minimum_load" in kind.model_fields else (None,))
]  # fmt: skip


@pytest.mark.parametrize("set_c", [20.0, 30.0])
@pytest.mark.parametrize(("kind", "stages", "least"), PLANTS, ids=lambda value: getattr(value, "__name__", str(value)))
def test_off_the_grid_a_plant_takes_what_its_law_says(pod, kind, stages, least, set_c):
    told = {"stages": stages} if stages > 1 else {}
    told |= {"minimum_load": least} if least else {}
    spec = kind.model_validate({"unit": "1 MW", "range": "8 K", "tank": "2 min", "pump": "1 %", **told})
    changed = pod.cooling.model_copy(update={"chilled": spec, "chilled_supply": set_c})
    topology = pod.model_copy(update={"cooling": changed})
    maps = plant_maps(compile_site(topology), AIR, chosen(topology))
    wanted, fine = (law(spec.sized_for(set_c), set_c, loads) for loads in (LOADS, FINE))
    found = np.array([[at_rest(maps, hour, x) for x in LOADS] for hour in HOURS])
    counts = ~between_modes(fine, stages)
    assert counts.mean() > 0.93
    for column, name in ((0, "power_frac"), (1, "evaporation_kg_j")):
        says = getattr(wanted, name)[HOURS]
        off = (np.abs(found[:, :, column] - says) / np.maximum(says, OF_MOST / 0.01 * says.max() + 1e-30))[counts]
        assert off.max() < 0.015 and np.mean(off > 0.01) <= 0.01  # more only in the step in which fans reach full speed
    np.testing.assert_allclose(found[:, :, 2][counts], wanted.supply_c[HOURS][counts], atol=0.11)


@pytest.mark.parametrize("hour", HOURS)
@pytest.mark.parametrize("kind", [Tower, ChillerTower], ids=["tower", "chiller_tower"])
def test_closed_forms_start_groups_as_the_law_does(pod, kind, hour):
    spec = kind.model_validate({"unit": "1 MW", "range": "8 K", "tank": "2 min", "pump": "1 %", "stages": 4})
    changed = pod.cooling.model_copy(update={"chilled": spec, "chilled_supply": 20.0})
    topology, same = pod.model_copy(update={"cooling": changed}), np.full(len(LOADS), hour)
    air = HourlyWeather(AIR.dry_bulb_c[same], AIR.wet_bulb_c[same], AIR.pressure_pa[same])
    maps = plant_maps(compile_site(topology), air, chosen(topology))
    (found,) = by_groups(maps, CHILLED, LOADS, maps.power_frac)
    says = law(spec.sized_for(20.0), 20.0, LOADS).power_frac[hour]
    off = np.abs(found - says) / np.maximum(says, OF_MOST / 0.01 * says.max())
    assert off.max() < 0.015
