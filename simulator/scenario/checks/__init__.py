"""What no single field can know: one short function per question, asked of what is valid.

Each check yields (path, message); a check whose parts are not valid is not asked.
"""

from collections.abc import Callable, Iterator

from simulator.documents import Document
from simulator.scenario.checks import (
    coolant,
    cooling,
    distillation,
    distribution,
    equipment,
    fabric,
    fleet,
    incidents,
    jobs,
    market,
    medium_voltage,
    model_tests,
    names,
    operations,
    period,
    power,
    racks,
    recovery,
    routing,
    waveform,
    work,
)
from simulator.scenario.checks.plant import Plant, plant_of
from simulator.scenario.mending import mended
from simulator.scenario.parts import Parts
from simulator.scenario.wording import Trouble

OF_PARTS: tuple[Callable[[Parts], Iterator[Trouble]], ...] = (
    names.unknown,
    names.duplicate,
    names.unusable,
    names.unknown_recorded_halls,
    racks.inconsistent,
    racks.misplaced,
    cooling.chilled_above_warm,
    cooling.below_reach,
    cooling.coils_out_of_reach,
    cooling.unknown_setpoint,
    cooling.lowest_above_fixed,
    cooling.unused_setpoint,
    cooling.unused_drives,
    cooling.too_cold_for_users,
    cooling.drought_after_the_run,
    coolant.pressure,
    coolant.above_boiling,
    power.odd_battery,
    medium_voltage.names,
    medium_voltage.halls,
    medium_voltage.loops,
    medium_voltage.without_return,
    distribution.unmapped_blocks,
    distribution.no_return_feed,
    distribution.unused_figures,
    equipment.uncounted,
    equipment.battery_rates,
    equipment.generator_block,
    equipment.generator_fuel,
    equipment.generator_starts,
    equipment.eco_mode,
    power.unknown_capping,
    period.odd_period,
    recovery.intervals,
    recovery.costs,
    recovery.policies,
    work.pool_bounds,
    work.longer_than_context,
    work.images,
    jobs.impossible_plan,
    jobs.odd_iterations,
    model_tests.unknown_job,
    model_tests.when,
    model_tests.impossible_rollouts,
    model_tests.impossible_scorer,
    work.impossible_pool,
    fleet.spill,
    fleet.schedule,
    fleet.languages,
    routing.class_names,
    routing.pools_without_requests,
    routing.unknown_pools,
    routing.routes,
    distillation.too_few_texts,
    distillation.takes_over,
    incidents.unknown_cause,
    incidents.odd_time,
    operations.missing_crews,
    operations.odd_parts,
    operations.repeated,
    operations.too_late,
    waveform.windows,
)
OF_PLANT: tuple[Callable[[Parts, Plant], Iterator[Trouble]], ...] = (
    racks.disconnected,
    racks.overloaded_blocks,
    distribution.lost_with_one_out,
    medium_voltage.overloaded_branches,
    medium_voltage.collapsing,
    power.feeders_below_racks,
    power.connection_below_halls,
    power.connection_oversubscribed,
    power.connection_far_above_halls,
    power.contract_above_equipment,
    power.idle_above_firm_import,
    power.house_above_racks,
    power.mechanical_far_below_halls,
    equipment.generators_below_ups,
    equipment.ups_with_one_out,
    equipment.too_few_sets,
    equipment.rack_batteries,
    equipment.ramp_below_a_rack,
    cooling.above_chip_limit,
    cooling.intake_above_limit,
    cooling.beyond_the_doors,
    coolant.too_little_flow,
    coolant.head_below_loop,
    work.chip_not_installed,
    jobs.unknown_halls,
    fabric.unknown_ends,
    fabric.apart,
    fabric.sites,
    jobs.job_does_not_fit,
    recovery.tiers,
    recovery.storage,
    work.pool_does_not_fit,
    routing.traces,
    model_tests.test_does_not_fit,
    model_tests.unknown_support,
    model_tests.shared_racks,
    incidents.unknown_element,
    operations.unknown_halls,
    operations.endless_turns,
)


def run(parts: Parts, document: Document) -> Iterator[Trouble]:
    """Yield everything wrong with the parts, and between them."""
    found = list(_within(parts))
    yield from found
    repaired, left_out = mended(parts)
    known, keys = {path for path, _ in found}, ", ".join(f"'{path[-1]}'" for path in left_out)
    for path, told in _within(repaired) if left_out else ():
        if path not in known and not any(path[: len(out)] == out for out in left_out):
            yield path, f"{told} (with {keys} left out)"
    yield from period.weather(parts, document)
    yield from market.series(parts, document)
    yield from cooling.frozen(parts, document)
    yield from fleet.traces(parts, document)


def _within(parts: Parts) -> Iterator[Trouble]:
    """Yield everything wrong that the parts themselves tell, without files beside them."""
    for check in OF_PARTS:
        yield from check(parts)
    plant = plant_of(parts)
    if plant is not None:
        yield from _of_plant(parts, plant)


def _of_plant(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Yield what is wrong with the plant; one of absurd size, or with a fabric that cannot be laid,
    is asked nothing further."""
    absurd = list(racks.too_many(plant)) or list(fabric.too_small(plant))
    yield from absurd
    for check in () if absurd else OF_PLANT:
        yield from check(parts, plant)
