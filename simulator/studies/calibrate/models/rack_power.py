"""Power of a rack or server from how busy its accelerators are."""

from typing import ClassVar, Literal

import numpy as np

from simulator.components.accelerator import Accelerator
from simulator.components.rack import Rack
from simulator.components.sizing import chip_of, rack_named
from simulator.errors import StudyError, nearest
from simulator.scenario import Scenario
from simulator.site import Site, compile_site
from simulator.studies.calibrate.models._base import Array, Inputs, Quantity, TelemetryModel
from simulator.workloads import BatchWork, SynchronousJob, jobs
from simulator.workloads.step import JobStep


class RackPower(TelemetryModel):
    """A rack that works on a job: chips between idle and TDP with leakage, host, power shelves."""

    kind: Literal["rack_power"]
    rack: str
    """Rack type, of the scenario or the catalog."""
    work: str | None = None
    """Training job or batch work that ran, by name: how busy chips are where no column says so."""
    per: Literal["rack", "server"] = "rack"
    """What one sensor measures."""

    predicts: ClassVar[str] = "power"
    reads: ClassVar[dict[str, Quantity]] = {
        "power": Quantity("W"), "utilization": Quantity("1", needed=False),
        "phase": Quantity("text", needed=False), "coolant": Quantity("degC", needed=False),
    }

    def predict(self, scenario: Scenario, inputs: Inputs) -> Array:
        """Return the power at the rack's or server's input in W."""
        topology = scenario.spec.topology
        rack = rack_named(topology, self.rack)
        chip, busy = chip_of(rack), self._busy(scenario, inputs)
        coolant_c = inputs.values.get("coolant", np.full(busy.shape, coolant_c_of(scenario, rack)))
        whole_w = input_w(rack, chip, busy, coolant_c)
        return np.asarray(whole_w / (rack.servers if self.per == "server" else 1))

    def _busy(self, scenario: Scenario, inputs: Inputs) -> Array:
        """Return the dynamic power of the chips, between idle and TDP, in each interval."""
        if inputs.has("utilization"):
            return inputs.values["utilization"]
        count = len(inputs.time_s)
        phases = {n.partition(".")[2]: v for n, v in inputs.values.items() if n.startswith("phase.")}
        if not phases:
            return np.full(count, _mean_busy(self._work(scenario), scenario))
        step = _step(self._work(scenario), scenario)
        known = {phase.name: phase.dynamic_power_frac for phase in step.phases}
        unknown = next((name for name in phases if name not in known), None)
        if unknown is not None:
            near = nearest(unknown, known)
            raise StudyError(f"{self.work} has no phase '{unknown}'{near}; it has {', '.join(known)}")
        return np.asarray(sum(share * known[name] for name, share in phases.items()))

    def _work(self, scenario: Scenario) -> BatchWork | SynchronousJob:
        if self.work is None:
            raise StudyError("rack_power: give a column `utilization`, or the `work` that ran")
        fit = {w.name: w for w in scenario.spec.workloads if isinstance(w, BatchWork | SynchronousJob)}
        if self.work not in fit:
            raise StudyError(f"no training job or batch work '{self.work}'{nearest(self.work, fit)}")
        return fit[self.work]


def input_w(
    rack: Rack, chip: Accelerator, busy: Array, coolant_c: Array, resistance_frac: Array | float = 1.0
) -> Array:
    """Return the power at a rack's input in W, all of it in service.

    The engine's own law (`kernels.racks`) in the steady state: a chip draws idle + dynamic + leakage
    above its reference, and stands at coolant + R P; R is that of its rack type times `resistance_frac`.
    """
    leak_w_k = rack.leakage_w_k(chip)
    cold_w = chip.idle + leak_w_k * (coolant_c - chip.leakage_reference)
    cold_w = cold_w + busy * (chip.tdp - chip.idle)
    chip_w = cold_w / (1.0 - leak_w_k * resistance_frac * rack.resistance_k_w(chip))
    dc_w = rack.accelerators * chip_w + rack.host_idle + busy * (rack.host_max - rack.host_idle)
    shelf, rating_w = rack.power_shelf, rack.power_shelf_rating
    x = dc_w / rating_w
    return np.asarray(dc_w + rating_w * (shelf.no_load + shelf.linear * x + shelf.load * x * x))


def _mean_busy(work: BatchWork | SynchronousJob, scenario: Scenario) -> float:
    if isinstance(work, BatchWork):
        return work.power
    return _step(work, scenario).dynamic_power_frac


def _step(work: BatchWork | SynchronousJob, scenario: Scenario) -> JobStep:
    if isinstance(work, BatchWork):
        raise StudyError(f"{work.name} is batch work and has no phases")
    site: Site = compile_site(scenario.spec.topology)
    return jobs.step_of(work, site)


def coolant_c_of(scenario: Scenario, rack: Rack) -> float:
    """Return what the chips are cooled with where nobody measured it: coolant, a boiling fluid, or the
    halls' air."""
    cooling = scenario.spec.topology.cooling
    if rack.liquid_fraction >= 0.5:
        return cooling.coolant_unit.coolant_c(cooling.supply)
    return cooling.chilled_supply + float(cooling.fan_wall.approach)
