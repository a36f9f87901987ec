"""Elements above their rating: seen, relieved after the delays of the control, tripped when their
tolerance is used up.

An element that is lost is looked at once: what the others carry follows from the loads of that
moment, and the tolerances of those that carry too much run from then. What grows within a step is
seen at its end, and counts from the step's beginning; so does what shrinks. So nothing is above its
rating for longer than its tolerance without an event that says so and a breaker that opens.
"""

import math

import numpy as np

from simulator.components.failure_class import FailureClass
from simulator.components.power.node import SUBSTATIONS
from simulator.components.power.tolerance import Before
from simulator.engine import (
    capping,
    draw,
    effects,
    feeds,
    generators,
    outage,
    plant_power,
    short_import,
    sides,
    tree_caps,
)
from simulator.engine.capping import FLOOR, Capping
from simulator.engine.outage_log import of_one_stage
from simulator.engine.watch import Exposure, Left
from simulator.engine.world import World
from simulator.kernels import columns as c
from simulator.kernels.limits import SLACK
from simulator.kernels.site_step import STEP_S

EFFECTS = dict(zip(
    c.STAGES, ("line", "transformer", "feeder", "block", "block", "ups"), strict=True,
))  # fmt: skip
"""What a tripped element takes with it: the effect of its failure."""

CLOCK_S = 1e-6
"""Far below what any delay is told to, above the rounding of a year's clock."""


def allowed_s(world: World, i: int, loading: float, before: Before) -> float:
    """Return how long an element carries so much of its rating: as its kind does after what it carried
    before, and not longer than its breaker lets it."""
    told, topology = draw.element(world, i), world.site.topology
    element_s = topology.tolerances.seconds(told.tolerance, loading, before)
    return min(element_s, topology.protection.opens_s(told.kind, told.continuous, loading))


def changed(world: World) -> None:
    """Look at all elements after one was lost or came back; order caps, or the brake, where something
    carries too much."""
    if world.decide is None:
        return
    watch, now_s = world.watch, world.env.now
    carried_w = _under_caps_w(world)
    look(world, draw.relieved_on_site(world, carried_w), now_s)
    if watch.over or draw.poi_w(world, carried_w) > capping.site_limit_w(world):
        _order(world, now_s, now_s)


def _order(world: World, since_s: float, from_s: float) -> None:
    """Order caps for what carries too much since a time, unless some are on their way, and the brake where
    an element would not last until they hold; neither before `from_s`."""
    act_s = since_s + world.site.topology.control.delay_s
    if act_s < world.watch.act_s:
        world.watch.act_s = act_s
        _at(world, act_s, lambda: act(world))
    _order_brake(world, since_s, from_s)


def _order_brake(world: World, since_s: float, from_s: float) -> None:
    rules = world.site.topology.control
    if rules.brake is not None and _will_not_last(world):
        brake_s = max(since_s + rules.telemetry + rules.brake, from_s)
        _at(world, brake_s, lambda: brake(world))


def _will_not_last(world: World) -> list[int]:
    """Return the elements that caps on their way come too late for, and no brake was pulled for yet."""
    watch = world.watch
    return [n for n, e in watch.over.items() if e.ends_s < watch.act_s and not e.braked]


def act(world: World) -> None:
    """Let the caps take hold that an event ordered."""
    assert world.decide is not None
    world.watch.act_s = math.inf
    now_s = world.env.now
    for load in respond(world, world.decide, _demand_w(world), now_s, True):
        capping.switch(world, load)


def at_step_end(world: World, at_s: float, over: bool) -> list[int]:
    """Set caps after a step in which something was above its limit or held below it; return the
    loads to switch off or on. `over`: an element inside the campus was above its rating."""
    watch, rules = world.watch, world.site.topology.control
    assert world.decide is not None
    capping.tell_deficit(world, at_s)
    fuel_changed = generators.tell_fuel(world, at_s)
    short = float(world.state.supply.deficit_w[0]) > 1.0
    if world.bus_changed is not None and (short or fuel_changed):
        _at(world, at_s, world.bus_changed)
        _at(world, at_s, lambda: world.tell_power("supply"))
    if world.called_s is None and short_import.short(world):
        _at(world, at_s, lambda: generators.call(world))
    if (over or watch.over) and watch.looked_s < at_s - STEP_S:
        look(world, _carried_w(world), at_s - STEP_S)
    if at_s < watch.act_s < math.inf:
        _order_brake(world, at_s - STEP_S, at_s)
        return []
    if rules.delay_s > STEP_S and not watch.held_w:
        _order(world, at_s - STEP_S, at_s)
        return []
    inside = over or bool(watch.over) or any(n >= 0 for n in watch.held_w)
    demand_w = float(world.state.tree.charge.asked_w[0])
    return respond(world, world.decide, demand_w, at_s, inside)


