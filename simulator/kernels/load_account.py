"""Loads over one step: integrals of what their members did, and the account of every
accelerator-second."""

from simulator.kernels.compiled import inlined, shared


@shared
def pace_of(clock, clock_bound_frac):
    """Return the work rate, of full speed, at a share of full clock.

    The part of the time that follows the clock grows as 1/clock; memory and network keep theirs,
    and the two add up: 1 / (f / clock + 1 - f).
    """
    if clock_bound_frac == 0.0:
        return 1.0
    return clock / (clock_bound_frac + (1.0 - clock_bound_frac) * clock)


@inlined
def load_pace(loads, load):
    """Return the work rate of a load under its present clock, caps included."""
    clock = loads.clock[load]
    if loads.cap[load] != 1.0:
        clock *= loads.cap[load] ** (1.0 / loads.power_exponent[load])
    return pace_of(clock, loads.clock_bound_frac[load])


@shared
def complete_loads(loads, end_s):
    """Bring the step integrals of every load up to `end_s`."""
    for load in range(loads.on.size):
        flush_load(loads, load, end_s)


@shared
def flush_load(loads, load, now_s):
    """Bring the step integrals of one load up to `now_s`; call before changing any of its
    columns."""
    elapsed_s = now_s - loads.since_s[load]
    if elapsed_s <= 0.0:
        return
    loads.on_s[load] += loads.on[load] * elapsed_s
    loads.dynamic_s[load] += loads.dynamic_frac[load] * loads.cap[load] * elapsed_s
    if loads.running[load] > 0.0:
        loads.running_s[load] += loads.running[load] * elapsed_s
        loads.paced_s[load] += loads.running[load] * elapsed_s * load_pace(loads, load)
    member_s = loads.count[load] * elapsed_s
    loads.member_s[load] += member_s
    for category in range(loads.share.shape[1]):
        loads.step_hours[load, category] += member_s * loads.share[load, category]
    loads.since_s[load] = now_s


@shared
def account_loads(loads):
    """Add the completed step to the accounts of every load and clear its integrals.

    Productive time splits into useful, waiting for work (idle), lost to heat and lost to caps; the
    four sum to it.
    """
    throttled, capped = 0.0, 0.0
    for load in range(loads.on.size):
        productive, running_s = loads.step_hours[load, 0], loads.running_s[load]
        pace = loads.paced_s[load] / running_s if running_s > 0.0 else load_pace(loads, load)
        busy = productive * loads.busy[load]
        lost = busy * (1.0 - pace)
        heat = lost * _heat_share(loads, load)
        loads.hours[load, 0] += busy - lost
        loads.hours[load, 1] += productive - busy
        loads.hours[load, 7] += heat
        loads.hours[load, 8] += lost - heat
        for category in range(1, loads.hours.shape[1]):
            loads.hours[load, category] += loads.step_hours[load, category]
        loads.work_s[load] += loads.paced_s[load]
        throttled += heat
        capped += lost - heat
    return throttled, capped


@inlined
def _heat_share(loads, load):
    """Return the share of a load's slowdown that is due to heat: of what its clock lost before the
    site's cap, the part that heat took."""
    if loads.clock[load] == 1.0:
        return 0.0
    if loads.cap[load] == 1.0:
        return loads.heat_share[load]
    bound = loads.clock_bound_frac[load]
    lost = 1.0 - load_pace(loads, load)
    before = 1.0 - pace_of(loads.clock[load], bound)
    return loads.heat_share[load] * before / lost if lost > 0.0 else 0.0


@inlined
def capped(loads):
    """Return whether the site caps any load."""
    found = False
    for load in range(loads.cap.size):
        found = found or loads.cap[load] < 1.0
    return found


@shared
def clear_loads(loads):
    """Start a new step."""
    loads.on_s[:] = 0.0
    loads.dynamic_s[:] = 0.0
    loads.running_s[:] = 0.0
    loads.paced_s[:] = 0.0
    loads.member_s[:] = 0.0
    loads.step_hours[:, :] = 0.0
