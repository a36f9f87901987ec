"""Generators, batteries and UPS against what they are to do."""

from collections.abc import Iterator
from typing import Any

from simulator.components.power.generator import Generators
from simulator.components.power.loss import LossCurve
from simulator.components.power.ups import Ups
from simulator.documents import TreePath
from simulator.scenario import provision
from simulator.scenario.checks.plant import Plant, rack_idle_w, watts
from simulator.scenario.checks.power import SHORTEST_S
from simulator.scenario.parts import Parts
from simulator.scenario.wording import Trouble

HOUR_S, MINUTE_S = 3600.0, 60.0
LOADINGS = (0.25, 0.5, 0.75, 1.0)
"""Where two loss curves are compared."""


def generator_block(parts: Parts) -> Iterator[Trouble]:
    """A block of load that the generators cannot take, at all or as one step."""
    plant = parts.topology.generators if parts.topology else None
    if plant is None or plant.block is None:
        return
    all_w = plant.sets * plant.rating
    if plant.block > all_w:
        yield ("topology", "generators", "rating"), (
            f"generator too small for its block: {_sets(plant)} of {watts(plant.rating)} can "
            f"carry {watts(all_w)}, the block is {watts(plant.block)}"
        )
    elif plant.block > plant.first_step * all_w:
        yield ("topology", "generators", "first_step"), (
            f"generator too small for its first step: {_sets(plant)} can "
            f"take {watts(plant.first_step * all_w)} at once, the block is {watts(plant.block)}"
        )


def generator_fuel(parts: Parts) -> Iterator[Trouble]:
    """Tanks that are empty before all sets carry their load."""
    plant = parts.topology.generators if parts.topology else None
    if plant is None or plant.tank is None or not plant.sets:
        return
    needs_s = plant.steps(plant.sets)[-1][0]
    lasts_s = plant.tank * plant.tank_start
    if lasts_s <= needs_s:
        yield ("topology", "generators", "tank" if plant.tank_start == 1.0 else "tank_start"), (
            f"fuel for {lasts_s:.4g} s of full load, but the generators take {needs_s:.4g} s from "
            "the first set on the bus to full load"
        )


def generator_starts(parts: Parts) -> Iterator[Trouble]:
    """Sets that stand at lineups and are to give to the campus what is not imported."""
    plant = parts.topology.generators if parts.topology else None
    if plant is not None and plant.backs == "lineups" and plant.starts == "short":
        yield ("topology", "generators", "starts"), (
            "sets at lineups start for their own lineup or without import: `short` is for a plant on one bus"
        )


