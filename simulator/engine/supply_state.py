"""What the site's supply is at the start of a run; the batteries of lineups and racks among it."""

import math

import numpy as np

from simulator.components.power.generator import Generators
from simulator.components.power.node import UPS
from simulator.kernels.bridge_columns import BridgeState, ChargeState
from simulator.kernels.supply_columns import BackupState, GeneratorState, Supply
from simulator.site import Site

KWH_J = 3.6e6


def at_start(site: Site) -> Supply:
    """Return the supply with everything in service, and all stores full."""
    topology = site.topology
    battery = topology.battery
    ride_j = float(sum(
        node.rating_w * node.ride_through_s for node in site.nodes if node.stage == UPS
    ))
    backup = _backup(site)
    return Supply(
        limit_w=np.array([topology.grid.available_w(
            topology.grid.lines.units, topology.grid.transformers.units)]),
        early_j=np.zeros(1),
        generator_w=np.zeros(1),
        generators=_generators(topology.generators),
        backup=backup,
        battery_power_w=np.array([battery.power if battery else 0.0]),
        battery_recharge_w=np.array([battery.recharge if battery else 0.0]),
        battery_capacity_j=np.array([battery.usable_j if battery else 0.0]),
        battery_efficiency=battery.one_way if battery else 1.0,
        battery_auxiliary_w=battery.auxiliary if battery else 0.0,
        battery_j=np.array([battery.usable_j if battery else 0.0]),
        ride_through_j=np.array([ride_j]),
        ride_through_capacity_j=np.array([ride_j]),
        ride_recharge_w=np.array([float(sum(node.recharge_w for node in site.nodes if node.ride_through_s > 0.0))]),
        margin=topology.power_margin,
        deficit_w=np.zeros(1),
        battery_loss_j=np.zeros(1),
        bridge=_bridges(site, backup.efficiency),
    )


def stored_j(supply: Supply) -> float:
    """Return the charge of all batteries."""
    bridge = supply.bridge
    common = supply.battery_j, supply.ride_through_j, supply.backup.charge_j
    return float(sum(part[0] for part in common) + bridge.charge_j.sum() + bridge.away_j[0])


def recharges_w(supply: Supply, dt_s: float) -> float:
    """Return what batteries that are not full draw in a step, given room."""
    bridge = supply.bridge
    common = sum(
        min(float(rate_w[0]), max(float(full_j[0] - charge_j[0]), 0.0) / dt_s)
        for rate_w, charge_j, full_j in (
            (supply.battery_recharge_w, supply.battery_j, supply.battery_capacity_j),
            (supply.ride_recharge_w, supply.ride_through_j, supply.ride_through_capacity_j),
        )
    )
    resting = (bridge.own == 1) & (bridge.share == 0.0)
    missing_w = np.maximum(bridge.full_j - bridge.charge_j, 0.0) / dt_s
    return common + float(np.minimum(bridge.recharge_w, missing_w)[resting].sum())


def charges(site: Site) -> ChargeState:
    """Return the columns of what charges batteries; none does."""
    zeros = lambda: np.zeros(len(site.nodes))  # noqa: E731
    return ChargeState(
        ups_w=np.array([node.recharge_w if node.ride_through_s > 0.0 else 0.0 for node in site.nodes]),
        drawn_w=zeros(), direct_w=zeros(), spare_w=zeros(), on=np.zeros(1, np.int64), asked_w=np.zeros(1),
    )


def _generators(plant: Generators | None) -> GeneratorState:
    zero = lambda: np.zeros(1)  # noqa: E731
    tank_l = plant.tank_l if plant else math.inf
    share = plant.tank_start if plant else 1.0
    return GeneratorState(
        late_j=zero(), running_w=zero(), running_late_j=zero(), inflow_l_s=zero(),
        fuel_l=np.array([tank_l * share if share > 0.0 else 0.0]), capacity_l=tank_l,
        no_load_l_j=plant.fuel_no_load / KWH_J if plant else 0.0,
        slope_l_j=plant.fuel_slope / KWH_J if plant else 0.0,
        used_l=zero(), ran_j=zero(), share=np.ones(1),
    )


def _backup(site: Site) -> BackupState:
    """Return the battery units of all accelerator racks as one; they are full."""
    units = [rack.battery_backup for rack in site.rack_types]
    count = np.bincount(site.rack_type, minlength=len(units))
    held = [(n, unit) for n, unit in zip(count, units, strict=True) if unit is not None]
    delivers_j = sum(n * unit.energy_j for n, unit in held)
    # One way of the whole, so that it takes in what its units do.
    lost = sum(n * unit.energy_j / unit.round_trip for n, unit in held)
    one_way = math.sqrt(delivers_j / lost) if held else 1.0
    capacity_j = delivers_j / one_way
    return BackupState(
        efficiency=one_way, capacity_j=np.array([capacity_j]), charge_j=np.array([capacity_j]),
    )


def _bridges(site: Site, one_way: float) -> BridgeState:
    """Return the UPS of lineups and the battery units of blocks, all of them in the common stores, and the
    generators of lineups."""
    ups = [i for i, node in enumerate(site.nodes)
           if node.stage == UPS and node.serves == "racks" and node.ride_through_s > 0.0]  # fmt: skip
    units = [rack.battery_backup for rack in site.rack_types]
    held = [(int(b), units[site.rack_type[first]], int(count)) for b, first, count in zip(
        *np.unique(site.rack_block, return_index=True, return_counts=True), strict=True)]  # fmt: skip
    backed = [(b, unit, n) for b, unit, n in held if unit is not None]
    of_node, of_block = np.full(len(site.nodes), -1), np.full(len(site.block_names), -1)
    of_node[ups] = np.arange(len(ups))
    of_block[[b for b, *_ in backed]] = len(ups) + np.arange(len(backed))
    batteries = len(ups) + len(backed)
    plant = site.topology.generators
    sets = site.lineups if plant is not None and plant.backs == "lineups" else ()
    of_node[list(sets)] = batteries + np.arange(len(sets))
    ups_j = [site.nodes[i].rating_w * site.nodes[i].ride_through_s for i in ups]
    rows = batteries + len(sets)
    none, one = [0.0] * len(sets), [1.0] * len(sets)
    zeros = lambda n=rows: np.zeros(n)  # noqa: E731
    return BridgeState(
        of_node=of_node, of_block=of_block, ups=len(ups), batteries=batteries, share=zeros(), following=zeros(),
        own=np.zeros(rows, np.int64), owned=np.zeros(1, np.int64), charge_j=zeros(),
        full_j=np.array([*ups_j, *(n * unit.energy_j / one_way for _, unit, n in backed), *none]),
        power_w=np.array([*(math.inf for _ in ups), *(n * unit.power for _, unit, n in backed),
                          *(math.inf for _ in sets)]),
        recharge_w=np.array([*(site.nodes[i].recharge_w for i in ups),
                             *(n * unit.recharge for _, unit, n in backed), *none]),
        one_way=np.array([*(1.0 for _ in ups), *(one_way for _ in backed), *one]),
        wanted_w=zeros(), out_w=zeros(1), loss_w=zeros(1), made_w=zeros(1), away_j=zeros(1),
    )  # fmt: skip
