"""Columns of the batteries that carry what is behind them while the supply above is out: one row for
the UPS of every lineup of accelerator racks, then one for the battery units of every block of racks."""

from typing import NamedTuple

import numpy as np

Floats = np.ndarray
Ints = np.ndarray


class BridgeState(NamedTuple):
    """Shape (rows,). A row is part of the common store of its kind (`Supply`) until it is called upon,
    and again once it is full; between it has a charge of its own. Between kernel calls bridging.py
    writes it."""

    of_node: Ints  # (nodes,) frozen: row of each node of the power tree, or -1
    of_block: Ints  # (blocks,) frozen: row of each block, or -1
    ups: int  # rows that are UPS, the first ones
    share: Floats  # of the current step in which it carries its load
    following: Floats  # 1: and from then on, 0: not
    own: Ints  # 1: its charge is its own
    owned: Ints  # (1,) rows with a charge of their own
    charge_j: Floats  # of those
    full_j: Floats  # of the units in service
    power_w: Floats  # most that it delivers; infinite: its load is what it is rated for
    recharge_w: Floats  # most that it draws
    one_way: Floats  # efficiency of discharging, and of charging
    wanted_w: Floats  # what its load drew in the last step in which it carried it
    out_w: Floats  # (1,) what left all of them in the current step
    loss_w: Floats  # (1,) of that, lost on the way
    away_j: Floats  # (1,) charge in units that are out of service, of these and of the plant's battery
