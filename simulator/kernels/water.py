"""Water of the day: how much was taken, and which hours go without."""

from numba import njit

HOURS_PER_DAY = 24


@njit(cache=True)
def ration(water, hour):
    """Decide at the start of an hour whether it has water: if the day's limit holds another hour like
    the last one that had."""
    clock = water.start_hour[0] + hour
    if clock % HOURS_PER_DAY == 0:
        water.used_kg[0] = 0.0
    if hour > 0 and water.dry[0] == 0:
        water.last_kg[0] = water.used_kg[1]
    water.used_kg[1] = 0.0
    limit_kg = water.limit_kg[clock // HOURS_PER_DAY]
    short = limit_kg <= 0.0 or water.used_kg[0] + water.last_kg[0] > limit_kg
    water.dry[0] = int(short)
    water.dry_hours[hour] = int(short)


@njit(cache=True)
def take(water, kg):
    """Count water withdrawn."""
    water.used_kg[0] += kg
    water.used_kg[1] += kg


@njit(cache=True)
def rest(water, loops, rejects):
    """Let plants that reject nothing without water stand for the step; return the units as they were."""
    units_up = loops.units_up.copy()
    if water.dry[0] == 1:
        for i in range(units_up.size):
            if rejects[loops.plant[i]] == 0:
                loops.units_up[i] = 0.0
    return units_up
