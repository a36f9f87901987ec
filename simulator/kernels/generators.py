"""Generators over one step: what they could carry, what they carry, the fuel they burn."""

from simulator.kernels.compiled import inlined


@inlined
def ready(plant, now_w, dt_s):
    """Return the mean power in W that the bus could carry over the step that ends now, with
    `now_w` at its end; what came late in the step is not counted before it came."""
    ready_w = max(now_w - plant.late_j[0] / dt_s, 0.0)
    plant.late_j[0] = 0.0
    return ready_w


@inlined
def burn(plant, wanted_w, dt_s):
    """Return the mean power in W that the fuel suffices for, `wanted_w` or less, and burn it.

    Consumption is affine in output, a R + b P with R the rating of the sets that run; deliveries
    come evenly. With fuel for a share of the step the sets run for that share of it.
    """
    running_j = max(plant.running_w[0] * dt_s - plant.running_late_j[0], 0.0)
    plant.running_late_j[0] = 0.0
    needed_l = plant.no_load_l_j * running_j + plant.slope_l_j * wanted_w * dt_s
    there_l = plant.fuel_l[0] + plant.inflow_l_s[0] * dt_s
    share = 1.0 if needed_l <= there_l else there_l / needed_l
    plant.fuel_l[0] = min(max(there_l - share * needed_l, 0.0), plant.capacity_l)  # below only by rounding
    if plant.fuel_l[0] >= plant.capacity_l:
        plant.inflow_l_s[0] = 0.0
    plant.used_l[0] += share * needed_l
    plant.ran_j[0] += share * running_j
    plant.share[0] = share
    return share * wanted_w
