"""The two loops of a hall and the mechanical substation that feeds them, sized for the heat they carry."""

import math
from functools import cached_property
from typing import NamedTuple

import numpy as np

from simulator.components.cooling import HourlyWeather, PlantSpec
from simulator.components.power.node import SUBSTATIONS, UPS, Node
from simulator.components.sizing import plant_setpoint_c
from simulator.components.topology import Hall, Topology
from simulator.site.arrays import Loop

OWN_ROUNDS = 3
"""Of the sizing of plants that carry the heat of what feeds them: a hundredth of it each."""
DESIGN_DAY = HourlyWeather(np.array([38.0]), np.array([27.0]), np.array([101_325.0]))
"""Weather at which mechanical substations are sized: hot and humid, so that any climate fits."""


class HallPlants(NamedTuple):
    """What cools one hall, and what feeds that."""

    warm: Loop
    chilled: Loop
    substation: Node
    pump_ups: Node
    air_w: float
    """Design heat of the hall's air, with the losses of both."""


class Plants:
    """Sizes the plants of halls."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.pf = topology.grid.power_factor

    def of_hall(
        self, hall: Hall, name: str, feeder: int, first: int, heat: tuple[float, float, float]
    ) -> HallPlants:
        """Return the plants of a hall.

        What substation and pump UPS lose is heat that the same plants carry: it settles in a few rounds.

        Parameters
        ----------
        feeder, first : numbers of the hall's feeders and of the substation, in the power tree
        heat : into coolant and air, and power of the coolant units' pumps, at design load, in W
        """
        cooling, block, ups = self.topology.cooling, self.topology.mechanical, self.topology.ups
        liquid_w, air_w, pumps_w = heat
        warm = self._loop(f"{name}/warm", "warm", cooling.warm, liquid_w + pumps_w)
        own_w = 0.0
        for _ in range(OWN_ROUNDS):
            fan_w = cooling.fan_wall.design_frac() * (air_w + own_w)
            chilled = self._loop(f"{name}/chilled", "chilled", cooling.chilled, air_w + own_w + fan_w)
            design_w = fan_w + hall.house + sum(
                frac * loop.unit_w * loop.units for frac, loop in zip(self.peaks, (warm, chilled), strict=True))
            moved_w = pumps_w + warm.pump_w + chilled.pump_w
            behind_w = pumps_w * cooling.pumps_on_ups
            behind_w += (moved_w - pumps_w) * cooling.loop_pumps_on_ups
            units = math.ceil((design_w + moved_w) / (block.rating * self.pf * block.continuous))
            rating_w, firm_w = ((units + spare) * block.rating * self.pf for spare in (1, 0))
            substation = Node(
                f"{name}/mechanical", feeder, SUBSTATIONS, "transformer_unit", rating_w,
                block.substation.over_real(self.pf), units + 1, firm_w, serves="mechanical",
                design_w=design_w + moved_w, cooling=block.cooling)  # fmt: skip
            built = ups.sized(max(behind_w, 1.0))
            pump_ups = Node(f"{name}/pump ups", first, UPS, "ups", built.rating_w, ups.losses,
                            built.modules, 0.0, built.ride_through_s, built.recharge_w, "mechanical",
                            design_w=behind_w)  # fmt: skip
            own_w = sum(cooling.indoors.share(node) * node.loss.loss_w(out_w, node.rating_w)
                        for node, out_w in ((substation, design_w + moved_w), (pump_ups, behind_w)))  # fmt: skip
        return HallPlants(warm, chilled, substation, pump_ups, air_w + own_w)

    @cached_property
    def peaks(self) -> tuple[float, float]:
        """Most power of the warm and the chilled plant on the design day, per W of its units."""
        cooling, found = self.topology.cooling, []
        for plant, supply_c in (
            (cooling.warm, plant_setpoint_c(self.topology)), (cooling.chilled, cooling.chilled_supply),
        ):
            sized = plant.sized_for(supply_c)
            found.append(float(sized.plant_map(supply_c, DESIGN_DAY).power_frac[0].max()))
        return found[0], found[1]

    def _loop(self, name: str, kind: str, plant: PlantSpec, design_w: float) -> Loop:
        """Return a loop that carries `design_w` and the heat of its own pumps."""
        pump_w = plant.pump * max(design_w, 1.0)
        design_w = max(design_w, 1.0) + pump_w
        duty = plant.duty_units(design_w)
        flow_w_k = plant.heat_capacity_rate_w_k(duty * plant.unit)
        return Loop(name, kind, design_w, plant.unit, duty, duty + plant.spare_units, flow_w_k,
                    plant.tank_s, pump_w)  # fmt: skip
