"""Water of the day: how much was taken, and which hours go without."""

from simulator.kernels.compiled import inlined, shared

HOURS_PER_DAY = 24


@shared
def ration(water, hour):
    """Decide at the start of an hour whether it has water: if what is left of the day's limit covers
    what it wants, were its need met as the last hour's with water was. What needs none goes on."""
    clock = water.start_hour[0] + hour
    if clock % HOURS_PER_DAY == 0:
        water.used_kg[0] = 0.0
    if hour > 0 and water.dry[0] == 0 and water.need_kg[hour - 1] > 0.0:
        water.taken[0] = water.used_kg[1] / water.need_kg[hour - 1]
    water.used_kg[1] = 0.0
    limit_kg = water.limit_kg[clock // HOURS_PER_DAY]
    wanted_kg = water.taken[0] * water.wanted_kg[hour]
    needy = water.need_kg[hour] > 0.0
    short = limit_kg <= 0.0 or (needy and water.used_kg[0] + wanted_kg > limit_kg)
    water.dry[0] = int(short)
    water.dry_hours[hour] = int(short)


@shared
def take(water, kg):
    """Count water withdrawn."""
    water.used_kg[0] += kg
    water.used_kg[1] += kg


@inlined
def rest(water, loops, rejects, units_up):
    """Let plants that reject nothing without water stand for a step that goes without; keep the units
    as they were in `units_up`."""
    if water.dry[0] == 1:
        for i in range(units_up.size):
            units_up[i] = loops.units_up[i]
            if rejects[loops.plant[i]] == 0:
                loops.units_up[i] = 0.0


@inlined
def rise(water, loops, units_up):
    """Put the units back after a `rest`."""
    if water.dry[0] == 1:
        for i in range(units_up.size):
            loops.units_up[i] = units_up[i]
