"""Small power trees and supplies as the kernels take them."""

import numpy as np

from simulator.kernels.bridge_columns import BridgeState, ChargeState
from simulator.kernels.columns import STAGES, MeshState, TreeState
from simulator.kernels.supply_columns import BackupState, GeneratorState, Supply


def mesh_state(factor=None, **columns):
    """Return a mesh of the given branches over the nodes of feeders; none by default."""
    factor = np.zeros((0, 0)) if factor is None else np.array(factor, float)
    branches, halls = factor.shape
    given = {name: np.zeros(branches) for name in ("rating_w", "on", "no_load", "load")}
    given |= {name: np.array(values, float) for name, values in columns.items() if name not in ("node", "stage")}
    return MeshState(
        node=np.array(columns.get("node", np.zeros(halls)), np.int64), factor=factor,
        stage=np.array(columns.get("stage", np.zeros(branches)), np.int64),
        flow_w=np.zeros(branches), peak_w=np.zeros(branches), over_s=np.zeros(branches), **given,
    )  # fmt: skip


def bridge_of(nodes, ups_nodes=(), blocks=0, full_j=1e6):
    """Return the UPS of some nodes and the rack batteries of so many blocks, none called upon."""
    rows = len(ups_nodes) + blocks
    of_node = np.full(nodes, -1)
    of_node[list(ups_nodes)] = np.arange(len(ups_nodes))
    zeros = lambda n=rows: np.zeros(n)  # noqa: E731
    backed = np.arange(rows) >= len(ups_nodes)
    return BridgeState(
        of_node=of_node, of_block=len(ups_nodes) + np.arange(blocks), ups=len(ups_nodes), batteries=rows,
        share=zeros(), following=zeros(), own=np.zeros(rows, np.int64), owned=np.zeros(1, np.int64),
        charge_j=zeros(), full_j=np.full(rows, full_j), power_w=np.where(backed, 50e3, np.inf),
        recharge_w=np.full(rows, 5e3), one_way=np.where(backed, 0.95, 1.0), wanted_w=zeros(),
        out_w=zeros(1), loss_w=zeros(1), made_w=zeros(1), away_j=zeros(1),
    )  # fmt: skip


def tree_of(parent, rating_w, curves, stage=None, mesh=None, bridge=None):
    n = len(parent)
    zeros = lambda: np.zeros(n)  # noqa: E731
    return TreeState(
        parent=np.array(parent), stage=np.array(stage or range(n)),
        rating_w=np.array(rating_w, float), in_service=np.ones(n), live=np.ones(n, np.int64),
        no_load=np.array([c.no_load for c in curves]),
        linear=np.array([c.linear for c in curves]), load=np.array([c.load for c in curves]),
        unmetered_w=zeros(), output_w=zeros(), input_w=zeros(), peak_w=zeros(),
        loss_j=np.zeros(len(STAGES)), warms=np.zeros(n, np.int64), indoors=zeros(),
        indoor_w=np.zeros(1), indoor_j=np.zeros(1),
        mesh=mesh or mesh_state(), bridge=bridge or bridge_of(n),
        charge=ChargeState(zeros(), zeros(), zeros(), zeros(), np.zeros(1, np.int64), np.zeros(1)),
    )


A_L_J, B_L_J = 0.018 / 3.6e6, 0.247 / 3.6e6  # litres per joule: 0.018 L/h/kW and 0.247 L/kWh


def plant_of(running_w=0.0, fuel_l=np.inf, capacity_l=np.inf, inflow_l_s=0.0):
    one = lambda x=0.0: np.array([float(x)])  # noqa: E731
    return GeneratorState(
        late_j=one(), running_w=one(running_w), running_late_j=one(), inflow_l_s=one(inflow_l_s),
        fuel_l=one(fuel_l), capacity_l=capacity_l, no_load_l_j=A_L_J, slope_l_j=B_L_J,
        used_l=one(), ran_j=one(), share=one(1.0),
    )


def supply_of(
    limit_w, generator_w=0.0, charge=1.0, ride=1.0, power_w=50e3, plant=None, backup_j=0.0, bridge=None
):
    battery_j, ride_j = 30e6, 2e6
    one = lambda x: np.array([float(x)])  # noqa: E731
    return Supply(
        limit_w=np.array([limit_w]), early_j=np.zeros(1), generator_w=np.array([generator_w]),
        generators=plant_of(generator_w) if plant is None else plant,
        backup=BackupState(0.95, one(backup_j), one(backup_j)),
        battery_power_w=one(power_w),
        battery_recharge_w=one(20e3), battery_capacity_j=one(battery_j), battery_efficiency=0.9,
        battery_auxiliary_w=500.0, battery_j=np.array([charge * battery_j]),
        ride_through_j=np.array([ride * ride_j]), ride_through_capacity_j=one(ride_j),
        ride_recharge_w=one(ride_j / 600.0), margin=0.0, deficit_w=np.zeros(1),
        battery_loss_j=np.zeros(1), bridge=bridge or bridge_of(0),
    )
