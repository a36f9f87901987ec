"""Columns of the site's supply: import, generators, batteries. The comment beside each names the one
engine module that writes it between kernel calls, as in `columns.py`."""

from typing import NamedTuple

from simulator.kernels.bridge_columns import BridgeState, Floats


class GeneratorState(NamedTuple):
    """The generator plant; arrays of length one. Fuel is in litres."""

    late_j: Floats  # generators.py: what the bus could not yet carry in the current step
    running_w: Floats  # generators.py: rating of the sets that run
    running_late_j: Floats  # generators.py: of sets that started in the current step, before
    inflow_l_s: Floats  # generators.py: what trucks deliver; 0 once the tanks are full
    fuel_l: Floats
    capacity_l: float  # infinite: fuel never runs out
    no_load_l_j: float  # per joule of the rating that runs
    slope_l_j: float  # per joule delivered
    used_l: Floats
    ran_j: Floats  # rating times running time
    share: Floats  # of the last step that the fuel sufficed for


class BackupState(NamedTuple):
    """Battery units of racks, all together but those with a charge of their own (`BridgeState`);
    arrays of length one."""

    efficiency: float  # one way
    capacity_j: Floats  # bridging.py, as the one below
    charge_j: Floats


class Supply(NamedTuple):
    """Site-level supply; arrays of length one where the kernel writes."""

    limit_w: Floats  # power.py: import allowed
    early_j: Floats  # power.py: imported in the current step before import was lost, beyond what is left of it
    generator_w: Floats  # generators.py: what their bus can carry
    generators: GeneratorState
    backup: BackupState
    battery_power_w: Floats  # supply.py: of the units in service, as the two below and its charge
    battery_recharge_w: Floats
    battery_capacity_j: Floats
    battery_efficiency: float  # one way
    battery_auxiliary_w: float
    battery_j: Floats
    ride_through_j: Floats  # bridging.py: of UPS without a charge of their own, as below
    ride_through_capacity_j: Floats
    ride_recharge_w: Floats
    margin: float  # share of the limit held back
    deficit_w: Floats  # load that nothing could supply in the last step
    battery_loss_j: Floats
    bridge: BridgeState
