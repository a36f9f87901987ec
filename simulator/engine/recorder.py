"""Arrays the kernel fills, and the tables made of them when the run is over."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from simulator.components.power.loading import current
from simulator.components.power.node import TRANSFORMERS
from simulator.components.power.transformer import LARGE, NORMAL_LIFE_S, lives_used
from simulator.components.sizing import chip_of
from simulator.engine import starting, supply_state
from simulator.engine.state import State
from simulator.engine.world import World
from simulator.kernels import columns as c
from simulator.kernels.columns import Records
from simulator.kernels.serving import (
    ARRIVED,
    CAPACITY,
    LOAD_FRAC,
    LOADING,
    RECEIVED,
    REJECTED,
    SERVED,
    SHED,
    SPILLED,
    STEP_COLUMNS,
    WAIT_FIRST_S,
    WAIT_RATIO,
)
from simulator.kernels.site_step import HOUR_STEPS, STEP_S
from simulator.results import EVENTS, SERIES, TABLES
from simulator.site import Site

RECORDED = ("training", "batch", "evaluation", "safety_test")
"""Kinds of load that have rows of level `job`."""


def allocate(
    site: Site, state: State, duration_s: float, rack_halls: tuple[str, ...] = ()
) -> Records:
    """Return empty records for a run of `duration_s`, a whole number of minutes; racks of the
    halls named are recorded one by one."""
    steps = int(round(duration_s / STEP_S))
    hours = math.ceil(steps / HOUR_STEPS)
    named = [
        name in rack_halls or spec.name in rack_halls
        for name, spec in zip(site.hall_names, site.hall_spec, strict=True)
    ]
    chosen = np.flatnonzero(np.array(named)[site.rack_hall])
    return Records(
        site=np.zeros((steps, c.SITE_COLUMNS)),
        hall=np.zeros((hours, len(site.hall_names), 5)),
        loop=np.zeros((hours, len(site.loops), 9)),
        racks=chosen,
        rack=np.zeros((hours, chosen.size, 3)),
        pool=np.zeros((hours, state.pools.load.size, STEP_COLUMNS + 2)),
        job=np.zeros((hours, len(state.names), 5)),
        energy_j=np.zeros(5),
    )


def series(world: World, records: Records, start: datetime) -> dict[str, pd.DataFrame]:
    """Return the time series by level, stamped with the start of each interval."""
    site, state = world.site, world.state
    steps = records.site.shape[0]
    hours = records.hall.shape[0]
    per_hour = np.full(hours, float(HOUR_STEPS))
    per_hour[-1] = steps - (hours - 1) * HOUR_STEPS
    minutes = pd.date_range(start, periods=steps, freq="min")
    stamps = pd.date_range(start, periods=hours, freq="h")
    table = pd.DataFrame(records.site, columns=list(SERIES["site"]))
    table.insert(0, "time", minutes)
    table.insert(1, "element", _elements(["site"], steps))
    loads = [i for i, kind in enumerate(state.kinds) if kind in RECORDED]
    pools = [state.names[i] for i in state.pools.load]
    racks = [world.rack_name(int(r)) for r in records.racks]
    rack_hours = records.rack.copy()
    rack_hours[:, :, 0] /= per_hour[:, None]
    return {
        "site": table,
        **({"rack": _long("rack", stamps, racks, rack_hours)} if racks else {}),
        "hall": _long("hall", stamps, site.hall_names, _hall_hours(records, per_hour)),
        "feeder": _long(
            "feeder", stamps, [site.nodes[i].name for i in site.halls.feeder_node],
            _hall_hours(records, per_hour)[:, :, 1:3],
        ),
        "loop": _long("loop", stamps, [loop.name for loop in site.loops],
                      _loop_hours(records, per_hour)),
        "pool": _long("pool", stamps, pools, _pool_hours(records, per_hour)),
        "job": _long("job", stamps, [state.names[i] for i in loads],
                     _job_hours(records, per_hour)[:, loads]),
    }


def _long(level: str, stamps: pd.DatetimeIndex, names, values: np.ndarray) -> pd.DataFrame:  # type: ignore[no-untyped-def]
    """Return (hours, elements, columns) as rows ordered by time, then element."""
    hours, elements, columns = values.shape
    table = pd.DataFrame(values.reshape(hours * elements, columns), columns=list(SERIES[level]))
    table.insert(0, "time", np.repeat(stamps, elements))
    table.insert(1, "element", _elements(names, hours))
    return table


def _elements(names, times: int) -> pd.Categorical:  # type: ignore[no-untyped-def]
    """Return the names so many times over, each kept once, in alphabetic order."""
    kept = sorted(set(names))
    place = {name: i for i, name in enumerate(kept)}
    codes = np.array([place[name] for name in names], np.int64)
    return pd.Categorical.from_codes(np.tile(codes, times), kept)


def _hall_hours(records: Records, per_hour: np.ndarray) -> np.ndarray:
    values = records.hall.copy()
    values[:, :, :2] /= per_hour[:, None, None]
    return values


def _loop_hours(records: Records, per_hour: np.ndarray) -> np.ndarray:
    values = records.loop.copy()
    for column in (0, 1, 3, 4, 6, 7, 8):
        values[:, :, column] /= per_hour[:, None]
    return values


def _pool_hours(records: Records, per_hour: np.ndarray) -> np.ndarray:
    values = records.pool.copy()
    seconds = per_hour[:, None] * STEP_S
    for column in (ARRIVED, SERVED, SHED, SPILLED, RECEIVED, CAPACITY, REJECTED, STEP_COLUMNS):
        values[:, :, column] /= seconds
    for column in (LOAD_FRAC, LOADING):
        values[:, :, column] /= per_hour[:, None]
    return values


def _job_hours(records: Records, per_hour: np.ndarray) -> np.ndarray:
    held_s, productive_s, speed_s, work_s, running_s = np.moveaxis(records.job, 2, 0)
    seconds = per_hour[:, None] * STEP_S
    with np.errstate(divide="ignore", invalid="ignore"):
        productive = np.where(held_s > 0.0, productive_s / held_s, 0.0)
        speed = np.where(running_s > 0.0, speed_s / running_s, 0.0)
    return np.stack([held_s / seconds, productive, speed, work_s], axis=2)


def events(world: World, start: datetime) -> pd.DataFrame:
    """Return the event table in order of time."""
    table = pd.DataFrame(world.events, columns=list(EVENTS))
    table = table.sort_values("time", kind="stable", ignore_index=True)
    table["time"] = start + pd.to_timedelta(table["time"], unit="s").dt.round("ms")
    return table.astype({"duration_s": float})


def tables(world: World, records: Records) -> dict[str, pd.DataFrame]:
    """Return the small tables that come from the state alone."""
    return {
        "energy": _energy(world.site, world.state, records),
        "heat": _heat(world.site, world.state),
        "heat_sources": _heat_sources(world.site, world.state, records),
        "hours": _hours(world.site, world.state),
        "load_energy": _load_energy(world),
        "plant": _plant(world.site, world.state, records),
        "transformers": _transformers(world, records),
        "generators": _generators(world, records),
        "equipment": pd.DataFrame(world.site.equipment, columns=list(TABLES["equipment"])),
        "racks": _racks(world.site),
        "network": _network(world.site),
    }


def _energy(site: Site, state: State, records: Records) -> pd.DataFrame:
    stored_j = supply_state.stored_j(state.supply) - supply_state.stored_j(supply_state.at_start(site))
    supply = state.supply
    terms = ("poi", "onsite", "it", "cooling", "house")
    rows = [(name, float(j), 0.0) for name, j in zip(terms, records.energy_j, strict=True)]
    rows.append(("storage", 0.0, float(stored_j)))
    rows += [(f"loss.{s}", float(j), 0.0) for s, j in zip(c.STAGES, state.tree.loss_j, strict=True)]
    rows.append(("loss.storage", float(supply.battery_loss_j[0]), 0.0))
    return pd.DataFrame(rows, columns=["element", "energy_j", "stored_j"])


def _transformers(world: World, records: Records) -> pd.DataFrame:
    """Return how hot the main transformers became, and the insulation life that took; the import is
    taken for their load, and units in service share it alike. With a medium-voltage network it is the
    hottest unit: all minutes are raised by what its largest one is above the mean unit's."""
    node, site = world.site.nodes[TRANSFORMERS], records.site
    changed_s = np.array([-1.0, *(t for t, _ in world.transformers_up)])
    up = np.array([node.count, *(n for _, n in world.transformers_up)], float)
    ends_s = STEP_S * np.arange(1, site.shape[0] + 1)
    share = up[np.searchsorted(changed_s, ends_s, "left") - 1] / node.count
    intact = world.state.laws.nodes
    rating_w, sag = intact.rating_w[TRANSFORMERS], intact.sag[TRANSFORMERS]
    loaded = np.divide(site[:, c.POI_W], rating_w * share, np.zeros(share.size), where=share > 0.0)
    loading = current(loaded * _above_mean(world, float(loaded.max())), sag)
    course = lives_used(LARGE.heating, loading, STEP_S, site[:, c.DRY_BULB_C])
    ageing = course.lives * NORMAL_LIFE_S / ends_s[-1]
    row = (node.name, node.count, float(loading.max()), float(course.hot_spot_c.max()), course.lives, ageing)
    return pd.DataFrame([row], columns=list(TABLES["transformers"]))


