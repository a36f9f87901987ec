"""Flow diagrams: nodes in columns, ribbons as wide as what flows."""

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from simulator.reports.style import INK, POINT

NODE_WIDTH = 0.022
GAP_FRAC = 0.03
"""Space between nodes of a column, of the largest column's total."""
LABEL_GAP_FRAC = 0.058


@dataclass(frozen=True)
class Node:
    """A place that flow passes: its column (0 is the source), size, label and colour."""

    name: str
    column: int
    value: float
    label: str
    color: str


@dataclass(frozen=True)
class Flow:
    """An amount that leaves one node for another."""

    source: str
    target: str
    value: float


def draw(ax: Axes, nodes: list[Node], flows: list[Flow], right: float = 1.32) -> None:
    """Draw the diagram into axes without a frame; labels stand right of their nodes."""
    columns = max(n.column for n in nodes)
    tallest = max(sum(n.value for n in nodes if n.column == c) for c in range(columns + 1))
    boxes = _stack(nodes, flows, tallest)
    by_name = {n.name: n for n in nodes}
    left_at = {n.name: boxes[n.name][1] for n in nodes}
    right_at = dict(left_at)
    for flow in flows:
        source, target = boxes[flow.source], boxes[flow.target]
        top_from, top_to = right_at[flow.source], left_at[flow.target]
        _ribbon(
            ax,
            source[0] + NODE_WIDTH,
            top_from,
            target[0],
            top_to,
            flow.value,
            by_name[flow.target].color,
        )
        right_at[flow.source] -= flow.value
        left_at[flow.target] -= flow.value
    for node in nodes:
        x, top = boxes[node.name]
        ax.add_patch(
            Rectangle((x, top - node.value), NODE_WIDTH, node.value, color=node.color, linewidth=0)
        )
    bottom = min(top - by_name[name].value for name, (_, top) in boxes.items())
    ax.set_xlim(-0.01, right)
    ax.set_ylim(bottom - 0.05 * tallest, 0.06 * tallest)
    _labels(ax, nodes, boxes)
    ax.set_axis_off()


def _stack(nodes: list[Node], flows: list[Flow], tallest: float) -> dict[str, tuple[float, float]]:
    """Return x and top of every node.

    Columns hang from the top in the order given; a node starts no higher than the first node that
    feeds it, and centres keep a distance at which two labels do not touch.
    """
    columns = max(n.column for n in nodes)
    feeds = {flow.target: flow.source for flow in reversed(flows)}
    boxes: dict[str, tuple[float, float]] = {}
    last: dict[int, Node] = {}
    for node in nodes:
        top = boxes[feeds[node.name]][1] if node.name in feeds else 0.0
        if node.column in last:
            above = last[node.column]
            floor = boxes[above.name][1] - above.value
            label_floor = floor + above.value / 2 - LABEL_GAP_FRAC * tallest
            top = min(top, floor - GAP_FRAC * tallest, label_floor + node.value / 2)
        boxes[node.name] = (node.column / max(columns, 1), top)
        last[node.column] = node
    return boxes


def _ribbon(
    ax: Axes, x0: float, top0: float, x1: float, top1: float, height: float, color: str
) -> None:
    middle = (x0 + x1) / 2
    points = [
        (x0, top0), (middle, top0), (middle, top1), (x1, top1),
        (x1, top1 - height), (middle, top1 - height), (middle, top0 - height), (x0, top0 - height),
        (x0, top0),
    ]  # fmt: skip
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    ax.add_patch(
        PathPatch(Path(points, codes), facecolor=color, alpha=0.38, linewidth=0.4, edgecolor=color)
    )


def _labels(ax: Axes, nodes: list[Node], boxes: dict[str, tuple[float, float]]) -> None:
    for node in nodes:
        x, top = boxes[node.name]
        ax.text(
            x + NODE_WIDTH + 0.012,
            top - node.value / 2,
            node.label,
            fontsize=POINT,
            color=INK,
            va="center",
        )
