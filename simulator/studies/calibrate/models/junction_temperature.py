"""Temperature of a rack's chips: thermal resistance to the coolant, leakage, thermal mass."""

from typing import ClassVar, Literal

import numpy as np

from simulator.components.sizing import chip_of, rack_named
from simulator.errors import StudyError
from simulator.scenario import Scenario
from simulator.studies.calibrate.models._base import (
    Array,
    Inputs,
    Quantity,
    TelemetryModel,
    relaxed,
)


class JunctionTemperature(TelemetryModel):
    """The mean chip of a rack over its coolant, C dT/dt = P - (T - T_coolant) / R (`kernels.racks`).

    With the power of a chip measured, that of `power`; else P = idle + k (T - T_ref) + utilization
    (TDP - idle), so that leakage k shows in how much further chips rise than their coolant does.
    """

    kind: Literal["junction_temperature"]
    rack: str
    """Rack type, of the scenario or the catalog."""

    predicts: ClassVar[str] = "junction"
    reads: ClassVar[dict[str, Quantity]] = {
        "junction": Quantity("degC"), "coolant": Quantity("degC"), "power": Quantity("W", needed=False),
        "utilization": Quantity("1", needed=False), "flow": Quantity("1", needed=False),
    }  # fmt: skip

    def predict(self, scenario: Scenario, inputs: Inputs) -> Array:
        """Return the mean junction temperature of each interval in degC.

        `flow` is the coolant's over rated flow: the plate's law makes the resistance of each interval.
        """
        rack = rack_named(scenario.spec.topology, self.rack)
        chip, flow = chip_of(rack), inputs.values.get("flow", np.ones(len(inputs.time_s)))
        plate = np.array([rack.plate.resistance_frac(float(f)) for f in flow])
        resistance_k_w = rack.resistance_k_w(chip) * plate
        if inputs.has("power"):
            static_w, leak_w_k = inputs.values["power"], 0.0
        elif inputs.has("utilization"):
            leak_w_k = rack.leakage_w_k(chip)
            dynamic_w = inputs.values["utilization"] * (chip.tdp - chip.idle)
            static_w = chip.idle - leak_w_k * chip.leakage_reference + dynamic_w
        else:
            raise StudyError("junction_temperature: give a column `power` (of one chip) or `utilization`")
        gain = 1.0 - leak_w_k * resistance_k_w
        end_c = (inputs.values["coolant"] + resistance_k_w * static_w) / gain
        tau_s = float(np.mean(resistance_k_w * chip.heat_capacity / gain))
        return relaxed(end_c, tau_s, inputs.values["junction"], inputs)

    def scale(self, inputs: Inputs) -> float:
        """Return the mean rise above the coolant: a temperature itself has no zero."""
        return float((inputs.values["junction"] - inputs.values["coolant"]).mean())