def _above_mean(world: World, mean: float) -> float:
    """Return the largest loading of any main transformer over that of the mean one."""
    mesh, rating_w = world.state.tree.mesh, world.state.laws.branches.rating_w
    mine = (mesh.stage == TRANSFORMERS) & (rating_w > 0.0)
    if mean <= 0.0 or not mine.any():
        return 1.0
    return max(float((mesh.peak_w[mine] / rating_w[mine]).max()) / mean, 1.0)


def _generators(world: World, records: Records) -> pd.DataFrame:
    plant, state = world.site.topology.generators, world.state.supply.generators
    rows = []
    if plant is not None and plant.sets:
        left_l = float(state.fuel_l[0])
        rows = [("generators", plant.sets, float(records.energy_j[1]),
                 float(state.ran_j[0]) / plant.rating / 3600.0, float(state.used_l[0]),
                 left_l if math.isfinite(left_l) else None)]  # fmt: skip
    return pd.DataFrame(rows, columns=list(TABLES["generators"]))


def _heat(site: Site, state: State) -> pd.DataFrame:
    loops, blocks = state.loops, state.blocks
    tanks = np.flatnonzero(blocks.mass_j_k)
    warmed_j = blocks.mass_j_k * (blocks.coolant_c - state.start_c) + blocks.vapour_j
    return pd.DataFrame({
        "loop": [loop.name for loop in site.loops] + [f"{site.block_names[b]}/tanks" for b in tanks],
        "received_j": np.append(loops.received_j, blocks.received_j[tanks]),
        "rejected_j": np.append(loops.rejected_j, blocks.given_j[tanks]),
        "stored_j": np.append(loops.stored_j, warmed_j[tanks]),
        "reused_j": np.append(loops.reused_j, np.zeros(tanks.size)),
    })


