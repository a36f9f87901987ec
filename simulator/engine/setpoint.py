"""What a set-point policy sees, and how a site's two plants are told their set temperatures."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from simulator.components.cooling import LOAD_FRAC, HourlyWeather, PlantSpec
from simulator.components.cooling.setpoint import Setpoint
from simulator.components.sizing import plant_setpoint_c
from simulator.site import Site


@dataclass(frozen=True)
class SetpointView:
    """One plant over a run, by hour (rows) and load (columns); temperatures in degC."""

    sink_c: np.ndarray
    """(hours, 1) The coldest that the plant's water could become: wet bulb, or dry bulb."""
    load_frac: np.ndarray
    """(1, n_x) Heat over the capacity in service; of all of it where groups of units stand."""
    design_load_frac: float
    """That at design heat with every unit in service, spares included: the least of all halls."""
    fixed_c: float
    """Set temperature that serves design heat."""
    lowest_c: float
    """No policy may go below."""
    highest_c: float
    """Nor above: what racks may be supplied with."""
    exchanger_k: float
    """What stands between loop and racks at design heat: coolant supply minus loop water."""
    approach_k: float
    """The policy's own parameter."""
    fullest: float = 1.0
    """Heat over design heat of a hall's fullest block, over that of the hall: the most that it may be."""


Decide = Callable[[SetpointView], np.ndarray]
"""A set-point policy: a pure function to set temperatures broadcastable to (hours, n_x)."""


class Deciders(NamedTuple):
    """The policies of a site's two plants."""

    warm: Decide
    chilled: Decide


def set_temperature(
    site: Site, weather: HourlyWeather, decide: Deciders, kind: str, running: float = 1.0
) -> np.ndarray:
    """Return the set temperatures of the warm or the chilled plant, broadcastable to (hours, n_x), at the loads
    of a share of the units that runs.

    The coolant unit's approach is linear in heat, so `highest_c` of the warm plant is the cold plates'
    supply; fan walls hold their approach, so the chilled plant may not go above its fixed one.
    """
    cooling, load_frac = site.topology.cooling, running * LOAD_FRAC[None, :]
    if kind == "warm":
        fixed_c = plant_setpoint_c(site.topology)
        return decide.warm(_view(site, weather, kind, load_frac, cooling.setpoint, fixed_c, cooling.supply))
    fixed_c = cooling.chilled_supply
    return decide.chilled(_view(site, weather, kind, load_frac, cooling.chilled_setpoint, fixed_c, fixed_c))


def _view(
    site: Site, weather: HourlyWeather, kind: str, load_frac: np.ndarray, spec: Setpoint, fixed_c: float,
    highest_c: float,
) -> SetpointView:
    plant: PlantSpec = getattr(site.topology.cooling, kind)
    loops = [loop for loop in site.loops if loop.kind == kind]
    return SetpointView(
        sink_c=plant.sink_c(weather)[:, None], load_frac=load_frac,
        design_load_frac=min(loop.design_heat_w / (loop.units * loop.unit_w) for loop in loops),
        fixed_c=fixed_c, lowest_c=min(spec.lowest_c(fixed_c), fixed_c), highest_c=highest_c,
        exchanger_k=highest_c - fixed_c, approach_k=spec.approach, fullest=_fullest(site, spec),
    )


def _fullest(site: Site, spec: Setpoint) -> float:
    """Return how much fuller than its hall a block may be: as the set point says, at most all of the
    hall's heat in its smallest block."""
    most = 1.0
    for hall in range(len(site.hall_names)):
        mine = site.block_liquid_w[(site.block_hall == hall) & (site.block_liquid_w > 0.0)]
        most = max(most, float(mine.sum() / mine.min())) if mine.size else most
    return most if spec.uneven is None else min(most, 1.0 + spec.uneven)
