"""The path of heat of one hall at a moment of a run, as masses in series (`cooling/course.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from simulator.components.cooling import LOAD_FRAC, LOAD_STEP
from simulator.components.cooling.course import Hall, Immersed
from simulator.components.cooling.course_air import Air
from simulator.components.cooling.course_parts import Heat, Water
from simulator.components.cooling.hot_chip import Chip
from simulator.components.cooling.rack_side import Bath
from simulator.engine import draw
from simulator.engine.coolant import chip_now, rack_of
from simulator.engine.heat_limits import hall_air_w
from simulator.engine.settled import delivered_c
from simulator.kernels import columns as c
from simulator.kernels.hall_air import coil_k
from simulator.kernels.site_step import HOUR_STEPS
from simulator.simulation import Run


@dataclass(frozen=True)
class Place:
    """A hall, seen from its hottest chip."""

    hall: int
    block: int
    liquid: bool
    """Whether its chips sit on coolant."""
    path: Hall
    working_w: float
    """Power of the hall's racks that follows their work: what control may let go of."""
    block_working_w: float
    """The same of the block alone."""


def places(run: Run) -> list[Place]:
    """Return the hall with the hottest chip of each group of halls."""
    site, racks = run.world.site, run.world.state.racks
    of = draw.draw_of(run.world)
    found = []
    for spec in site.topology.halls:
        halls = np.flatnonzero([each == spec for each in site.hall_spec])
        mine = np.flatnonzero(np.isin(site.rack_hall, halls) & (racks.up_frac > 0.0))
        if mine.size:
            rack = int(mine[np.argmax(racks.junction_c[mine])])
            found.append(_place(run, rack, of))
    return found


def _place(run: Run, rack: int, of: draw.Draw) -> Place:
    site, state = run.world.site, run.world.state
    hall, block = int(site.rack_hall[rack]), int(site.rack_block[rack])
    liquid = bool(site.rows.liquid_cooled[site.rack_row[rack]])
    caps = state.loads.cap[None, :] * state.blocks.load_cap
    working_w = (of.dynamic_w * caps).sum(axis=1)
    blocks = np.flatnonzero(site.block_hall == hall)
    path = _liquid(run, rack, working_w) if liquid else _air(run, rack, working_w)
    return Place(hall, block, liquid, path, float(working_w[blocks].sum()), float(working_w[block]))


def _mean(run: Run, rack: int) -> tuple[Chip, float]:
    """Return the mean chip beside a rack, under the same load in the same hall, and how hot it is."""
    site, racks = run.world.site, run.world.state.racks
    beside = (site.rack_hall == site.rack_hall[rack]) & (racks.load == racks.load[rack])
    flowing = run.world.state.blocks.resistance_frac[site.rack_block[beside]]
    chip = chip_now(run.world, rack, float((flowing * racks.resistance_k_w[beside]).mean()))
    return chip, float(racks.junction_c[beside].mean())


def _split(heat_w: float, working_w: float, drawn_w: float, more_w: float = 0.0) -> Heat:
    """Return heat of racks that draw `drawn_w`, `working_w` of it by their work, and of pumps."""
    share = working_w / drawn_w if drawn_w > 0.0 else 0.0
    return Heat(heat_w * (1.0 - share) + more_w, heat_w * share)


def _liquid(run: Run, rack: int, working_w: np.ndarray) -> Hall:
    site, state = run.world.site, run.world.state
    hall, block = int(site.rack_hall[rack]), int(site.rack_block[rack])
    loop, blocks = int(site.halls.liquid_loop[hall]), state.blocks
    inside = np.flatnonzero((site.block_hall == hall) & (blocks.liquid_w > 0.0))
    liquid_w, drawn_w = float(blocks.liquid_w[inside].sum()), float(blocks.it_w[inside].sum())
    mean, mean_c = _mean(run, rack)
    of_block, plate = float(blocks.liquid_w[block]), float(blocks.resistance_frac[block])
    pumps_w = max(float(state.plant_w[hall, 2]) - liquid_w, 0.0)
    row_j_k, approach = float(state.heat.row_j_k[block]), float(blocks.approach_k_w[block])
    return Hall(
        chip_now(run.world, rack, plate * float(state.racks.resistance_k_w[rack])), mean,
        float(state.racks.junction_c[rack]), mean_c,
        _split(of_block, float(working_w[block]), float(blocks.it_w[block])), row_j_k, approach,
        row_j_k * approach, _split(liquid_w, float(working_w[inside].sum()), drawn_w, pumps_w),
        _water(run, loop), tank=_tank(run, block), air=_air_of(run, hall, working_w),
        row_pump_w=float(blocks.pump_w[block]),
    )  # fmt: skip


def _tank(run: Run, block: int) -> Immersed | None:
    """Return the tank in which a block's racks stand, as it is; None where they do not."""
    site, blocks = run.world.site, run.world.state.blocks
    spec, mass_j_k = site.topology.cooling.coolant_unit, float(blocks.mass_j_k[block])
    if mass_j_k == 0.0:
        return None
    bath = Bath(mass_j_k, float(blocks.latent_j[block]), float(blocks.boiling_c[block]))
    still = spec.resistance_frac(rack_of(site, block).plate, 0.0) / float(blocks.resistance_frac[block])
    return Immersed(bath, float(blocks.coolant_c[block]), float(blocks.vapour_j[block]),
                    float(blocks.pump_w[block]), still)  # fmt: skip