def _heat_sources(site: Site, state: State, records: Records) -> pd.DataFrame:
    """Return the heat that each kind of element made for loops and tanks. What the power chain lost in the last
    minute reaches the air in the next (`HeatState.indoor_w`), and the first minute got what was lost before."""
    it_j, house_j = float(records.energy_j[2]), float(records.energy_j[4])
    fans_j, coolant_pumps_j, loop_pumps_j = (float(j) for j in state.heat.made_j.sum(axis=0))
    waits_j = STEP_S * float((state.heat.indoor_w - state.start_indoor_w).sum())
    rows = [
        ("racks", it_j), ("lights and controls", site.topology.cooling.indoors.house * house_j),
        ("power chain", float(state.tree.indoor_j[0]) - waits_j), ("fans", fans_j),
        ("coolant pumps", coolant_pumps_j), ("loop pumps", loop_pumps_j),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["element", "made_j"])


def _hours(site: Site, state: State) -> pd.DataFrame:
    rows = []
    for i, (name, kind) in enumerate(zip(state.names, state.kinds, strict=True)):
        chip = site.chips[state.chips[i]].name
        shown, group = (kind, "none") if kind in ("idle", "down") else (name, kind)
        for category, seconds in zip(c.CATEGORIES, state.loads.hours[i], strict=True):
            rows.append((shown, group, chip, category, seconds / 3600.0))
    return pd.DataFrame(
        rows, columns=["load", "kind", "accelerator", "category", "accelerator_hours"]
    )


def _load_energy(world: World) -> pd.DataFrame:
    loads = world.state.loads
    drawn_j = loads.energy_j + starting.open_j(world, float(loads.since_s.max()))
    return pd.DataFrame({"load": list(world.state.names), "it_j": drawn_j})


def _plant(site: Site, state: State, records: Records) -> pd.DataFrame:
    """Return every element with a rating: what it may carry, and the most it carried."""
    level = {"lines": "line_bank", "transformers": "transformer_bank", "feeders": "feeder"}
    poi_w = float(records.site[:, c.POI_W].max())
    nameplate_w = site.block_nameplate_w
    rows = [("poi", "poi", site.firm_limit, 1, site.firm_w, site.firm_w, poi_w,
             float(nameplate_w.sum()), "")]
    for i, node in enumerate(site.nodes):
        stage = c.STAGES[node.stage]
        if stage in level:
            parent = "poi" if node.parent < 0 else site.nodes[node.parent].name
            rating_w = float(state.laws.nodes.rating_w[i])
            firm_w = node.firm_w * (rating_w / node.rating_w)
            rows.append((node.name, level[stage], stage, node.count, rating_w, firm_w,
                         float(state.tree.peak_w[i]), 0.0, parent))
    rows += _branches(site, state)
    for b, name in enumerate(site.block_names):
        kind = "support" if site.block_support_w[b] > 0.0 else "substation"
        feeder = site.nodes[site.halls.feeder_node[site.block_hall[b]]].name
        limit_w = float(site.block_limit_w[b])
        rows.append((name, "block", kind, 1, limit_w, limit_w,
                     float(state.blocks.peak_w[b]), float(nameplate_w[b]), feeder))
    for i, loop in enumerate(site.loops):
        peak_w = float(records.loop[:, i, 0].max() / HOUR_STEPS)
        rows.append((loop.name, "loop", loop.kind, loop.units, loop.units * loop.unit_w,
                     (loop.units - 1) * loop.unit_w, peak_w, loop.design_heat_w, ""))
    return pd.DataFrame(rows, columns=[
        "element", "level", "kind", "count", "rating_w", "firm_w", "peak_w", "nameplate_w", "parent",
    ])


