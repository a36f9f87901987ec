"""Tables of a finished run about limits: how long elements were above theirs, what was held back for
them, and what still fits where."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd

from simulator.components.power import loading
from simulator.components.power.distribution import Distribution
from simulator.components.sizing import block_limit_w, ends_of, fabric_of
from simulator.components.topology import Hall
from simulator.engine import draw
from simulator.engine.capping import SITE
from simulator.engine.watch import Watch
from simulator.engine.world import World
from simulator.kernels import columns as c
from simulator.kernels.columns import Records
from simulator.kernels.site_step import STEP_S
from simulator.site import Site

LEVELS = dict(zip(
    c.STAGES, ("line_bank", "transformer_bank", "feeder", "substation", "busway", "ups"), strict=True
))  # fmt: skip
BRANCH_LEVELS = ("line", "transformer", "mv_branch")
"""Of what a medium-voltage network has one by one, by stage."""
LIMITS = (
    "element", "level", "count", "rating_w", "limit_w", "firm_w", "below_w", "peak_w", "overload_s",
    "capped_s", "held_j", "shed_j", "trips", "exceeded",
)
PLACES = (
    "block", "hall", "feeder", "built_w", "rated_w", "limit_w", "peak_w", "nameplate_w", "working_w",
    "rack_w", "cooled_w", "joined_w",
)


def tables(world: World, records: Records) -> dict[str, pd.DataFrame]:
    """Return `limits`, `limit_levels` and `places`."""
    watch = copy.deepcopy(world.watch)
    watch.finish(float(world.env.now))
    over = records.site[:, c.POI_W] > records.site[:, c.LIMIT_W] * (1.0 + 1e-9)
    poi_over_s = float(over.sum()) * STEP_S
    return {
        "limits": _limits(world, watch, records, poi_over_s),
        "limit_levels": _levels(world, poi_over_s),
        "places": _places(world),
    }


def _limits(
    world: World, watch: Watch, records: Records, poi_over_s: float
) -> pd.DataFrame:
    """Return one row per element with a limit, from the interconnection to the blocks."""
    site, state = world.site, world.state
    nameplate_w = site.block_nameplate_w
    below_w = draw.reaches(world) @ nameplate_w
    held_w = site.firm_w * (1.0 - site.topology.power_margin)
    rows = [_row(watch, SITE, ("poi", "poi", 1), (site.firm_w, held_w, site.firm_w),
                 (float(nameplate_w.sum()), float(records.site[:, c.POI_W].max()), poi_over_s))]
    intact = state.laws.nodes
    shares = loading.power(np.array([node.continuous for node in site.nodes]), intact.sag)
    for i, node in enumerate(site.nodes):
        rating_w, share = float(intact.rating_w[i]), float(shares[i])
        firm_w = node.firm_w * (rating_w / node.rating_w) * share if node.firm_w > 0.0 else rating_w * share
        rows.append(_row(
            watch, i, (node.name, LEVELS[c.STAGES[node.stage]], node.count),
            (rating_w, rating_w * share, firm_w),
            (float(below_w[i]), float(state.tree.peak_w[i]), float(state.limits.over_s[i])),
        ))
    rows += _branch_rows(world, watch, below_w[len(site.nodes) :])
    blocks = state.blocks
    for b, name in enumerate(site.block_names):
        limit_w = float(site.block_limit_w[b])
        rows.append((
            name, "block", 1, limit_w, limit_w, limit_w, float(nameplate_w[b]),
            float(blocks.peak_w[b]), float(blocks.over_s[b]), float(blocks.capped_s[b]),
            float(blocks.held_j[b]), 0.0, 0, 0,
        ))
    return pd.DataFrame(rows, columns=list(LIMITS))


def _branch_rows(world: World, watch: Watch, below_w: np.ndarray) -> list[tuple[object, ...]]:
    """Return the rows of lines, main transformers and branches of a medium-voltage network, one by
    one."""
    mesh, tree = world.site.mesh, world.state.tree
    return [
        _row(watch, len(world.site.nodes) + k, (node.name, BRANCH_LEVELS[node.stage], 1),
             (float(world.state.laws.branches.rating_w[k]),) * 3,
             (float(below_w[k]), float(tree.mesh.peak_w[k]), float(tree.mesh.over_s[k])))
        for k, node in enumerate(mesh.nodes if mesh else ())
    ]  # fmt: skip


def _row(  # type: ignore[no-untyped-def]
    watch: Watch, node: int, told, capacity_w: tuple[float, float, float],
    load: tuple[float, float, float],
):
    """Return a row: name, level and count; rating, limit and firm limit; nameplate below, peak and
    time above."""
    held = (watch.capped_s[node], watch.held_j[node], watch.shed_j[node])
    return (*told, *capacity_w, *load, *held, watch.trips[node], watch.exceeded[node])


def _levels(world: World, poi_over_s: float) -> pd.DataFrame:
    """Return for how long any element of a level was above its limit."""
    state, site = world.state, world.site
    rows = [("poi", 1, poi_over_s)]
    for stage, level in enumerate(LEVELS.values()):
        count = sum(node.stage == stage for node in site.nodes)
        rows.append((level, count, float(state.limits.level_over_s[stage])))
    for k, level in enumerate(BRANCH_LEVELS):
        count = int((state.tree.mesh.stage == k).sum())
        rows.append((level, count, float(state.limits.level_over_s[len(c.STAGES) + k])))
    rows.append(("block", len(site.block_names), float(state.blocks.any_over_s[0])))
    table = pd.DataFrame(rows, columns=["level", "elements", "overload_s"])
    return table[table["elements"] > 0].reset_index(drop=True)


def _places(world: World) -> pd.DataFrame:
    """Return what each block of accelerator racks was built for, draws and could still take."""
    site, state = world.site, world.state
    nameplate_w, working_w = site.block_nameplate_w, _working_w(world)
    spare_w, rows = _cooling_to_spare_w(site, nameplate_w), []
    room_w: dict[str, float] = {}
    built: dict[str, tuple[float, float]] = {}
    for b in np.unique(site.rack_block):
        hall, h = site.hall_spec[site.block_hall[b]], int(site.block_hall[b])
        rack = site.rack_types[site.row_type[site.rack_row[np.flatnonzero(site.rack_block == b)[0]]]]
        if hall.name not in room_w:
            room_w[hall.name] = _ports_to_spare_w(site, hall, rack.nameplate)
            built[hall.name] = _built_w(site, hall)
        built_w, rated_w = built[hall.name]
        rows.append((
            site.block_names[b], site.hall_names[h], site.nodes[site.halls.feeder_node[h]].name,
            built_w, rated_w, float(site.block_limit_w[b]), float(state.blocks.peak_w[b]),
            float(nameplate_w[b]), float(working_w[b]), rack.nameplate,
            spare_w[h] / hall.blocks, room_w[hall.name] / (hall.blocks * hall.count),
        ))
    return pd.DataFrame(rows, columns=list(PLACES))


def _working_w(world: World) -> np.ndarray:
    """Return what the racks of each block draw with every chip at its TDP, (blocks,)."""
    site, rows = world.site, world.site.rows
    chip_w = rows.chip_idle_w + rows.chip_dynamic_w
    dc_w = rows.accelerators * chip_w + rows.host_idle_w + rows.host_dynamic_w
    x = dc_w / rows.shelf_rating_w
    loss_w = rows.shelf_rating_w * (rows.shelf_no_load + x * (rows.shelf_linear + x * rows.shelf_load))
    racks = rows.stop - rows.start
    return np.bincount(rows.block, weights=racks * (dc_w + loss_w), minlength=len(site.block_names))


def _built_w(site: Site, hall: Hall) -> tuple[float, float]:
    """Return the rack power of a block's share of all lineups at their rating, each with its UPS, and at
    what their breakers carry continuously; redundancy takes the rest down to the block's limit."""
    plan = hall.distribution
    alone = None if plan is None else Distribution(scheme="N", ups=plan.ups)
    plain = hall.model_copy(update={"distribution": alone})
    whole = plain.model_copy(update={"block": hall.block.model_copy(update={"continuous": 1.0})})
    lineups = plan.lineups(hall.blocks) / hall.blocks if plan else 1.0
    built_w, rated_w = (block_limit_w(site.topology, of) for of in (whole, plain))
    return built_w * lineups, rated_w * lineups


