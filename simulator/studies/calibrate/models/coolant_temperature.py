"""Temperature of a rack's coolant: approach of the coolant units, thermal mass of the loop."""

from typing import ClassVar, Literal

import numpy as np

from simulator.components.sizing import rack_named, racks_per_block
from simulator.errors import StudyError, nearest
from simulator.scenario import Scenario
from simulator.site import compile_site
from simulator.studies.calibrate.models._base import (
    Array,
    Inputs,
    Quantity,
    TelemetryModel,
    relaxed,
)


class CoolantTemperature(TelemetryModel):
    """The coolant supplied to one block of racks under measured heat and facility water: a lumped
    mass C behind the approach R of its coolant units, C dT/dt = Q - (T - T_facility) / R."""

    kind: Literal["coolant_temperature"]
    hall: str
    """Group of halls whose blocks are like the measured one."""

    predicts: ClassVar[str] = "coolant"
    reads: ClassVar[dict[str, Quantity]] = {
        "coolant": Quantity("degC"), "heat": Quantity("W"), "facility": Quantity("degC"),
    }

    def predict(self, scenario: Scenario, inputs: Inputs) -> Array:
        """Return the mean coolant temperature of each interval in degC."""
        resistance_k_w, mass_j_k = self._lumped(scenario)
        end_c = inputs.values["facility"] + resistance_k_w * inputs.values["heat"]
        return relaxed(end_c, resistance_k_w * mass_j_k, inputs.values["coolant"], inputs)

    def scale(self, inputs: Inputs) -> float:
        """Return the mean rise above the facility's water: a temperature itself has no zero."""
        return float((inputs.values["coolant"] - inputs.values["facility"]).mean())

    def _lumped(self, scenario: Scenario) -> tuple[float, float]:
        """Return R in K/W and C in J/K of one block's coolant."""
        topology = scenario.spec.topology
        groups = {hall.name: hall for hall in topology.halls}
        if self.hall not in groups:
            raise StudyError(f"no halls '{self.hall}'{nearest(self.hall, groups)}")
        hall, site = groups[self.hall], compile_site(topology)
        row = next(i for i, spec in enumerate(site.hall_spec) if spec == hall)
        block = int(np.flatnonzero((site.block_hall == row) & (site.block_coolant_units > 0))[0])
        units = int(site.block_coolant_units[block]) - topology.cooling.coolant_unit.spare_units
        unit = topology.cooling.coolant_unit
        rack = rack_named(topology, hall.rack)
        heat_w = racks_per_block(topology, hall) * rack.nameplate * rack.liquid_fraction
        mass_j_k = unit.thermal_mass_j_k(min(heat_w, units * unit.unit))
        return float(site.block_approach_k_w[block]), mass_j_k