def respond(world: World, decide: Capping, demand_w: float, at_s: float, inside: bool) -> list[int]:
    """Set the caps of all loads from `at_s` on; return the loads to switch off or on."""
    views, caps = capping.site_caps(world, decide, demand_w, at_s)
    if world.ramp_caps is not None:
        caps = np.minimum(caps, world.ramp_caps)
    if inside:
        plan = tree_caps.plan(world, decide, caps, at_s)
        caps = plan.caps
        part = np.where(plan.part > 0.0, plan.part, 1.0)
        tree_caps.set_part(world, part, at_s)
        for node, load, blocks in plan.dark:
            _at(world, at_s, lambda n=node, i=load, b=blocks: tree_caps.darken(world, n, i, b))  # type: ignore[misc]
    switched = capping.apply(world, views, caps, at_s)
    if inside:
        look(world, _foretold_w(world, caps), at_s)
    return switched


def brake(world: World) -> None:
    """Bring every load below an element that would not last until caps hold to its lowest power: those that
    were seen in time for that."""
    watch, state, rules = world.watch, world.state, world.site.topology.control
    assert rules.brake is not None
    seen_s = world.env.now - rules.telemetry - rules.brake + CLOCK_S
    short = [n for n in _will_not_last(world) if watch.over[n].since_s <= seen_s]
    if not short:
        return
    blocks = np.asarray((draw.reaches(world)[short] > 0.0).any(axis=0))
    part = state.blocks.load_cap.copy()
    part[blocks] = FLOOR
    below = np.unique(state.racks.load[blocks[world.site.rack_block]])
    for load in below[(state.loads.synchronous[below] == 1) & (state.loads.on[below] > 0.0)]:
        part[:, load] = state.blocks.load_cap[:, load]
        world.set_load(int(load), cap=min(FLOOR, float(state.loads.cap[load])))
    for node in short:
        watch.over[node].braked = True
        world.log("brake", draw.element(world, node).name, "overload")
    tree_caps.set_part(world, part, world.env.now)
    look(world, _foretold_w(world), world.env.now)


def look(world: World, carried_w: np.ndarray, at_s: float) -> None:
    """Compare what every element carries from `at_s` on with its limit: tell what begins and ends, and
    wind the clock for the end of the first tolerance."""
    watch, limit_w, loadings = world.watch, draw.limits_w(world), draw.loadings(world, carried_w)
    watch.looked_s = at_s
    above = (carried_w > limit_w * (1.0 + SLACK)) & (limit_w > 0.0)
    for node in sorted(set(map(int, np.flatnonzero(above))) | set(watch.over)):
        if node in watch.over:
            watch.over[node].advance(at_s)
            watch.note(node, watch.over[node])
        if not above[node]:
            _end(world, node, at_s, standing=bool(limit_w[node] > 0.0))
            continue
        loading = float(loadings[node])
        known = watch.over.get(node)
        before = _before(world, node) if known is None else known.before
        lasts_s = allowed_s(world, node, loading, before)
        if known is not None:
            known.loading, known.allowed_s = loading, lasts_s
            watch.note(node, known)
            continue
        used = watch.left.pop(node).at(at_s) if node in watch.left else 0.0
        watch.over[node] = Exposure(at_s, at_s, loading, lasts_s, used, before)
        watch.note(node, watch.over[node])
        world.log("overload", draw.element(world, node).name, "supply", at_s=at_s,
                  detail=f"{loading:.1%} of its rating")
    watch.ratings_w = draw.ratings_w(world)
    world.state.limits.over[0] = int(bool(watch.over))  # so that the kernel tells when it is over
    _wind(world)


def _before(world: World, node: int) -> Before:
    """Return what an element carried in the minute before, of the rating that was then in service, full load at
    most, and the outdoor air."""
    tree = world.state.tree
    carried_w = np.concatenate([tree.output_w, np.abs(tree.mesh.flow_w)])
    preload = float(draw.loadings(world, carried_w, world.watch.ratings_w)[node])
    return Before(min(max(preload, 0.0), 1.0), world.outdoor_c())


def _end(world: World, node: int, at_s: float, standing: bool) -> None:
    exposure = world.watch.over[node]
    if exposure.used >= 1.0 and standing:  # its breaker opens before anything else
        return
    del world.watch.over[node]
    curve = world.site.topology.tolerances.of(draw.element(world, node).tolerance)
    world.watch.left[node] = Left(exposure.used, at_s, curve.recovers_s)
    world.log("overload_end", draw.element(world, node).name, "supply", at_s - exposure.since_s,
              f"{exposure.used:.0%} of its tolerance used", at_s)


