"""The lineups of a hall with a redundancy scheme, as nodes of the power tree."""

from collections.abc import Iterator

from simulator.components.power.distribution import Distribution, busway_rating_w, ups_load_w
from simulator.components.power.loss import LossCurve
from simulator.components.power.node import BUSWAYS, SUBSTATIONS, UPS, Node
from simulator.components.power.schemes import Group
from simulator.components.topology import Hall

Feed = tuple[int, float]
"""Node that feeds a block, and its share with everything in service."""


class Lineups:
    """Lays the lineups of one hall below its feeders."""

    def __init__(
        self, hall: Hall, plan: Distribution, name: str, feeder: int, first: int,
        power_factor: float, block_w: float,
    ) -> None:  # fmt: skip
        """`feeder` is the hall's node, `first` the number of the first new one; the racks of a block
        draw `block_w` at design load."""
        self.hall, self.plan, self.name = hall, plan, name
        self.first = first
        self.rating_w = hall.block.rating * power_factor
        self.block_w = block_w
        self.nodes: list[Node] = []
        self.feeds: list[list[Feed]] = []
        self.stand_ins: list[tuple[int, ...]] = []
        group = plan.group
        sections = self._sections(feeder, plan.sections or group.lineups)
        for number in range(plan.groups(hall.blocks)):
            tails = [
                self._lineup(number * group.lineups + k + 1, sections[k % len(sections)])
                for k in range(group.lineups)
            ]
            self.stand_ins.append(tuple(self._substation(tail) for tail in tails))
            self.feeds += self._bus(group, tails) if plan.common_bus else self._pairs(group, tails)

    def _add(self, node: Node) -> int:
        self.nodes.append(node)
        return self.first + len(self.nodes) - 1

    def _sections(self, feeder: int, count: int) -> list[int]:
        """Add the sections of the hall's switchgear, whose own loss is nil; one is the feeders' own."""
        if count == 1:
            return [feeder]
        lineups = self.plan.lineups(self.hall.blocks)
        rating_w = self.rating_w * -(-lineups // count)
        sections = [
            self._add(Node(f"{self.name}/section {k + 1}", feeder, SUBSTATIONS, "breaker", rating_w,
                           LossCurve(), continuous=self.hall.block.continuous, serves="racks"))
            for k in range(count)
        ]  # fmt: skip
        self.stand_ins.append(tuple(sections))
        return sections

    def _lineup(self, number: int, parent: int) -> int:
        """Add a substation and its UPS; return the last of them."""
        name, block, ups = f"{self.name}/l{number:02d}", self.hall.block, self.plan.ups
        tail = self._add(Node(f"{name}/substation", parent, SUBSTATIONS, "transformer_unit",
                              self.rating_w, block.substation, continuous=block.continuous,
                              serves="racks", cooling=block.cooling))  # fmt: skip
        if ups is not None:
            built = ups.sized(self._ups_load_w())
            tail = self._add(Node(f"{name}/ups", tail, UPS, "ups", built.rating_w, ups.losses, built.modules,
                                  ride_through_s=built.ride_through_s, recharge_w=built.recharge_w,
                                  serves="racks"))  # fmt: skip
        return tail

    def _ups_load_w(self) -> float:
        """Return what a lineup's UPS is sized on: by margin, all that its substation gives."""
        block, ups = self.hall.block, self.plan.ups
        if ups is None or ups.module is None:
            return self.rating_w * block.continuous
        return ups_load_w(self.plan, block, self.rating_w, self.block_w)

    def _busway(self, name: str, parent: int, rating_w: float) -> int:
        block = self.hall.block
        return self._add(Node(name, parent, BUSWAYS, "busway", rating_w, block.busway,
                              continuous=block.continuous, serves="racks"))  # fmt: skip

    def _bus(self, group: Group, tails: list[int]) -> Iterator[list[Feed]]:
        """Yield the feeds of the blocks on a common bus: the busway of each lineup."""
        names = [self._node(tail).name.rsplit("/", 1)[0] for tail in tails]
        rating_w = busway_rating_w(group, self.rating_w)
        ways = [self._busway(f"{name}/busway", tail, rating_w)
                for name, tail in zip(names, tails, strict=True)]  # fmt: skip
        self.stand_ins.append(tuple(ways))
        for share in group.share:
            yield [(way, float(part)) for way, part in zip(ways, share, strict=True)]

    def _pairs(self, group: Group, tails: list[int]) -> Iterator[list[Feed]]:
        """Yield the feeds of each block: a busway of its own from each lineup it is wired to."""
        rating_w = busway_rating_w(group, self.rating_w)
        done = len(self.feeds)
        for number, (share, wired) in enumerate(zip(group.share, group.wired, strict=True)):
            name = f"{self.name}/b{done + number + 1:02d}/busway"
            feeds: list[Feed] = []
            for k, tail in enumerate(tails):
                if wired[k]:
                    side = f" {'ab'[len(feeds)]}" if wired.sum() > 1 else ""
                    feeds.append((self._busway(name + side, tail, rating_w), float(share[k])))
            self.stand_ins.append(tuple(way for way, _ in feeds))
            yield feeds

    def _substation(self, tail: int) -> int:
        return tail if self._node(tail).stage == SUBSTATIONS else self._node(tail).parent

    def _node(self, index: int) -> Node:
        return self.nodes[index - self.first]
