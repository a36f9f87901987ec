"""Columns of batteries and generators that carry what is behind them while the supply above is out: one row for
the UPS of every lineup of accelerator racks, then one for the battery units of every block of racks, then one for the
generators of every lineup that has its own. And of what batteries draw that charge."""

from typing import NamedTuple

import numpy as np

Floats = np.ndarray
Ints = np.ndarray


class BridgeState(NamedTuple):
    """Shape (rows,). Generators need no charge; a battery is part of the common store of its kind (`Supply`)
    until it is called upon, and again once it is full; between it has a charge of its own. Between kernel calls
    bridging.py writes it."""

    of_node: Ints  # (nodes,) frozen: row of each node of the power tree, or -1
    of_block: Ints  # (blocks,) frozen: row of each block, or -1
    ups: int  # rows that are UPS, the first ones
    batteries: int  # rows that are not generators, the first ones
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
    made_w: Floats  # (1,) what generators of lineups carried in the current step
    away_j: Floats  # (1,) charge in units that are out of service, of these and of the plant's battery


class ChargeState(NamedTuple):
    """What batteries draw that charge, on the nodes of the power tree that feed them; shape (nodes,)."""

    ups_w: Floats  # frozen: most that the batteries of a UPS draw from the node before it
    drawn_w: Floats  # in the current step: battery plant at the main transformers, UPS at what is before them,
    # batteries of racks at what feeds their block
    direct_w: Floats  # room for what else is connected
    spare_w: Floats  # room for what is left of limits
    on: Ints  # (1,) 1: something charges in this step
    asked_w: Floats  # (1,) demand at the interconnection without it