def generators_below_ups(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Generators that cannot carry what stands behind the UPS of the halls they are for."""
    sets = plant.topology.generators
    if sets is None or not sets.sets:
        return
    behind_w = max((_support_w(plant, i), i) for i in range(len(plant.groups)))
    hall = plant.groups[behind_w[1]].hall
    if behind_w[0] > sets.sets * sets.rating:
        yield ("topology", "generators", "rating"), (
            f"generator too small for its block: {_sets(sets)} of {watts(sets.rating)} "
            f"can carry {watts(sets.sets * sets.rating)}, the support racks of one hall '{hall.name}' "
            f"behind their UPS need {watts(behind_w[0])}"
        )


def uncounted(parts: Parts) -> Iterator[Trouble]:
    """Counts left blank where nothing says how many there are, or where they would follow from
    themselves."""
    topology = parts.topology
    if topology is None:
        return
    written: Any = parts.tree["topology"]
    sets = topology.generators
    if sets is not None and sets.backs is None and written["generators"].get("count") is None:
        told = "how many are there? Write 'count', or with 'backs' what they are to carry"
        yield ("topology", "generators", "count"), told
    shares = topology.control.oversubscription
    blank = [("grid", key) for key in ("lines", "transformers") if written["grid"][key].get("count") is None]
    if blank and shares.connection is not None:
        told = "racks follow from these by 'topology.control.oversubscription.connection': write how many"
        yield ("topology", *blank[0], "count"), told
    for i, hall in enumerate(written["halls"]):
        if hall["feeders"].get("count") is None and shares.feeders is not None:
            told = "racks follow from these by 'topology.control.oversubscription.feeders': write how many"
            yield ("topology", "halls", i, "feeders", "count"), told


def too_few_sets(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Generators counted by hand that do not carry what they are said to back."""
    sets = plant.topology.generators
    if sets is None or sets.backs is None or any(g.per_block == 0 for g in plant.groups):
        return
    needed = provision.needed_sets(plant.topology)
    if sets.sets < needed:
        yield ("topology", "generators", "count"), (
            f"generators too small for their load: {_sets(sets)} of {watts(sets.rating)}, but backing "
            f"'{sets.backs}' takes {needed} at design load"
        )


def battery_rates(parts: Parts) -> Iterator[Trouble]:
    """A battery with more power than its cells deliver, or nothing between its limits of charge."""
    battery = parts.topology.battery if parts.topology else None
    if battery is None:
        return
    rate = battery.power / battery.energy
    slip = rate * SHORTEST_S > 1.0  # empty at once: `power.odd_battery` says so
    if rate > battery.c_rate * (1.0 + 1e-9) and not slip:
        yield ("topology", "battery", "power"), (
            f"{watts(battery.power)} empties the battery at {rate * HOUR_S:.4g} per hour of its "
            f"energy; its cells deliver {battery.c_rate * HOUR_S:.4g} per hour (c_rate)"
        )
    rate = battery.recharge * battery.one_way / battery.energy
    if rate > battery.c_rate * (1.0 + 1e-9) and not slip:
        yield ("topology", "battery", "recharge"), (
            f"{watts(battery.recharge)} fills the battery at {rate * HOUR_S:.4g} per hour of its "
            f"energy; its cells take in {battery.c_rate * HOUR_S:.4g} per hour (c_rate)"
        )
    if battery.highest <= battery.lowest:
        yield ("topology", "battery", "highest"), (
            f"the battery is filled to {100 * battery.highest:.0f} % and emptied to {100 * battery.lowest:.0f} %: "
            "nothing is left to use"
        )


def eco_mode(parts: Parts) -> Iterator[Trouble]:
    """A UPS, of the site or of a hall's lineups, that loses more on its bypass than through its converters."""
    for where, ups in _each_ups(parts):
        worse = [x for x in LOADINGS if _loss(ups.eco_loss, x) >= _loss(ups.loss, x)]
        if worse and (ups.mode == "eco" or "eco_loss" in ups.model_fields_set):
            key = "eco_loss" if "eco_loss" in ups.model_fields_set else "loss"
            yield (*where, key), (
                f"eco mode loses {100 * _loss(ups.eco_loss, worse[0]):.3f} % of the UPS rating at "
                f"{100 * worse[0]:.0f} % load, double conversion {100 * _loss(ups.loss, worse[0]):.3f} %: eco must "
                "lose less"
            )


def ups_with_one_out(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Modules of the UPS of support racks and pumps, of which the others do not carry the load once one
    is lost: no control can relieve them of it."""
    ups = plant.topology.ups
    support_w = max((_support_w(plant, i) for i in range(len(plant.groups))), default=0.0)
    built = ups.sized(support_w or 1.0)
    left = built.rating_w * (built.modules - 1) / built.modules / (support_w or 1.0)
    if left < 1.0 - 1e-9 and built.modules > 1:
        key = "margin" if ups.module is None else "spare"
        yield ("topology", "ups", key), (
            f"with one of {built.modules} UPS modules out the others carry {100.0 * left:.4g} % of the support racks "
            f"or pumps behind them, which no control sheds; give it more modules or {key}"
        )


def _each_ups(parts: Parts) -> Iterator[tuple[TreePath, Ups]]:
    if parts.topology:
        yield ("topology", "ups"), parts.topology.ups
    for i, hall in parts.halls.items():
        if hall.distribution is not None and hall.distribution.ups is not None:
            yield ("topology", "halls", i, "distribution", "ups"), hall.distribution.ups


def rack_batteries(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Batteries that cannot carry their rack."""
    topology = plant.topology
    held = [("racks", i, rack, rack.battery_backup) for i, rack in enumerate(topology.racks)]
    held += [("halls", g.index, g.rack, g.hall.battery_backup) for g in plant.groups]
    for where, i, rack, unit in held:
        if unit is not None and unit.power < rack.nameplate:
            yield ("topology", where, i, "battery_backup", "power"), (
                f"the batteries of rack '{rack.name}' give {watts(unit.power)}, the rack draws up "
                f"to {watts(rack.nameplate)}"
            )


def ramp_below_a_rack(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """A ramp of the return by which not even one rack boots in a minute: all would wait for ever."""
    told = plant.topology.ride_through
    if told.ramp is None:
        return
    most_w, hall = max((rack_idle_w(g.rack, g.chip), g.hall.name) for g in plant.groups)
    if told.ramp * MINUTE_S < told.boot_draw * most_w:
        yield ("topology", "ride_through", "ramp"), (
            f"{watts(told.ramp * MINUTE_S)} a minute are less than the {watts(told.boot_draw * most_w)} that a rack of "
            f"hall '{hall}' draws as it boots: none would come back"
        )


def _support_w(plant: Plant, index: int) -> float:
    return sum(rack.nameplate * count for rack, count in plant.groups[index].support)


def _loss(curve: LossCurve, loading: float) -> float:
    return curve.loss_w(loading, 1.0)


def _sets(plant: Generators) -> str:
    return "its only set" if plant.sets == 1 else f"all {plant.sets} sets"