def _wind(world: World) -> None:
    """Ring when the first tolerance is used up."""
    watch = world.watch
    watch.generation += 1
    generation = watch.generation
    first_s = min((e.ends_s for e in watch.over.values()), default=math.inf)
    if first_s < world.end_s:
        _at(world, first_s, lambda: _ring(world, generation))


def _ring(world: World, generation: int) -> None:
    watch, now_s = world.watch, world.env.now
    if generation != watch.generation:
        return
    for exposure in watch.over.values():
        exposure.advance(now_s)
    for node in [n for n, e in watch.over.items() if e.used >= 1.0 - SLACK]:
        if node in watch.over:
            _trip(world, node)
    look(world, _foretold_w(world), now_s)


def _trip(world: World, node: int) -> None:
    """Open the breaker of an element that outlasted its tolerance; what hangs on it is lost by the
    effect of its failure, and the others take over what they can."""
    exposure, site = world.watch.over.pop(node), world.site
    world.watch.note(node, exposure)
    told, lasted_s = draw.element(world, node), world.env.now - exposure.since_s
    world.watch.exceeded[node] += 1
    world.log("tolerance_exceeded", told.name, "overload", lasted_s,
              f"{exposure.loading:.1%} of its rating")
    reset_s = site.topology.control.reset
    world.watch.trips[node] += 1
    world.log("trip", told.name, "overload", reset_s, "breaker open")
    if told.serves == "mechanical" and c.STAGES[told.stage] == "substations":
        unit = outage.first_up(world, ("mechanical", node), told.count)
        plant_power.lose_substation(world, node, unit, reset_s, "overload")
        return
    effect, target, unit = _effect(world, node)
    cls = FailureClass.model_validate({
        "name": "overload", "per": "substation" if told.stage == SUBSTATIONS else "block",
        "rate": "0 /year", "effect": effect, "repair": f"{reset_s} s",
    })
    effects.inflict(world, cls, target, unit, of_one_stage("trip", world.env.now + reset_s))


def _effect(world: World, i: int) -> tuple[str, int, int]:
    """Return the failure that a trip amounts to, what it strikes and the unit of it."""
    site, told = world.site, draw.element(world, i)
    if i >= len(site.nodes):
        return _of_branch(world, told.name, told.stage)
    if told.serves == "support":  # with its side, whichever of its elements opens
        block = int(np.flatnonzero(draw.reaches(world)[i] > 0.0)[0])
        return "block", block, int(np.argmax(sides.feeding(world, block)))
    effect = EFFECTS[c.STAGES[told.stage]]
    group = ("bank", i) if told.stage < draw.BELOW_GRID else feeds.group_of(world, i)
    unit = outage.first_up(world, group, told.count)
    if effect != "block":
        return effect, i, unit
    sections = next((sections for sections in site.stand_ins if i in sections), None)
    if sections is not None:
        return "feed", sections[0], sections.index(i)
    return "feed", i, unit


def _of_branch(world: World, name: str, stage: int) -> tuple[str, int, int]:
    plan = world.site.topology.medium_voltage
    if stage < draw.BELOW_GRID:
        return EFFECTS[c.STAGES[stage]], stage, int(name.rsplit("/", 1)[1]) - 1
    assert plan is not None
    return "mv_branch", [branch.name for branch in plan.branches].index(name), 0


def _carried_w(world: World) -> np.ndarray:
    """Return what elements carried in the last step, (elements,)."""
    tree, supply = world.state.tree, world.state.supply
    met_w = float(tree.input_w[0]) - float(supply.limit_w[0])
    relief_w = max(met_w - float(supply.deficit_w[0]), 0.0)
    return draw.relieved(world, np.concatenate([tree.output_w, np.abs(tree.mesh.flow_w)]), relief_w)


def _foretold_w(world: World, caps: np.ndarray | None = None) -> np.ndarray:
    """Return what elements carry under the caps in force (or to come into force) now, (elements,)."""
    return draw.relieved_on_site(world, _under_caps_w(world, caps))


def _demand_w(world: World) -> float:
    """Return what the campus asks for at the interconnection under the caps in force, in W."""
    return draw.poi_w(world, _under_caps_w(world))


def _under_caps_w(world: World, caps: np.ndarray | None = None) -> np.ndarray:
    """Return what elements would carry under caps if nothing were fed in on site, (elements,)."""
    now, part = draw.caps_of(world)
    on = now if caps is None else (world.state.loads.on > 0.0) * caps
    return draw.carried_w(world, draw.draw_of(world).it_w(on, part))


def _at(world: World, at_s: float, act) -> None:  # type: ignore[no-untyped-def]
    """Call `act` at a time, now if that is past."""
    world.env.timeout(max(at_s - world.env.now, 0.0)).callbacks.append(lambda _: act())
