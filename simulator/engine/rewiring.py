"""Jobs join and leave the network; elements of it fail and return; whoever is concerned is told."""

import math

from simulator.components.fabric.tier import Tier
from simulator.engine import membership
from simulator.engine.alarm import Alarm
from simulator.engine.fabric import Placed
from simulator.engine.world import World


def join(world: World, load: int) -> bool:
    """Tell the network which racks a job holds now; its tiers follow, and its neighbours'.

    Returns whether all of the job can be reached.
    """
    network = world.network
    network.place(load, membership.members(world, load))
    _tell(world, world.state.names[load], "placement", math.nan, "placed", load)
    return load not in network.jobs or not network.jobs[load].cut


def leave(world: World, load: int) -> None:
    """Take a job off the network."""
    world.network.remove(load)
    _tell(world, world.state.names[load], "placement", math.nan, "gone")


def changed(world: World, index: int, element: str, cause: str, lasts_s: float, what: str) -> None:
    """Tell the jobs on a fabric that something in it failed or returned."""
    if world.network.uses(index):
        _tell(world, element, cause, lasts_s, what)


def _tell(
    world: World, element: str, cause: str, lasts_s: float, what: str, placed: int | None = None
) -> None:
    """Find the shares anew; hand jobs their new tiers, and log what became of them.

    A job that cannot reach part of itself stops, as if its racks had failed. One placed for the
    first time is told its tiers: its step may have been planned on others.
    """
    told = []
    found = world.network.solve()
    joined = [placed] if placed in world.network.jobs and placed not in found else []
    for load in found + joined:
        job = world.network.jobs[load]
        follows = ""
        if job.cut:
            world.alarm(load, Alarm(cause))
        elif load in world.networks and job.told != job.now:
            job.told = job.now
            follows = world.networks[load](job.now)
        if load in found or follows:
            has = "is cut off and stops" if job.cut else f"gets {_words(job)}"
            words = f"{world.state.names[load]} {has}"
            told.append(f"{words}; {follows}" if follows else words)
    if told:
        world.log("fabric", element, cause, lasts_s, f"{what}: {'; '.join(told)}")


def _words(job: Placed) -> str:
    """Return what a job has left of the tiers that suffered, those with the same share together."""
    shares: dict[str, list[str]] = {}
    for whole, tier in zip(job.intact, job.now, strict=True):
        if tier.bytes_s < whole.bytes_s:
            shares.setdefault(_percent(whole, tier), []).append(tier.name)
    left = [f"{share} across {' and '.join(names)}" for share, names in shares.items()]
    return ", ".join(left) or "its whole network"


def _percent(whole: Tier, left: Tier) -> str:
    return f"{100.0 * left.bytes_s / whole.bytes_s:.1f} %"
