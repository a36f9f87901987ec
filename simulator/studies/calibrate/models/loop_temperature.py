"""Temperature of a plant's water loop: what the plant reaches in this weather, behind the loop's mass."""

from typing import ClassVar, Literal

from simulator.engine.cooling import plant_maps
from simulator.errors import StudyError, nearest
from simulator.policies import setpoint
from simulator.scenario import Scenario
from simulator.site import compile_site
from simulator.studies.calibrate.models._base import (
    Array,
    Inputs,
    Quantity,
    TelemetryModel,
    relaxed,
)
from simulator.studies.calibrate.models._outdoors import WEATHER, at_load, weather_of

PLANTS = ("warm", "chilled")


class LoopTemperature(TelemetryModel):
    """The water that a hall's plant supplies under measured heat and weather, as in
    `kernels.cooling`: C dT/dt = G (T_plant - T) with C = G x tank."""

    kind: Literal["loop_temperature"]
    loop: str
    """Hall and loop, for example `pod/warm`."""

    predicts: ClassVar[str] = "supply"
    reads: ClassVar[dict[str, Quantity]] = {
        "supply": Quantity("degC"), "heat": Quantity("W"), **WEATHER,
    }

    def predict(self, scenario: Scenario, inputs: Inputs) -> Array:
        """Return the mean supply temperature of each interval in degC."""
        site = compile_site(scenario.spec.topology)
        loops = {loop.name: loop for loop in site.loops}
        if self.loop not in loops:
            raise StudyError(f"no loop '{self.loop}'{nearest(self.loop, loops)}")
        loop = loops[self.loop]
        maps = plant_maps(site, weather_of(inputs, self.kind), setpoint.chosen(site.topology))
        table_c = maps.supply_c[PLANTS.index(loop.kind)]
        end_c = at_load(table_c, inputs.values["heat"] / (loop.units * loop.unit_w))
        return relaxed(end_c, loop.tank_s, inputs.values["supply"], inputs)

    def scale(self, inputs: Inputs) -> float:
        """Return the mean distance from the air outside: a temperature itself has no zero."""
        return float(abs(inputs.values["supply"] - inputs.values["dry_bulb"]).mean())
