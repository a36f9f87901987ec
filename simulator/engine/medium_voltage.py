"""The medium-voltage network in a run: what is out, which open points close, which halls are cut off.

Flows are linear in the draws of the halls for as long as nothing switches: the factors are solved
when something does (`kernels/power_flow.py`), and the power tree applies them every step. What its
branches carry is watched with all other elements (`engine/overload.py`).
"""

import numpy as np

from simulator.components.failure_class import FailureClass
from simulator.components.power import loading
from simulator.components.power.mesh import Mesh
from simulator.components.power.node import LINES
from simulator.engine import design_flow, feeds, outage
from simulator.engine.state import State
from simulator.engine.world import World
from simulator.site import Site


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
    lines = world.site.topology.grid.lines.units
    branch = unit if node == LINES else lines + unit
    _lose(world, cls, ("mv branch", branch), _mesh(world).net.name[branch], lasts_s)


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
    if world.absent.keys().isdisjoint(mesh.groups):
        return mesh.intact
    dead = [bool(outage.absent(world, ("mv bus", int(bus)), at_s)) for bus in mesh.hall_bus]
    return mesh.live(mesh.closed(_gone(world, at_s))) & ~np.array(dead)


def reached(world: World, hall: int, at_s: float | None = None) -> bool:
    """Return whether a hall hangs on something above its feeders, one of them in service."""
    node = int(world.site.halls.feeder_node[hall])
    if outage.absent(world, ("feeder", node), at_s) >= world.site.nodes[node].count:
        return False
    if outage.absent(world, feeds.reach_of(hall), at_s):
        return False
    return world.site.mesh is None or bool(live(world, at_s)[hall])


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
    rate(world.site, world.state, closed)
    if lost:
        _darken(world, cls, mesh.live(before))
    world.tell_power(cls.name)


def rate(site: Site, state: State, closed: np.ndarray) -> None:
    """Set ratings and losses of lines, main transformers and branches as reactive power and voltages are with these
    closed; as with everything in service where the AC flow cannot carry the design load so."""
    try:
        told = design_flow.switched(site, closed, state.laws)
    except ArithmeticError:
        told = state.laws
    tree, limits, nodes, above = state.tree, state.limits, state.tree.parent.size, len(design_flow.BANKS)
    for column, values in (
        (tree.rating_w[:above], told.nodes.rating_w[:above]), (limits.sag[:above], told.nodes.sag[:above]),
        (limits.sag[nodes:], told.branches.sag), (tree.mesh.rating_w, told.branches.rating_w),
        (tree.mesh.no_load, told.branches.no_load), (tree.mesh.load, told.branches.load),
    ):  # fmt: skip
        column[:] = values
    continuous = np.array([node.continuous for node in site.nodes[:above]])
    limits.share[:above] = loading.power(continuous, limits.sag[:above])


def _darken(world: World, cls: FailureClass, without_break: np.ndarray) -> None:
    """Cut the halls off that are not reached without a break; the batteries of lineups and racks carry
    what they can until an open point is closed or something is repaired."""
    plan, reached = world.site.topology.medium_voltage, live(world)
    assert plan is not None
    for hall in np.flatnonzero(~(without_break & reached)):
        lasts_s = plan.switching if reached[hall] else _until_live_s(world, int(hall))
        if lasts_s > 0.0:
            feeds.cut_off(world, cls, int(hall), lasts_s)


def _until_live_s(world: World, hall: int) -> float:
    """Return the time until a hall is reached again, as far as repairs are known."""
    return next(t for t in outage.known_back_s(world) if live(world, t)[hall]) - world.env.now
