"""How the blocks of a hall are fed: lineups of substation, UPS and busways, and their redundancy."""

from typing import Annotated, Literal

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.components.power.block import Block
from simulator.components.power.schemes import Group, group_of
from simulator.components.power.ups import Ups
from simulator.units import Duration, Fraction, Within

HOLD_UP_S = 0.020
"""What a rack's power supplies bridge by themselves at full load: ORv3 20 ms, others from 10 ms
(assumed, 10-20 ms)."""
DUTY = 4
TRANSFER_S = {"cords": 0.0, "sts": 0.008, "ats": 0.3}
"""From the loss of a feed to the draw on the other: two cords share at all times; static switches
4-8 ms; mechanical ones 50-300 ms (assumed, upper ends)."""


class Distribution(Spec):
    """Lineups of a hall. Each is a unit substation of the hall's `block` with, behind it, an optional
    UPS and the busways of the blocks it feeds."""

    scheme: Literal["N", "N+1", "2N", "3N/2", "4N/3", "5N/4", "6N/5", "block_redundant"]
    """N: each block its own lineup. N+1: `duty` lineups and one more on a common bus. 2N and kN/(k-1):
    groups of k lineups, one block on each pair of them. block_redundant: `duty` lineups with a block
    each and one that catches any of them."""
    duty: Annotated[int, Field(ge=1, le=20)] | None = None
    """Lineups beside the spare one, of N+1 and block_redundant; catchers stand behind 3 to 6. Blank: 4
    (assumed)."""
    share_a: Annotated[Fraction, Field(gt=0, lt=1)] | None = None
    """Of a block's draw that comes by the first of its two feeds, of 2N and kN/(k-1): supplies
    rarely share alike. Blank: a half."""
    transfer: Literal["cords", "sts", "ats"] | None = None
    """How a block changes to another feed: racks with cords on both, a static or a mechanical
    transfer switch. Blank: cords, and static switches for block_redundant, whose reserve is idle."""
    transfer_time: Annotated[Duration, Within("0 s", "1 min")] | None = None
    """Blank: 8 ms for static and 300 ms for mechanical switches (assumed, 4-8 ms and 50-300 ms)."""
    ups: Ups | None = None
    """UPS of each lineup, sized on its continuous output; blank: accelerators without one."""
    sections: Annotated[int, Field(ge=1, le=100)] | None = None
    """Sections of the hall's medium-voltage switchgear, over which the lineups of a group are spread.
    Blank: as many as a group has lineups, so that a section takes one of each group."""

    @property
    def group(self) -> Group:
        """Lineups that stand in for each other, and their blocks."""
        duty = DUTY if self.duty is None else self.duty
        return group_of(self.scheme, duty, 0.5 if self.share_a is None else self.share_a)

    @property
    def switch(self) -> str:
        """`cords`, `sts` or `ats`."""
        return self.transfer or ("sts" if self.scheme == "block_redundant" else "cords")

    @property
    def switched(self) -> bool:
        """Whether every block hangs on a transfer switch of its own."""
        return self.switch != "cords" and self.scheme != "N" and not self.common_bus

    @property
    def common_bus(self) -> bool:
        """Whether the lineups of a group feed one bus together."""
        return self.scheme == "N+1"

    def transfer_s(self) -> float:
        """Return how long a block is without supply when it changes its feed."""
        return TRANSFER_S[self.switch] if self.transfer_time is None else self.transfer_time

    def groups(self, blocks: int) -> int:
        """Return the groups of a hall with so many blocks, the last one begun counted."""
        return -(-blocks // self.group.blocks)

    def lineups(self, blocks: int) -> int:
        """Return the lineups of a hall with so many blocks."""
        return self.groups(blocks) * self.group.lineups


def busway_rating_w(group: Group, rating_w: float) -> float:
    """Return the rating of a block's busway: the block at its limit in the worst state, at most a
    lineup's."""
    return rating_w * min(1.0, 1.0 / group.worst_load)


def lineup_input_w(
    block: Block, ups: Ups | None, group: Group, rating_w: float, loads_w: tuple[float, ...]
) -> float:
    """Return the input in W of a lineup that carries `loads_w` on the busways of its blocks.

    Parameters
    ----------
    rating_w : of the unit substation at the site's power factor
    loads_w : (blocks wired to it,) at the racks; on N+1 their sum hangs on one busway
    """
    busway_w = busway_rating_w(group, rating_w)
    output_w = sum(load_w + block.busway.loss_w(load_w, busway_w) for load_w in loads_w)
    if ups is not None:
        output_w += ups.losses.loss_w(output_w, ups_rating_w(block, ups, rating_w))
    return output_w + block.substation.loss_w(output_w, rating_w)


def ups_rating_w(block: Block, ups: Ups, rating_w: float) -> float:
    """Return the rating of a lineup's UPS for what its substation gives continuously."""
    return ups.sized(rating_w * block.continuous).rating_w


def ups_load_w(plan: Distribution, block: Block, rating_w: float, block_w: float) -> float:
    """Return the most that the UPS of a lineup delivers in any state that its scheme must survive, with
    `block_w` at the racks of every block: what one is sized on by modules."""
    busway_w = busway_rating_w(plan.group, rating_w)
    return max(
        sum(part * block_w + block.busway.loss_w(part * block_w, busway_w) for part in parts)
        for parts in lineup_loads(plan.group, plan.common_bus)
    )


def lineup_loads(group: Group, common_bus: bool) -> set[tuple[float, ...]]:
    """Return what each lineup carries on its busways, over the load of a block, in every state."""
    found = set()
    for share in group.states():
        for lineup in range(group.lineups):
            of = share[group.wired[:, lineup], lineup]
            loads = (float(of.sum()),) if common_bus else tuple(float(x) for x in of)
            found.add(loads)
    return found
