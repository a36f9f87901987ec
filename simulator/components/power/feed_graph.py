"""Which nodes of the power tree feed which blocks, and what stands in for what."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulator.components.power.node import Node
from simulator.kernels.columns import HallSite


@dataclass(frozen=True)
class FeedGraph:
    """The power tree and the feeds of the blocks, in CSR."""

    nodes: tuple[Node, ...]
    halls: HallSite
    feed_first: np.ndarray
    """(blocks + 1,) First feed of each block."""
    feed_node: np.ndarray
    """(feeds,) Power-tree node of each."""
    feed_share: np.ndarray
    """(feeds,) Of the block's draw while all are in service; 0: a reserve."""
    stand_ins: tuple[tuple[int, ...], ...]
    """Nodes that stand in for each other in halls with a redundancy scheme: the lineups of a group,
    the busways of a block, the sections of a hall."""

    @property
    def block_node(self) -> np.ndarray:
        """(blocks,) Power-tree node of each block's first feed."""
        return self.feed_node[self.feed_first[:-1]]

    @cached_property
    def node_of_racks(self) -> np.ndarray:
        """(nodes,) Whether only accelerator racks hang below a node."""
        return np.array([node.serves == "racks" for node in self.nodes])

    @cached_property
    def feed_paths(self) -> tuple[tuple[int, ...], ...]:
        """(feeds,) The nodes of each feed, from the one it hangs on up to the hall's feeders."""
        return tuple(self.path(int(node)) for node in self.feed_node)

    @cached_property
    def own_block(self) -> dict[int, int]:
        """The block of every node, below the hall's feeders, that feeds one block as its only feed."""
        found: dict[int, int] = {}
        for block, count in enumerate(np.diff(self.feed_first)):
            if count == 1:
                found |= dict.fromkeys(self.feed_paths[self.feed_first[block]][:-1], block)
        return found

    @cached_property
    def node_hall(self) -> np.ndarray:
        """(nodes,) The hall of each node, or -1."""
        hall = np.full(len(self.nodes), -1)
        hall[self.halls.feeder_node] = np.arange(self.halls.feeder_node.size)
        for i, node in enumerate(self.nodes):
            if hall[i] < 0 and node.parent >= 0:
                hall[i] = hall[node.parent]
        return hall

    @cached_property
    def hall_nodes(self) -> tuple[tuple[int, ...], ...]:
        """(halls,) The nodes that accelerator racks hang on, the hall's feeders first."""
        racks = np.flatnonzero(self.node_of_racks)
        return tuple(
            (int(feeder), *(int(i) for i in racks[self.node_hall[racks] == h]))
            for h, feeder in enumerate(self.halls.feeder_node)
        )

    @cached_property
    def lineups(self) -> tuple[int, ...]:
        """The unit substations of accelerator racks, in order of the nodes."""
        return tuple(i for i, node in enumerate(self.nodes)
                     if node.serves == "racks" and node.kind == "transformer_unit")  # fmt: skip

    def path(self, node: int) -> tuple[int, ...]:
        """Return the nodes from one up to the feeders of its hall."""
        above = node in self.halls.feeder_node
        return (node,) if above else (node, *self.path(self.nodes[node].parent))
