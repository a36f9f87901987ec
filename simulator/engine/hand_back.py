"""Import returns to a campus that lives on its own: what generators, the battery and batteries of lineups carried
goes back to the grid no faster than `topology.ride_through.ramp` lets it.

From the return on the grid is one more source, which grows: sources on site go on, and lineups, support racks and
the plants of halls that none of them carries are taken as without import, once all together carry them. Each
minute the ramp adds to what may be imported; a lineup comes as a whole, when as much has gathered. When that is
all that is drawn, plants that still start and batteries that charge included, the sets stop. Racks without power
wait until then.
"""

from functools import partial

from simulator.engine import island, outage, plant_power, short_import, supply_state, support_feed
from simulator.engine.world import World
from simulator.kernels.site_step import STEP_S


def begin(world: World) -> None:
    """Begin the return, and end it at once where no ramp holds it. What UPS of support racks and pumps carry comes
    back at once."""
    if world.site.topology.ride_through.ramp is None:
        end(world)
        return
    pumps_w = float(world.state.plant_w[world.state.heat.bridged == 1, 1].sum())
    world.back_s = world.env.now
    world.back_w = support_feed.on_batteries_w(world) + pumps_w
    world.state.supply.limit_w[0] = world.back_w
    island.forget_dark(world)
    island.settle(world)
    _next(world, STEP_S - world.env.now % STEP_S)


def _next(world: World, after_s: float) -> None:
    outage.after(world, after_s, partial(_minute, world, world.back_s))


def _minute(world: World, since_s: float) -> None:
    """Let the import of the next minute rise, or end the return when nothing else is left to carry."""
    ramp_w_s, supply = world.site.topology.ride_through.ramp, world.state.supply
    if world.back_w is None or ramp_w_s is None or world.back_s != since_s:
        return  # what is imported was lost meanwhile
    drawn_w = float(world.state.tree.input_w[0]) + plant_power.promised_w(world)
    waits_w = supply_state.recharges_w(supply, STEP_S) - float(world.state.tree.charge.drawn_w.sum())
    drawn_w += max(waits_w, 0.0)
    waits = bool(world.off_bus) or not (world.plants.fed.all() and world.support.fed.all())
    if drawn_w <= world.back_w and not waits:
        end(world)
        return
    world.back_w = (world.back_w if waits else min(world.back_w, drawn_w)) + ramp_w_s * STEP_S
    if world.back_w >= world.may_import_w:
        end(world)
        return
    island.forget_dark(world)
    supply.limit_w[0] = min(world.back_w, world.may_import_w)
    if world.bus_changed is not None:
        world.bus_changed()
    world.tell_power("supply")
    _next(world, STEP_S)


def end(world: World) -> None:
    """Let the grid carry all."""
    if world.back_w is not None:
        world.log("handed_back", "point of interconnection", "ramp", world.env.now - world.back_s)
    world.back_w, world.supply_lost_s, world.bus_changed = None, None, None
    world.state.supply.limit_w[0] = world.may_import_w
    short_import.follow(world)
    island.end(world)
    world.tell_power("supply")
