"""The medium-voltage network in a run: what is out, which open points close, who is dark, and what
the branches left can carry.

Flows are linear in the draws of the halls for as long as nothing switches: the factors are solved
when something does (`kernels/power_flow.py`), and the power tree applies them every step.
"""

from collections.abc import Generator
from typing import Any

import numpy as np

from simulator.components.failure_class import FailureClass
from simulator.components.power.mesh import Mesh
from simulator.components.power.node import LINES
from simulator.engine import outage
from simulator.engine.world import World

LOOK_S = 3600.0
"""How often the branches' loading is looked at while nothing switches."""
FULL = 1.0 + 1e-6
"""Loading up to which a branch counts as not overloaded."""


def lose_branch(world: World, cls: FailureClass, branch: int, unit: int, lasts_s: float) -> str:
    """Take a cable or tie out; return its name."""
    mesh, plan = _mesh(world), world.site.topology.medium_voltage
    assert plan is not None
    name = plan.branches[branch].name
    return _lose(world, cls, ("mv branch", mesh.net.name.index(name)), name, lasts_s)


def lose_bus(world: World, cls: FailureClass, bus: int, unit: int, lasts_s: float) -> str:
    """Take a bus out, with all branches that end on it; return its name."""
    mesh, plan = _mesh(world), world.site.topology.medium_voltage
    assert plan is not None
    name = plan.buses[bus].name
    return _lose(world, cls, ("mv bus", mesh.net.bus_name.index(name)), name, lasts_s)


def lose_unit(world: World, cls: FailureClass, node: int, unit: int, lasts_s: float) -> None:
    """Take a line or main transformer, by its number, out of the network."""
    lines = world.site.topology.grid.lines.count
    branch = unit if node == LINES else lines + unit
    _lose(world, cls, ("mv branch", branch), _mesh(world).net.name[branch], lasts_s)


def watch(world: World) -> Generator[Any, Any, None]:
    """Look for overloaded branches every hour."""
    while True:
        yield world.env.timeout(LOOK_S)
        _relieve(world)


def _mesh(world: World) -> Mesh:
    mesh = world.site.mesh
    if mesh is None:
        raise LookupError("this site has no medium-voltage network")
    return mesh


def _lose(
    world: World, cls: FailureClass, group: tuple[str, int], name: str, lasts_s: float
) -> str:
    outage.lose(world, group, lasts_s)
    _settle(world, cls, name)
    outage.after(world, lasts_s, lambda: _settle(world, cls, name, lost=False))
    return name


def _gone(world: World, at_s: float | None = None) -> np.ndarray:
    """Return which branches are out, by themselves or with a bus: boolean (branches,)."""
    mesh = _mesh(world)
    dead = [bool(outage.absent(world, ("mv bus", bus), at_s)) for bus in range(mesh.buses)]
    own = [bool(outage.absent(world, ("mv branch", k), at_s)) for k in range(len(mesh.net.name))]
    return np.array(own) | np.array(dead)[mesh.ends].any(axis=1)


def live(world: World, at_s: float | None = None) -> np.ndarray:
    """Return which halls are reached, open points closed as they must: boolean (halls,)."""
    mesh = _mesh(world)
    dead = [bool(outage.absent(world, ("mv bus", int(bus)), at_s)) for bus in mesh.hall_bus]
    return mesh.live(mesh.closed(_gone(world, at_s))) & ~np.array(dead)


def _settle(world: World, cls: FailureClass, name: str, lost: bool = True) -> None:
    """Set branches and factors; on a loss, take out the halls that are dark for good or until an open
    point is closed. Open points open again without a break."""
    mesh, state = _mesh(world), world.state.tree.mesh
    gone = _gone(world)
    before = (state.on > 0.0) & ~gone
    closed = mesh.closed(gone)
    for k in np.flatnonzero(closed & ~before & ~np.array(mesh.net.closed)):
        world.log("switching", mesh.net.name[k], cls.name, detail=f"open point closed for {name}")
    state.on[:] = closed
    state.factor[:] = mesh.factors(closed)
    _restore_limits(world)
    if lost:
        _darken(world, cls.name, mesh.live(before))
    else:
        world.tell_power(cls.name)
    _relieve(world)


def _darken(world: World, cause: str, without_break: np.ndarray) -> None:
    plan, reached = world.site.topology.medium_voltage, live(world)
    assert plan is not None
    until: dict[float, list[int]] = {}
    for hall in np.flatnonzero(~(without_break & reached)):
        lasts_s = plan.switching if reached[hall] else _until_live_s(world, int(hall))
        until.setdefault(lasts_s, []).append(int(hall))
    for lasts_s, halls in until.items():
        racks = np.flatnonzero(np.isin(world.site.rack_hall, halls))
        if lasts_s > 0.0:
            outage.take_out(world, racks, cause, lasts_s)
            for hall in halls:
                outage.lose(world, ("dark hall", hall), lasts_s)
            outage.after(world, lasts_s, lambda: world.tell_power(cause))
    world.tell_power(cause)


def _until_live_s(world: World, hall: int) -> float:
    """Return the time until a hall is reached again, as far as repairs are known."""
    now_s = world.env.now
    known = sorted({t for times in world.absent.values() for t in times if t > now_s})
    return next(t for t in known if live(world, t)[hall]) - now_s


def _relieve(world: World) -> None:
    """Lower the limits of the halls that draw over overloaded branches, in proportion, until something
    switches; the control then keeps them."""
    mesh, tree = world.state.tree.mesh, world.state.tree
    drawn_w = tree.input_w[mesh.node]
    by_hall_w = mesh.factor * drawn_w
    part = np.ones(mesh.node.size)
    for k in range(mesh.rating_w.size):
        flow_w = float(by_hall_w[k].sum())
        loading = abs(flow_w) / mesh.rating_w[k]
        if loading <= FULL:
            continue
        world.log("overload", _mesh(world).net.name[k], "supply", detail=f"{loading:.1%} of its rating")
        helps = np.sign(flow_w) * by_hall_w[k] > 0.0
        part[helps] = np.minimum(part[helps], 1.0 / loading)
    share = world.state.limits.share
    for hall in np.flatnonzero(part < 1.0):
        node = int(mesh.node[hall])
        in_service_w = float(tree.rating_w[node] * tree.in_service[node])
        if in_service_w > 0.0:
            allowed_w = float(tree.output_w[node]) * part[hall]
            share[node] = min(float(share[node]), allowed_w / in_service_w)


def _restore_limits(world: World) -> None:
    nodes = world.state.tree.mesh.node
    world.state.limits.share[nodes] = [world.site.nodes[node].continuous for node in nodes]
