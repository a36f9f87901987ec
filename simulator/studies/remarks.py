"""What a reader must know about the inputs of a scenario: requests no replica holds, years that do not
belong together, coolant warmer than a rack's maker allows, generators smaller than what UPS hold for them,
a connection smaller than the racks behind it."""

from collections.abc import Iterator

from simulator.components.cooling import CoolantUnit
from simulator.components.sizing import chip_of, rack_named, rack_of
from simulator.scenario import Scenario
from simulator.simulation import weather_of
from simulator.site import compile_site
from simulator.weather import holds_a_wave
from simulator.workloads import ServedModel, inference
from simulator.workloads.trace_demand import trace_of

HOUR_S = 3600.0
TOLD_FRAC = 1e-3
"""Share of requests too long for their pool from which it is told before a run."""


def of_years(scenario: Scenario) -> Iterator[str]:
    """Yield where weather, prices and carbon are not of the same hours, or a heat wave is not in the run."""
    spec, weather = scenario.spec, weather_of(scenario)
    if weather.typical and scenario.series:
        given = " and ".join(scenario.series)
        yield (
            f"economics: {given} of an actual year under the weather of a typical one: hot hours and dear "
            "hours are not those of one year"
        )
    hours = max(int(-spec.period.duration // -HOUR_S), 1)
    if weather.waves and not holds_a_wave(weather, spec.period.start, hours):
        yield "weather: the heat wave lies outside the run's period"


def of_work(scenario: Scenario) -> Iterator[str]:
    """Yield that nothing runs here."""
    if not scenario.spec.workloads:
        yield "workloads: there are none, every accelerator idles"


def of_connection(scenario: Scenario) -> Iterator[str]:
    """Yield that the racks by nameplate are more than the connection carries with everything in service: only
    caps, sheds and racks that draw less keep such a campus within it."""
    topology = scenario.spec.topology
    grid, racks_w = topology.grid, float(compile_site(topology).block_nameplate_w.sum())
    can_w = grid.available_w(grid.lines.units, grid.transformers.units)
    if racks_w > can_w:
        yield (
            f"power: racks take {racks_w * 1e-6:.4g} MW by nameplate, the connection carries {can_w * 1e-6:.4g} MW "
            "with everything in service: caps hold them back where they draw more"
        )


def of_generators(scenario: Scenario) -> Iterator[str]:
    """Yield that the generators carry less than the support racks and pumps behind UPS of all halls at
    their design load."""
    topology = scenario.spec.topology
    plant, cooling = topology.generators, topology.cooling
    if plant is None or not plant.sets:
        return
    site = compile_site(topology)
    support_w = sum(entry.count * entry.nameplate_w for entry in site.support)
    pumps_w = cooling.pumps_on_ups * float(site.block_pump_w.sum())
    pumps_w += cooling.loop_pumps_on_ups * sum(loop.pump_w for loop in site.loops)
    can_w = plant.sets * plant.rating
    if can_w < support_w + pumps_w:
        sets = "the only generator carries" if plant.sets == 1 else f"all {plant.sets} generators carry"
        halls = "1 hall" if len(site.hall_names) == 1 else f"all {len(site.hall_names)} halls"
        yield (
            f"power: {sets} {can_w * 1e-6:.4g} MW, support racks and pumps behind the UPS of {halls} take "
            f"{(support_w + pumps_w) * 1e-6:.4g} MW: without import not all of them outlast their UPS"
        )


def of_coolant(scenario: Scenario) -> Iterator[str]:
    """Yield which halls' cold plates are to get warmer coolant than their rack's maker allows."""
    topology = scenario.spec.topology
    if not isinstance(topology.cooling.coolant_unit, CoolantUnit):
        return  # a tank has no cold plates
    for hall in topology.halls:
        rack = rack_of(topology, hall)
        most_c = rack.coolant_supply_max
        if rack.liquid_cooled and most_c is not None and topology.cooling.supply > most_c:
            yield (
                f"cooling: cold plates of hall '{hall.name}' get {topology.cooling.supply:g} degC, "
                f"{rack.name} is made for {most_c:g} degC at most"
            )


def of_intakes(scenario: Scenario) -> Iterator[str]:
    """Yield in which halls racks without accelerators slow even as everything works: their air is too warm."""
    topology = scenario.spec.topology
    intake_c = topology.cooling.fan_wall.supply_air_c(topology.cooling.chilled_supply)
    for hall in topology.halls:
        for rack in (rack_named(topology, entry.rack) for entry in hall.support):
            if intake_c > rack.intake_throttle:
                yield (
                    f"cooling: {rack.name} of hall '{hall.name}' takes in {intake_c:.3g} degC, and slows from "
                    f"{rack.intake_throttle:g} degC on with all cooling in service"
                )


def of_full_work(scenario: Scenario) -> Iterator[str]:
    """Yield in which halls chips at full power slow even as everything works: their coolant is too warm."""
    topology = scenario.spec.topology
    cooling = topology.cooling
    for hall in topology.halls:
        rack = rack_of(topology, hall)
        chip, own_c = chip_of(rack), cooling.coolant_unit.coolant_c(cooling.supply)
        around_c = own_c if rack.liquid_cooled else cooling.fan_wall.supply_air_c(cooling.chilled_supply)
        leak_w_k, resistance_k_w = rack.leakage_w_k(chip), rack.resistance_k_w(chip)
        cold_w = chip.tdp + leak_w_k * (around_c - chip.leakage_reference)
        chip_c = around_c + resistance_k_w * cold_w / (1.0 - leak_w_k * resistance_k_w)
        if chip_c > chip.throttle_start:
            yield (
                f"cooling: at full power the chips of hall '{hall.name}' would stand at {chip_c:.3g} degC over "
                f"{around_c:.3g} degC, and slow from {chip.throttle_start:g} degC on with all cooling in service"
            )


def of_requests(scenario: Scenario) -> Iterator[str]:
    """Yield what there is to say."""
    for name, file in scenario.traces.items():
        yield from (f"{name}: {file.name}: {told}" for told in trace_of(file).remarks)
    for pool in scenario.spec.workloads:
        if not isinstance(pool, ServedModel) or pool.demand is None:
            continue
        most = inference.most_tokens(pool)
        if pool.name in scenario.traces:
            trace = trace_of(scenario.traces[pool.name])
            long = float((trace.input_tokens + trace.output_tokens > most).mean())
        else:
            long = 1.0 - inference.held(pool, pool.input_tokens, pool.output_tokens).share
        if long >= TOLD_FRAC:
            yield (
                f"{pool.name}: {long:.1%} of its requests are longer than the {most} tokens that a replica "
                "holds, and are rejected"
            )
