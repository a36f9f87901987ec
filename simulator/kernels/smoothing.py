"""Storage that takes the swings out of a load: what flows, what is left in it, what is lost."""

from numba import njit


@njit(cache=True)
def exchange(wanted_w, stored_j, capacity_j, power_w, efficiency, dt_s):
    """Return what storage gives (negative: takes) for one sample in W, its charge after it and the
    loss in J.

    Power and charge limit both ways; `efficiency` is one way. Conserves: given x dt + gain + loss = 0.
    """
    if wanted_w >= 0.0:
        given_w = min(wanted_w, power_w, stored_j * efficiency / dt_s)
        after_j = max(stored_j - given_w * dt_s / efficiency, 0.0)
        return given_w, after_j, stored_j - after_j - given_w * dt_s
    taken_w = min(-wanted_w, power_w, (capacity_j - stored_j) / (efficiency * dt_s))
    after_j = min(stored_j + taken_w * efficiency * dt_s, capacity_j)
    return -taken_w, after_j, taken_w * dt_s - (after_j - stored_j)


@njit(cache=True)
def follow(load_w, dt_s, store, control, grid_w, charge_j):
    """Fill what the grid sees of a load behind a battery, and its charge after each sample; return
    the loss in J.

    The grid is to see the load through a first-order lag, and that with at most so much ramp; the
    battery gives the rest, itself behind its response. What it cannot give the grid sees.

    Parameters
    ----------
    load_w, grid_w, charge_j : float64 (samples,)
    store : (power_w, capacity_j, efficiency one way, response_s)
    control : (follows_s, ramp_w_s, centre_s)
        Time constant of what the grid sees, its largest ramp, and the time in which the charge is
        brought back to half.
    """
    power_w, capacity_j, efficiency, response_s = store
    follows_s, ramp_w_s, centre_s = control
    pull = dt_s / max(follows_s, dt_s)
    answer = dt_s / max(response_s, dt_s)
    seen_w, stored_j, command_w, loss_j = load_w[0], 0.5 * capacity_j, 0.0, 0.0
    for j in range(load_w.size):
        step_w = pull * (load_w[j] - seen_w)
        seen_w += min(max(step_w, -ramp_w_s * dt_s), ramp_w_s * dt_s)
        back_w = (0.5 * capacity_j - stored_j) / centre_s
        command_w += answer * (load_w[j] - seen_w - back_w - command_w)
        given_w, after_j, lost_j = exchange(
            command_w, stored_j, capacity_j, power_w, efficiency, dt_s
        )
        loss_j += lost_j
        stored_j = after_j
        grid_w[j] = load_w[j] - given_w
        charge_j[j] = stored_j
    return loss_j
