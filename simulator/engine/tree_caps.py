"""Caps below elements inside the campus: branches of a medium-voltage network, feeders, substations, UPS,
busways.

What an element carries beyond its limit is taken from the loads below it, as the policy says. A
synchronous job is slowed as a whole, because its members wait for each other; of everything else only
the racks below the element are touched.
"""

from dataclasses import dataclass

import numpy as np

from simulator.components.power.node import FEEDERS
from simulator.engine import draw, held
from simulator.engine.capping import Capping, LoadView
from simulator.engine.draw import BELOW_GRID, Draw
from simulator.engine.world import World
from simulator.kernels import load_account, rack_control
from simulator.kernels.block_caps import AT_LIMIT, FLOOR
from simulator.kernels.site_step import STEP_S

SLACK_SHARE = 1e-9
SLACK = 0.1
"""Share of its dynamic power that must fit before a load that is off comes back, as in the policies."""


@dataclass
class Plan:
    """What is to be capped and switched off."""

    caps: np.ndarray  # (loads,)
    part: np.ndarray  # (blocks, loads)
    dark: list[tuple[int, int, np.ndarray]]
    """Node, load and blocks whose racks of it go off."""


def plan(world: World, decide: Capping, caps: np.ndarray, at_s: float) -> Plan:
    """Return the caps with which no element carries more than its limit, from the leaves upward.

    `caps` (loads,) are those that the interconnection asks for. What is held back is worked out
    anew each time, from what all loads would draw without.
    """
    state = world.state
    now = draw.draw_of(world)
    found = Plan(caps.copy(), np.ones(state.blocks.load_cap.shape), [])
    reach = draw.reaches(world)
    limit_w = np.where(_left_to_blocks(world, reach, now), np.inf, _aims_w(world))
    carried_w = draw.foretold_w(world, now.it_w(found.caps, found.part))
    held_w: dict[int, float] = {}
    for node in _leaves_first(world, (carried_w > limit_w) & (limit_w > 0.0), reach):
        carried_w = draw.foretold_w(world, now.it_w(found.caps, found.part))
        if carried_w[node] > limit_w[node]:
            held_w[node] = _relieve(
                world, decide, found, now, (node, reach[node], carried_w, float(limit_w[node]))
            )
    for node in sorted(set(held_w) | {n for n in world.watch.held_w if n >= BELOW_GRID}):
        _hold(world, node, held_w.get(node, 0.0), at_s)
    return found


def _leaves_first(world: World, over: np.ndarray, reach: np.ndarray) -> list[int]:
    """Return the elements above their limit (boolean) in the order in which they are relieved: nodes
    below the main transformers from the last one on, then branches, those that least comes through
    first. Lines and main transformers as a whole are the interconnection's own."""
    nodes = world.state.tree.parent.size
    found = [int(i) for i in np.flatnonzero(over[:nodes])[::-1] if i >= BELOW_GRID]
    branches = [int(i) for i in np.flatnonzero(over[nodes:]) + nodes]
    return found + sorted(branches, key=lambda i: (float(reach[i].sum()), i))


def _aims_w(world: World) -> np.ndarray:
    """Return what caps aim at, (elements,): the limits less the margin."""
    aims_w: np.ndarray = draw.limits_w(world) * (1.0 - world.site.topology.control.margin)
    return aims_w


def _left_to_blocks(world: World, reach: np.ndarray, now: Draw) -> np.ndarray:
    """Return which elements are left to the racks of one block, boolean (elements,): substations, UPS and
    busways that feed one block alone, as long as all of their units are there (the block's limit knows of
    no module that is out) and the racks' own caps are in force, not at their lowest without being enough."""
    alone = ((reach > 0.0).sum(axis=1) == 1) & (reach.max(axis=1) > 1.0 - SLACK_SHARE)
    tree = world.state.tree
    alone[: tree.parent.size] &= (tree.stage > FEEDERS) & (tree.in_service == 1.0)
    alone[tree.parent.size :] = False
    return alone & ~(reach[:, ~_hold_themselves(world, now)] > 0.0).any(axis=1)


def _hold_themselves(world: World, now: Draw) -> np.ndarray:
    """Return which blocks' own caps are in force, and keep them within their limit: boolean (blocks,)."""
    blocks = world.state.blocks
    lowest = ((blocks.cap <= FLOOR) | (now.dynamic_w <= 0.0)).all(axis=1)
    above = blocks.it_w > blocks.limit_w * (1.0 + AT_LIMIT)
    return (blocks.capped == 1) & ~(lowest & above)