def _cooling_to_spare_w(site: Site, nameplate_w: np.ndarray) -> list[float]:
    """Return how much more rack power each hall's plants carry with one unit out, (halls,)."""
    spare_w = []
    for h in range(len(site.hall_names)):
        types = site.rack_type[site.rack_hall == h]
        liquid = site.rack_types[int(types[0])].liquid_fraction
        loops = site.loops[site.halls.liquid_loop[h]], site.loops[site.halls.air_loop[h]]
        room_w = [max((loop.units - 1) * loop.unit_w - loop.design_heat_w, 0.0) for loop in loops]
        shares = [(w, share) for w, share in zip(room_w, (liquid, 1.0 - liquid), strict=True) if share]
        spare_w.append(min(w / share for w, share in shares))
    return spare_w


def _ports_to_spare_w(site: Site, hall: Hall, rack_w: float) -> float:
    """Return the nameplate of the racks that the fabric of a hall group could still join."""
    ends = ends_of(site.topology, hall)
    if ends is None:
        return float("inf")
    fabric = fabric_of(site.topology, hall)
    counts = np.bincount(site.rack_hall, minlength=len(site.hall_spec))
    racks = int(counts[[of == hall for of in site.hall_spec]].sum())
    low, high = 0, racks
    while low < high:
        more = (low + high + 1) // 2
        factor = 1.0 + more / racks
        wider = type(ends)(
            round(ends.accelerators * factor), round(ends.ports * factor), ends.nic_bytes_s, ends.domain
        )
        try:
            fabric.counts(wider)
        except ValueError:
            high = more - 1
        else:
            low = more
    return low * rack_w
