"""Water-cooled chillers behind a waterside economiser, on open cooling towers."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from simulator.components.cooling import psychrometrics
from simulator.components.cooling._base import (
    LOAD_FRAC,
    Array,
    HourlyWeather,
    PlantMap,
    Set,
)
from simulator.components.cooling.chiller_curves import CURVES
from simulator.components.cooling.compressors import Compressors
from simulator.components.cooling.tower_water import TowerAir, TowerWater
from simulator.units import Fraction, NonNegative, Positive, Temperature, TemperatureDelta, Within

_ROUNDING = 1e-9
_ROUNDS, _MORE_ROUNDS = 6, 3  # of the loop heat -> tower -> chiller work -> heat; each gains more than one digit
FAN_SPEEDS = (0.8, 0.65, 0.5, 0.35)
"""Of tower fans, tried beside full speed while chillers run; the cheapest is taken."""
CAPACITY_PER_K = 0.03
"""Growth of a chiller's capacity per K of warmer water: denser suction gas (derived: saturated vapour of R134a, by
Clausius and Clapeyron h M / (Z R T2) = 190 kJ/kg x 0.102 / (0.9 x 8.314 x 285 K squared) = 3.2 % per K; 0.02, the slope
of York's air-cooled set, to 0.04)."""


@dataclass(frozen=True)
class _State:
    """One working point per hour and load; heat and work per W of capacity in service."""

    chilled_frac: Array
    limit_frac: Array
    work_frac: Array
    range_k: Array
    water_c: Array


