"""Dry cooler: water to outdoor air through finned coils."""

from typing import Any, ClassVar, Literal

from pydantic import model_validator

from simulator.components.cooling._base import HourlyWeather, PlantMap, Set
from simulator.components.cooling.coil_cooler import NO_PADS, CoilCooler

OF_PADS = ("adiabatic_effectiveness", "adiabatic_start", "cycles_of_concentration")


class DryCooler(CoilCooler):
    """Coils in outdoor air as it is; takes no water."""

    kind: Literal["dry_cooler"] = "dry_cooler"
    unit_is: ClassVar[str] = "dry cooler"

    @model_validator(mode="before")
    @classmethod
    def _no_pads(cls, given: Any) -> Any:
        asked = [key for key in OF_PADS if isinstance(given, dict) and key in given]
        if asked:
            raise ValueError(
                f"a dry_cooler has no wetted pads ({', '.join(asked)}): that is the kind "
                "`adiabatic_dry_cooler`, with `saturation_effectiveness` and `switch`"
            )
        return given

    def plant_map(self, set_c: Set, weather: HourlyWeather) -> PlantMap:
        """Return supply temperature and fan power by hour and load (see `PlantSpec`)."""
        return self._behind(weather.dry_bulb_c, set_c, weather, NO_PADS)