def _branches(site: Site, state: State) -> list[tuple[str, str, str, int, float, float, float, float, str]]:
    """Return the lines, transformers and branches of a medium-voltage network one by one."""
    if site.mesh is None:
        return []
    net, rating_w = site.mesh.net, state.laws.branches.rating_w
    return [
        (name, "branch", kind, 1, float(rating_w[k]), float(rating_w[k]),
         float(state.tree.mesh.peak_w[k]), 0.0, net.bus_name[ends[0]])
        for k, (name, kind, ends) in enumerate(zip(net.name, net.kind, net.ends, strict=True))
    ]


def _racks(site: Site) -> pd.DataFrame:
    counts = np.zeros((len(site.hall_names), len(site.rack_types)), np.int64)
    np.add.at(counts, (site.rack_hall, site.rack_type), 1)
    rows = [
        (site.hall_names[h], rack.name, rack.accelerator, int(counts[h, k]),
         int(counts[h, k]) * rack.accelerators, rack.nameplate, "accelerator",
         chip_of(rack).throttle_start)
        for h in range(len(site.hall_names))
        for k, rack in enumerate(site.rack_types)
        if counts[h, k]
    ]
    rows += [
        (site.hall_names[e.hall], e.rack.name, None, e.count, 0, e.nameplate_w, "support", math.nan)
        for e in site.support
    ]
    return pd.DataFrame(rows, columns=list(TABLES["racks"]))


def _network(site: Site) -> pd.DataFrame:
    rows = []
    for fabric in site.fabrics:
        spec, counts = fabric.spec, fabric.counts
        rows += [(fabric.name, t, n, spec.switch_power) for t, n in counts.switches.items() if n]
        modules = {"in switches": counts.switch_optics, "at endpoints": counts.end_optics}
        rows += [(fabric.name, f"optics {at}", n, spec.optic_power) for at, n in modules.items()]
    return pd.DataFrame(rows, columns=["fabric", "tier", "count", "power_w"])


def latency(
    pool: str, x_requests: np.ndarray, wait_requests: np.ndarray, ttft_s: np.ndarray,
    quantiles: np.ndarray, tpot_s: np.ndarray,
) -> pd.DataFrame:
    """Return the year's latency histogram of a pool.

    Requests counted by load are spread over the quantiles of the serving surface at that load;
    those served out of a backlog add the wait to the surface at full load.

    Parameters
    ----------
    x_requests : (grid - 1,) requests by load bin
    wait_requests : (bins,) requests by wait
    ttft_s : (grid, q) time to first token at each load and quantile
    quantiles : (q,)
    tpot_s : (grid, q) time per further token, likewise
    """
    edges = np.geomspace(1e-4, 1e5, 361)
    weights = np.diff(np.concatenate([[0.0], (quantiles[1:] + quantiles[:-1]) / 2.0, [1.0]]))
    waits_s = wait_middles_s(wait_requests.size)
    requests = np.concatenate([
        np.outer(x_requests, weights).ravel(), np.outer(wait_requests, weights).ravel()])
    frames = []
    for name, table_s, later_s in (("ttft", ttft_s, waits_s), ("tpot", tpot_s, 0.0 * waits_s)):
        middle = 0.5 * (table_s[1:] + table_s[:-1])
        values = np.concatenate([middle.ravel(), (later_s[:, None] + table_s[-1][None, :]).ravel()])
        counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges, weights=requests)
        frames.append(pd.DataFrame(
            {"pool": pool, "quantity": name, "upper_s": edges[1:], "requests": counts}))
    return pd.concat(frames, ignore_index=True)


def wait_middles_s(bins: int) -> np.ndarray:
    """Return the middle of each wait bin."""
    return WAIT_FIRST_S * WAIT_RATIO ** (np.arange(bins) + 0.5)


def utc(start: datetime, seconds: float) -> str:
    """Return an ISO time `seconds` after `start`."""
    return (start + timedelta(seconds=round(seconds, 3))).isoformat()
