"""What the site's supply is at the start of a run."""

import math

import numpy as np

from simulator.components.power.generator import Generators
from simulator.components.power.node import UPS
from simulator.kernels.supply_columns import BackupState, GeneratorState, Supply
from simulator.site import Site

KWH_J = 3.6e6


def at_start(site: Site) -> Supply:
    """Return the supply with everything in service, and all stores full."""
    topology = site.topology
    battery = topology.battery
    ride_j = sum(
        node.rating_w * node.ride_through_s for node in site.nodes if node.stage == UPS
    )
    return Supply(
        limit_w=np.array([topology.grid.available_w(
            topology.grid.lines.count, topology.grid.transformers.count)]),
        generator_w=np.zeros(1),
        generators=_generators(topology.generators),
        backup=_backup(site),
        battery_power_w=battery.power if battery else 0.0,
        battery_recharge_w=battery.recharge if battery else 0.0,
        battery_capacity_j=battery.usable_j if battery else 0.0,
        battery_efficiency=battery.one_way if battery else 1.0,
        battery_auxiliary_w=battery.auxiliary if battery else 0.0,
        battery_j=np.array([battery.usable_j if battery else 0.0]),
        ride_through_j=np.array([ride_j]),
        ride_through_capacity_j=ride_j,
        margin=topology.power_margin,
        deficit_w=np.zeros(1),
        battery_loss_j=np.zeros(1),
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
        power_w=float(sum(n * unit.power for n, unit in held)),
        recharge_w=float(sum(n * unit.recharge for n, unit in held)),
        efficiency=one_way, capacity_j=capacity_j, charge_j=np.array([capacity_j]),
    )
