"""Computer-room air handlers, with outdoor air where weather allows (air-side economiser)."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import model_validator

from simulator.components.cooling import psychrometrics
from simulator.components.cooling._base import LOAD_FRAC, Array, HourlyWeather
from simulator.components.cooling.air_side import NO_AIR_C, AirMap, AirSide
from simulator.components.kinds import Spec
from simulator.units import Fraction, Temperature, Within


class Economiser(Spec):
    """Dampers that let outdoor air into the hall, and hall air out."""

    lowest_dew_point: Annotated[Temperature, Within("-30 degC", "20 degC")] = -9.0
    """Dew point of the hall below which water is added (ASHRAE TC9.9 2021 recommends -9 degC or
    more, assumed)."""
    highest_dew_point: Annotated[Temperature, Within("0 degC", "27 degC")] = 15.0
    """Dew point of outdoor air above which dampers stay shut (ASHRAE TC9.9 2021 recommends 15 degC
    or less, assumed)."""
    highest_dry_bulb: Annotated[Temperature, Within("0 degC", "45 degC")] = 40.0
    """Outdoor air above which dampers stay shut, whatever the return air (assumed)."""

    @model_validator(mode="after")
    def _window_is_open(self) -> Self:
        if self.lowest_dew_point >= self.highest_dew_point:
            raise ValueError("lowest_dew_point is not below highest_dew_point: no air is let in")
        return self


class Crah(AirSide):
    """Handlers along the walls with fans and coils; with `economiser` they take in outdoor air.

    Air colder than the supply set point is mixed with return air to it, and the coils rest; up to the
    return air all air comes from outdoors and the coils take what is left; beyond it, or with dew
    points outside the window, dampers are shut.
    """

    kind: Literal["crah"] = "crah"
    fan: Annotated[Fraction, Within(0.0, 0.2)] = 0.045
    """Fan power over air heat at design (0.03-0.06, assumed)."""
    economiser: Economiser | None = None
    """Air-side economiser; blank: there is none."""

    def air_map(self, chilled_c: float, weather: HourlyWeather) -> AirMap:
        """Return what outdoor air does at every hour and load (see `AirMap`)."""
        if self.economiser is None:
            return super().air_map(chilled_c, weather)
        supply_c = chilled_c + self.approach
        outdoor_c, humid = weather.dry_bulb_c, self._humidity(weather)
        dry, wet = (self._at_dew(dew, weather) for dew in (
            self.economiser.lowest_dew_point, self.economiser.highest_dew_point))  # fmt: skip
        return_c = supply_c + self.range
        let_in = (humid <= wet) & (outdoor_c < return_c)
        let_in &= outdoor_c <= self.economiser.highest_dry_bulb
        share = np.where(let_in, np.clip((return_c - outdoor_c) / self.range, 0.0, 1.0), 0.0)
        mixed = np.where(let_in, np.minimum(self.range / (np.maximum(return_c - outdoor_c, 1e-9)), 1.0), 0.0)
        water = mixed * np.maximum(dry - humid, 0.0) / (psychrometrics.AIR_SPECIFIC_HEAT_J_KGK * self.range)
        return AirMap(
            outdoor_frac=np.tile(share[:, None], (1, len(LOAD_FRAC))),
            water_kg_j=water[:, None] * LOAD_FRAC,
            supply_c=np.where(let_in, np.maximum(outdoor_c, supply_c), NO_AIR_C),
        )

    def _humidity(self, weather: HourlyWeather) -> Array:
        """Return kg of water per kg of dry outdoor air."""
        return psychrometrics.humidity_from_wet_bulb(
            weather.dry_bulb_c, weather.wet_bulb_c, weather.pressure_pa
        )

    def _at_dew(self, dew_c: float, weather: HourlyWeather) -> Array:
        """Return the humidity of air with this dew point."""
        vapour = psychrometrics.saturation_pressure_pa(dew_c)
        return psychrometrics.humidity_ratio(vapour, weather.pressure_pa)