def _relieve(
    world: World, decide: Capping, found: Plan, now: Draw,
    element: tuple[int, np.ndarray, np.ndarray, float],
) -> float:
    """Ask the policy who gives way below one element; return the power held back there in W."""
    node, share, carried_w, limit_w = element
    views = _views(world, found, now, share, _gain(world, node, carried_w, now, found, share))
    off_w = sum(v.idle_w + v.dynamic_w for v in views if not v.on)
    held_w = 0.0
    for view, cap in zip(views, decide(views, float(carried_w[node]) - off_w, limit_w), strict=True):
        if cap == 1.0:
            continue
        load, blocks = view.load, np.flatnonzero(share > 0.0)
        if cap > 0.0:
            held_w += view.dynamic_w * (1.0 - cap)
        if world.state.loads.synchronous[load] == 1:
            found.caps[load] *= cap
            if cap == 0.0 and view.on:
                world.watch.asked[load] = node
        else:
            found.part[blocks, load] *= cap
            if cap == 0.0:
                found.dark.append((node, load, blocks))
    return held_w


def _gain(
    world: World, node: int, carried_w: np.ndarray, now: Draw, found: Plan, share: np.ndarray
) -> float:
    """Return the watts at an element per watt at the racks below it: what it carries over all that
    is connected below."""
    it_w = now.it_w(found.caps, found.part) + draw.support_w(world)
    plant, pumps = draw.hall_share(world, node)
    state = world.state
    below_w = float(share @ it_w + plant @ (state.plant_w[:, 0] + world.site.halls.house_w * state.heat.lit)
                    + pumps @ state.plant_w[:, 1])  # fmt: skip
    return float(carried_w[node]) / below_w if below_w > 0.0 else 1.0


def _views(
    world: World, found: Plan, now: Draw, share: np.ndarray, gain: float
) -> list[LoadView]:
    """Return what the policy sees below one element: powers under the caps planned so far."""
    state = world.state
    factor = found.caps * found.part
    idle_w = gain * (share @ np.where(factor > 0.0, now.idle_w, 0.0))
    dynamic_w = gain * (share @ (now.dynamic_w * factor))
    return [
        LoadView(
            load=i, priority=int(state.priority[i]), on=bool(state.loads.on[i] > 0.0), cap=1.0,
            dynamic_w=float(dynamic_w[i]), idle_w=float(idle_w[i]), kind=kind,
        )
        for i, kind in enumerate(state.kinds)
        if kind != "down" and idle_w[i] + dynamic_w[i] > 0.0
    ]


def _hold(world: World, node: int, held_w: float, at_s: float) -> None:
    """Note what is held back below an element, and tell when that begins and ends."""
    if world.watch.hold(node, held_w, at_s):
        kind, told = ("cap", f"{held_w / 1e6:.3f} MW held back") if held_w > 0.0 else ("cap_lifted", "")
        world.log(kind, draw.element(world, node).name, "overload", detail=told, at_s=at_s)


def set_part(world: World, part: np.ndarray, at_s: float) -> None:
    """Cap loads in some blocks (blocks, loads) from `at_s` on, within a step or at its end.

    Within a step a rack's cap is the mean over the step of the old and the new one, which is exact
    because power is linear in it.
    """
    state = world.state
    if np.array_equal(part, state.blocks.load_cap):
        return
    arguments = (state.loads, float(at_s))
    world.entry(load_account.complete_loads, *arguments)(*arguments)
    state.blocks.load_cap[:] = part
    state.blocks.partial[0] = 1 if part.min() < 1.0 else 2
    before, passed = state.racks.power_cap.copy(), at_s % STEP_S / STEP_S
    given = (
        world.site.rows, state.racks, state.loads, state.blocks, state.hall_air_c, state.scratch
    )
    world.entry(rack_control.control, *given)(*given)
    if passed > 0.0:
        state.racks.power_cap[:] = passed * before + (1.0 - passed) * state.racks.power_cap


def darken(world: World, node: int, load: int, blocks: np.ndarray) -> None:
    """Switch off the racks of a load in some blocks, for want of power at an element."""
    racks = np.flatnonzero(
        (world.state.racks.load == load) & np.isin(world.site.rack_block, blocks)
    )
    if not racks.size:
        return
    hold_s = world.site.topology.control.hold
    power_w = float(world.state.racks.power_w[racks].sum())
    world.log("shed", world.state.names[load], draw.element(world, node).name, hold_s,
              f"{racks.size} racks")
    _keep_off(world, node, racks, power_w, hold_s)


def _keep_off(world: World, node: int, racks: np.ndarray, power_w: float, lasts_s: float) -> None:
    """Hold racks off, and again as long as the element has no room for them: they do not blink. Then they boot."""
    now_s = world.env.now
    world.watch.shed_j[node] += power_w * max(min(lasts_s, world.end_s - now_s), 0.0)

    def again() -> None:
        if _room_w(world, node) < power_w:
            _keep_off(world, node, racks, power_w, lasts_s)
        else:
            held.start(world, racks, "supply")

    held.hold(world, racks, "supply", lasts_s, again)


def _room_w(world: World, node: int) -> float:
    """Return what an element could carry beyond what hangs on it now, in W, once the loads that are
    off altogether are back with a tenth of their dynamic power."""
    loads, part = world.state.loads, np.ones(world.state.blocks.load_cap.shape)
    it_w = draw.draw_of(world).it_w(np.where(loads.on > 0.0, loads.cap, SLACK), part)
    return float((_aims_w(world) - draw.foretold_w(world, it_w))[node])
