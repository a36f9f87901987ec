"""Power of racks by what their chips do and how warm they are."""

from numba import njit

from simulator.kernels.compiled import inlined


@inlined
def law_of(i, rows):
    """Return the power law of racks like those of a row, as (chip, host, shelf) coefficients, and the
    share of the way to their settled temperature that their chips go in a step."""
    leak_w_k, rating_w = rows.leakage_w_k[i], rows.shelf_rating_w[i]
    static_w = rows.chip_idle_w[i] - leak_w_k * rows.leakage_ref_c[i]
    return (
        (rows.accelerators[i], static_w, leak_w_k, rows.chip_dynamic_w[i]),
        (rows.host_idle_w[i], rows.host_dynamic_w[i]),
        (rating_w * rows.shelf_no_load[i], 1.0 + rows.shelf_linear[i],
         rows.shelf_load[i] / rating_w),
        rows.decay[i],
    )  # fmt: skip


@njit(cache=True, inline="always")
def power(up, on, dynamic, junction_c, law):
    """Return the power of one chip in service and of its rack in W."""
    chip, host, shelf, _ = law
    chips, static_w, leak_w_k, dynamic_w = chip
    chip_w = on * (static_w + leak_w_k * junction_c) + dynamic * dynamic_w
    dc_w = up * (chips * chip_w + on * host[0] + dynamic * host[1])
    fixed_w = shelf[0] if dc_w > 0.0 else 0.0
    return chip_w, fixed_w + dc_w * (shelf[1] + shelf[2] * dc_w)