def _air(run: Run, rack: int, working_w: np.ndarray) -> Hall:
    """Return the path of chips in air: they give their heat to the hall's, and that to the chilled loop."""
    beside = _air_of(run, int(run.world.site.rack_hall[rack]), working_w)
    mean, mean_c = _mean(run, rack)
    return Hall(
        chip_now(run.world, rack, float(run.world.state.racks.resistance_k_w[rack])), mean,
        float(run.world.state.racks.junction_c[rack]), mean_c, beside.racks, beside.mass_j_k, 0.0, 0.0, beside.racks,
        beside.water, air=beside, in_air=True,
    )  # fmt: skip


def _air_of(run: Run, hall: int, working_w: np.ndarray) -> Air:
    """Return the air of a hall and its chilled loop."""
    site, state = run.world.site, run.world.state
    heat, blocks, loop = state.heat, state.blocks, int(site.halls.air_loop[hall])
    inside = np.flatnonzero(site.block_hall == hall)
    full_w, at_work_w = blocks.support_w[inside], blocks.support_w[inside] * blocks.support_share[inside]
    air_w, support_w = hall_air_w(run.world, hall), float(at_work_w.sum())
    racks_w = float(blocks.air_w[inside].sum()) - support_w
    drawn_w = float(blocks.it_w[inside].sum()) - support_w
    design_w = float(site.halls.fan_design_heat_w[hall])
    outdoors, outdoor_c = _let_in(run, air_w / design_w)
    fans_w = partial(_fans_w, site.halls.fan_power_frac[hall], design_w)
    given_w = (air_w + fans_w(air_w, float(heat.fans[loop]))) * (1.0 - outdoors)
    return Air(
        intake_c=float(state.hall_air_c[hall]), told_c=float(heat.air_set_c[hall]),
        mixed_k=float(heat.air_mixed_k[hall]), mass_j_k=float(heat.air_j_k[hall]),
        range_k=float(heat.air_range_k[hall]), design_w=design_w, full=float(heat.air_full[hall]),
        racks=_split(racks_w, float(working_w[inside].sum()), drawn_w, air_w - racks_w - support_w),
        support_w=float(full_w.sum()), support_share=support_w / float(full_w.sum()) if full_w.any() else 1.0,
        support_c=(float(blocks.support_c[inside, 0].min()), float(blocks.support_c[inside, 1].min())),
        off_c=float(site.rows.intake_c[site.rows.hall == hall].min()),
        fans_w=fans_w, pumps_w=max(float(state.plant_w[hall, 3]) - given_w, 0.0), water=_water(run, loop),
        open_k=partial(_open_k, site.halls.coil_k, design_w), outdoor_c=outdoor_c, outdoors=outdoors,
        envelope_w_k=float(heat.envelope_w_k[hall]),
        loses_above_c=max(minute_w(run, c.DRY_BULB_C), float(heat.air_set_c[hall])),
    )  # fmt: skip


def _fans_w(table: np.ndarray, design_w: float, heat_w: float, fans: float) -> float:
    """Return what a share of a hall's fans draws that moves all of a heat, in W."""
    return fans * design_w * float(np.interp(heat_w / design_w / fans, LOAD_FRAC, table)) if fans > 0.0 else 0.0


def _open_k(table: np.ndarray, design_w: float, heat_w: float, fans: float, flow: float) -> float:
    """Return how far above their water the coils of a share of a hall's units leave the air, their valves open."""
    return float(coil_k(table, heat_w / design_w / fans, flow, LOAD_STEP))


def _let_in(run: Run, load: float) -> tuple[float, float]:
    """Return the share of a hall's heat at a load that outdoor air takes, and the supply air it alone holds."""
    air, (hour, part) = run.physics.outdoors.air, divmod(run.physics.step - 1, HOUR_STEPS)
    at = (part + 0.5) / HOUR_STEPS
    table = air.share[0, hour] + (air.share[0, hour + 1] - air.share[0, hour]) * at
    return float(np.interp(load, LOAD_FRAC, table)), float(air.supply_c[hour : hour + 2].max())


def _water(run: Run, loop: int) -> Water:
    """Return a loop's water, and what its plant delivers at this hour."""
    loops, maps = run.world.state.loops, run.physics.maps
    hour, part = divmod(run.physics.step - 1, HOUR_STEPS)
    before_c, after_c = maps.supply_c[int(loops.plant[loop]), hour : hour + 2]
    table = before_c + (after_c - before_c) * ((part + 0.5) / HOUR_STEPS)
    flow_w_k = float(loops.flow_w_k[loop])
    capacity_w = float(loops.units_up[loop] * loops.unit_w[loop])
    plant = partial(_delivers_c, table, capacity_w, flow_w_k)
    return Water(float(loops.supply_c[loop]), flow_w_k * float(loops.tank_s[loop]), flow_w_k, plant)


def _delivers_c(table: np.ndarray, capacity_w: float, flow_w_k: float, heat_w: float, share: float) -> float:
    """Return the water in degC that a share of the plant's units delivers under a heat."""
    return delivered_c(table, capacity_w * share, flow_w_k, heat_w)


def minute_w(run: Run, column: int = c.IT_W) -> float:
    """Return a column of the last minute's record, a power in W unless another is asked for."""
    return float(run.records.site[run.physics.step - 1, column])
