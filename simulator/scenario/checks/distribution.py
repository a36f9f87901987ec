"""Redundancy schemes of halls: blocks that map onto them, a return feed, and loads they can carry."""

from collections.abc import Iterator

from simulator.components.power.distribution import Distribution
from simulator.components.topology import Hall
from simulator.scenario.checks.plant import Plant, watts
from simulator.scenario.parts import Parts
from simulator.scenario.wording import Trouble


def unmapped_blocks(parts: Parts) -> Iterator[Trouble]:
    """Blocks that do not fill the groups of their scheme."""
    for i, hall, plan in _schemes(parts):
        each = plan.group.blocks
        if hall.blocks % each:
            near = {max(hall.blocks // each, 1) * each, (hall.blocks // each + 1) * each}
            fits = " or ".join(str(count) for count in sorted(near))
            told = (
                f"{hall.blocks} blocks do not map onto {plan.scheme}: each group of "
                f"{plan.group.lineups} lineups feeds {each}; write {fits}"
            )
            yield ("topology", "halls", i, "blocks"), told


def no_return_feed(parts: Parts) -> Iterator[Trouble]:
    """Schemes whose second feed hangs on the same thing as the first, or is not there."""
    for i, hall, plan in _schemes(parts):
        here = ("topology", "halls", i)
        alone = plan.scheme == "N"
        if plan.transfer in ("sts", "ats") and (alone or plan.common_bus):
            told = (
                f"the {plan.transfer.upper()} of hall '{hall.name}' has no alternate feed: with "
                f"scheme {plan.scheme} a block hangs on one "
                f"{'lineup' if alone else 'bus'}; leave it out or choose 2N or block_redundant"
            )
            yield (*here, "distribution", "transfer"), told
        if not alone and plan.sections == 1:
            told = (
                f"no return feed: all {plan.group.lineups} lineups of a group of hall "
                f"'{hall.name}' hang on one section; {plan.scheme} needs at least 2"
            )
            yield (*here, "distribution", "sections"), told
        if not alone and hall.feeders.count == 1:
            told = (
                f"no return feed: {plan.scheme} in hall '{hall.name}' behind its only feeder; "
                "it needs at least 2"
            )
            yield (*here, "feeders", "count"), told
        if plan.sections is not None and plan.sections > plan.group.lineups:
            told = (
                f"{plan.sections} sections, but a group of {plan.scheme} has "
                f"{plan.group.lineups} lineups to spread over them"
            )
            yield (*here, "distribution", "sections"), told


def unused_figures(parts: Parts) -> Iterator[Trouble]:
    """Figures that the chosen scheme has no use for."""
    for i, _hall, plan in _schemes(parts):
        here = ("topology", "halls", i, "distribution")
        counted = plan.scheme in ("N+1", "block_redundant")
        if plan.duty is not None and not counted:
            yield (*here, "duty"), f"{plan.scheme} has no lineups on duty beside a spare; leave it out"
        if plan.share_a is not None and (counted or plan.scheme == "N"):
            yield (*here, "share_a"), f"{plan.scheme} has no two sides; leave it out"
        if plan.transfer_time is not None and plan.switch == "cords":
            told = "there is no switch to take that time; choose 'transfer: sts' or 'ats'"
            yield (*here, "transfer_time"), told


def lost_with_one_out(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """UPS modules that do not carry what their scheme lets a lineup take over."""
    for g in plant.groups:
        plan = g.hall.distribution
        if plan is None or plan.ups is None or plan.scheme == "N":
            continue
        full_w = g.limit_w * plan.group.worst_load
        built = plan.ups.sized(full_w)
        left_w = built.rating_w * (built.modules - 1) / built.modules
        if left_w < full_w * (1.0 - 1e-9) and built.modules > 1:
            key = "margin" if plan.ups.module is None else "spare"
            told = (
                f"with one of {built.modules} UPS modules out a lineup of hall "
                f"'{g.hall.name}' carries {watts(left_w)}, {plan.scheme} asks "
                f"{watts(full_w)} of it when another is lost; give it more modules or {key}"
            )
            yield ("topology", "halls", g.index, "distribution", "ups", key), told


def _schemes(parts: Parts) -> Iterator[tuple[int, Hall, Distribution]]:
    for i, hall in parts.halls.items():
        if hall.distribution is not None:
            yield i, hall, hall.distribution