class ChillerTower(Compressors, TowerWater):
    """Tower water pre-cools the loop in an exchanger; a chiller in series takes what is left.

    `unit` is the heat of one chiller with its towers and pumps.
    """

    kind: Literal["chiller_tower"] = "chiller_tower"
    unit_is: ClassVar[str] = "chiller"
    fans: Annotated[int, Field(ge=0, le=1000)] = TowerWater.model_fields["fans"].default  # `Compressors` has none
    """Tower fans of one unit, one per cell (assumed, 1-4)."""
    condenser_pump: Annotated[Fraction, Within(0.0, 0.1)] = 0.012
    """Condenser pump power over rejected heat at design: 200 kPa at 5.56 K and 70 % (derived)."""
    economiser_approach: Annotated[TemperatureDelta, Positive()] = 2.0
    """Loop water minus tower water at full load of the economiser exchanger (1.5-2.5 K)."""
    curves: Literal["carnot", "york_yk_5170", "york_yt_2233", "carrier_19xr_1410"] = "carnot"
    """`carnot`: the form below at any temperature. Others: that machine's public curves inside their
    range, 4.4 to 12.8 degC of chilled water by set, and Carnot's form from their nearest edge on."""
    carnot_fraction: Annotated[Fraction, Within(0.1, 0.8)] = 0.60
    """Chiller COP over Carnot's (0.55-0.65 for water-cooled centrifugals, assumed)."""
    pinch: Annotated[TemperatureDelta, NonNegative()] = 1.5
    """Refrigerant to leaving water, at evaporator and condenser (1-2 K, assumed)."""
    minimum_lift: Annotated[TemperatureDelta, Within("5 K", "30 K")] = 15.0
    """Smallest condensing minus evaporating temperature the compressor works at (assumed)."""
    condenser_minimum: Annotated[Temperature, Within("5 degC", "30 degC")] = 15.0
    """Coldest water the condensers accept; a bypass and slow fans keep it (assumed)."""
    design_supply: Annotated[Temperature, Within("3 degC", "40 degC")] | None = None
    """Chilled water temperature the chillers are sized for; the set temperature if not given."""
    def sized_for(self, supply_c: float) -> Self:
        """Return the plant with chillers sized for water of `supply_c`, unless it says for which."""
        if self.design_supply is not None:
            return self
        return self.model_copy(update={"design_supply": supply_c})

    def plant_map(self, set_c: Set, weather: HourlyWeather) -> PlantMap:
        """Return supply temperature, power and water by hour and load (see `PlantSpec`)."""
        air = self.tower_air(weather)
        none = np.zeros((len(weather), len(LOAD_FRAC)))
        state = self._working(set_c, air, LOAD_FRAC, none, _ROUNDS)
        speed = self._cheapest(set_c, air, state)
        water_c, airflow = self._slow_fans(set_c, air, state, speed)
        evaporated, blowdown = self.tower_water_kg_j(
            weather, LOAD_FRAC + state.work_frac, water_c + 0.5 * state.range_k, self._rejection(set_c)
        )
        flows = (self.tower_fan * air.density_frac * airflow**3 + self.condenser_pump) * self._rejection(set_c)
        settled_c = self._supply_c(set_c, state)
        return PlantMap(
            load_frac=LOAD_FRAC,
            supply_c=settled_c,
            power_frac=state.work_frac + flows,
            evaporation_kg_j=evaporated,
            blowdown_kg_j=blowdown,
            mechanical_frac=self._mechanical_frac(set_c, state, settled_c),
            asked_frac=state.chilled_frac / state.limit_frac,
        )

    def cop(self, set_c: Set, condenser_c: Array) -> Array:
        """Return the chiller's COP for water leaving evaporator and condenser at these degC.

        COP = phi Te / (Tc - Te) with refrigerant temperatures in K, one pinch beyond the waters.
        Published chiller curves end near 13 degC chilled water; this form holds above it.
        """
        cold = set_c - self.pinch + psychrometrics.KELVIN
        lift = condenser_c + self.pinch + psychrometrics.KELVIN - cold
        return self.carnot_fraction * cold / np.maximum(lift, self.minimum_lift)

    def _full_cop(self, set_c: Set, entering_c: Array, span: Array) -> Array:
        """Return the COP at full load; curves go on from their edge as Carnot's form does."""
        if self.curves == "carnot":
            return self.cop(set_c, entering_c + span)
        found = CURVES[self.curves].cop(set_c, entering_c)
        return found * self._beyond(set_c, entering_c, span)

    def _beyond(self, set_c: Set, entering_c: Array, span: Array) -> Array:
        """Return Carnot's COP here over that at the nearest edge of the curves; 1 inside."""
        water_c, edge_c = CURVES[self.curves].inside(set_c, entering_c)
        return self.cop(set_c, entering_c + span) / self.cop(water_c, edge_c + span)

    def _limit_frac(self, set_c: Set, entering_c: Array, span: Array, cop: Array) -> Array:
        """Return what the chillers carry over what they are sized for, at most 1: a motor sized for
        the design point carries less heat against a higher lift."""
        if self.curves == "carnot":
            return np.minimum(1.0, cop / self._design_cop(set_c))
        curves, there = CURVES[self.curves], self._design_point(set_c)
        here = curves.capacity(set_c, entering_c) * self._beyond(set_c, entering_c, span)
        design = curves.capacity(*there) * self._beyond(*there, np.asarray(self.tower_range))
        return np.minimum(1.0, here / design)

    def _work_frac(self, chilled: Array, limit: Array, cop: Array) -> Array:
        """Return the compressors' work per W of capacity."""
        if self.curves == "carnot":
            return self.loaded_frac(chilled, limit) / cop
        capacity = limit * self.chillers_on(chilled, limit)
        part = self.loaded_frac(chilled, limit) / capacity
        return capacity * CURVES[self.curves].work(part) / cop

    def _design_point(self, set_c: Set) -> tuple[float, Array]:
        """Return chilled water and condenser water entering, in degC, that chillers are sized for."""
        supply = float(np.min(set_c)) if self.design_supply is None else self.design_supply
        return supply, np.asarray(self.design_wet_bulb + self.tower_approach)

    def _design_cop(self, set_c: Set) -> float:
        return float(self._full_cop(*self._design_point(set_c), np.asarray(self.tower_range)))

    def _rejection(self, set_c: Set) -> float:
        """Return the towers' design heat per W of chiller capacity."""
        return 1.0 + 1.0 / self._design_cop(set_c)

    def _working(self, set_c: Set, air: TowerAir, load: Array, work: Array, rounds: int) -> _State:
        """Return the working point with all fans at full speed, from a guess of the chillers' `work`.

        Tower temperature, chiller work and rejected heat depend on each other; the loop gain is
        below 0.1, so a few rounds settle it.
        """
        full_range = self.tower_range / self._rejection(set_c)
        for _ in range(rounds):
            span = (load + work) * full_range
            water = self.coldest_c(air, span)
            entering = np.maximum(water, self.condenser_minimum)
            cop = self._full_cop(set_c, entering, span)
            limit = self._limit_frac(set_c, entering, span, cop)
            missing = water + self.economiser_approach * load - set_c
            chilled = missing / (self.economiser_approach + self.range)
            chilled = np.clip(chilled, 0.0, np.minimum(limit, load))
            work = self._work_frac(chilled, limit, cop)
        return _State(chilled, limit, work, span, water)

    def _cheapest(self, set_c: Set, air: TowerAir, state: _State) -> Array:
        """Return the speed of the fans, (hours, n_x), that costs least with the chillers' work, and set the working
        point to it: where these run or would let the fans slow down, as long as they carry what slower fans leave."""
        speed = np.ones(state.work_frac.shape)
        _, airflow = self._slow_fans(set_c, air, state, speed)
        at = np.nonzero((state.chilled_frac > 0.0) | (airflow > FAN_SPEEDS[-1]))
        if not at[0].size:
            return speed
        sized = self.sized_for(float(np.min(set_c)))
        load, told_c = LOAD_FRAC[at[1]], np.broadcast_to(set_c, speed.shape)[at]
        here = TowerAir(*(column[at[0], 0] for column in air))
        fans = self.tower_fan * here.density_frac * self._rejection(set_c)
        work = state.work_frac[at]
        best = work + fans * airflow[at] ** 3
        for slowed in FAN_SPEEDS:
            slow_air = here._replace(carries_frac=slowed * here.carries_frac)
            found = sized._working(told_c, slow_air, load, work, _MORE_ROUNDS)
            work = found.work_frac
            drawn = found.work_frac + fans * slowed**3
            carried = found.chilled_frac < np.minimum(found.limit_frac, load) * (1.0 - _ROUNDING)
            carried |= (found.chilled_frac >= load) & (load <= found.limit_frac)
            taken = np.flatnonzero(carried & (drawn < best))
            best[taken], cells = drawn[taken], (at[0][taken], at[1][taken])
            speed[cells] = slowed
            for column, value in zip(vars(state).values(), vars(found).values(), strict=True):
                column[cells] = value[taken]
        return speed

    def _slow_fans(self, set_c: Set, air: TowerAir, state: _State, speed: Array) -> tuple[Array, Array]:
        """Return tower water and airflow once fans slow down to what each mode needs.

        Free cooling holds the set temperature behind the exchanger, mechanical cooling no colder than the
        condensers accept; else they turn as fast as is cheapest.
        """
        free = state.chilled_frac <= 0.0
        mechanical = state.chilled_frac >= LOAD_FRAC
        held = np.where(
            free, set_c - self.economiser_approach * LOAD_FRAC, self.condenser_minimum
        )
        slow = (free | mechanical) & (state.water_c < held)
        water = np.where(slow, held, state.water_c)
        return water, np.where(slow, np.minimum(self.airflow(air, state.range_k, water), speed), speed)

    def _supply_c(self, set_c: Set, state: _State) -> Array:
        """Return the loop temperature: the set one, or where an overloaded plant settles.

        A chiller at its limit carries more as its water warms; the exchanger helps once the
        return is warmer than tower water. Both are linear in the supply temperature.
        """
        limit, growth = state.limit_frac, CAPACITY_PER_K
        alone = set_c + (LOAD_FRAC / limit - 1.0) / growth
        span = (self.economiser_approach + self.range) * limit
        exchanger = state.water_c + self.economiser_approach * LOAD_FRAC - span
        helped = (exchanger + span * growth * set_c) / (1.0 + span * growth)
        return np.maximum(set_c, np.minimum(alone, helped))

    def _mechanical_frac(self, set_c: Set, state: _State, settled_c: Array) -> Array:
        """Return the share of the heat that the chillers move; more as an overloaded loop warms."""
        most = state.limit_frac * (1.0 + CAPACITY_PER_K * (settled_c - set_c))
        moved = np.where(settled_c > set_c, np.minimum(most, LOAD_FRAC), state.chilled_frac)
        return moved / LOAD_FRAC
