"""Rows of equal accelerator racks as the columns that the kernels work on."""

import numpy as np

from simulator.components.rack import Rack
from simulator.components.sizing import chip_of
from simulator.kernels.columns import RowSite
from simulator.kernels.site_step import STEP_S


def row_columns(rows: np.ndarray, types: list[Rack]) -> RowSite:
    """Return what the kernels need of each row.

    Parameters
    ----------
    rows : int64 (rows, 5)
        First rack, one past the last, block, hall and type of rack.
    types : (rows,)
        The rack each row is made of.
    """
    chips = [chip_of(rack) for rack in types]

    def of_rack(get) -> np.ndarray:  # type: ignore[no-untyped-def]
        return np.array([float(get(t)) for t in types])

    def of_chip(get) -> np.ndarray:  # type: ignore[no-untyped-def]
        return np.array([float(get(c)) for c in chips])

    pairs = zip(types, chips, strict=True)
    settled = [
        (rack.resistance_k_w(chip) * chip.heat_capacity, rack.leakage_w_k(chip)) for rack, chip in pairs
    ]
    tau_s, leakage_w_k = np.array(settled, float).reshape(-1, 2).T
    first = np.flatnonzero(np.diff(rows[:, 4], prepend=-1))
    return RowSite(
        start=rows[:, 0].copy(),
        stop=rows[:, 1].copy(),
        block=rows[:, 2].copy(),
        hall=rows[:, 3].copy(),
        accelerators=of_rack(lambda t: t.accelerators),
        chip_idle_w=of_chip(lambda c: c.idle),
        chip_dynamic_w=of_chip(lambda c: c.tdp - c.idle),
        leakage_w_k=leakage_w_k.copy(),
        leakage_ref_c=of_chip(lambda c: c.leakage_reference),
        host_idle_w=of_rack(lambda t: t.host_idle),
        host_dynamic_w=of_rack(lambda t: t.host_max - t.host_idle),
        shelf_rating_w=of_rack(lambda t: t.power_shelf_rating),
        shelf_no_load=of_rack(lambda t: t.power_shelf.no_load),
        shelf_linear=of_rack(lambda t: t.power_shelf.linear),
        shelf_load=of_rack(lambda t: t.power_shelf.load),
        liquid_frac=of_rack(lambda t: t.liquid_fraction),
        liquid_cooled=np.array([int(t.liquid_cooled) for t in types]),
        decay=-np.expm1(-STEP_S / tau_s),
        heat_capacity_j_k=of_chip(lambda c: c.heat_capacity),
        throttle_start_c=of_chip(lambda c: c.throttle_start),
        throttle_full_c=of_chip(lambda c: c.throttle_full),
        shutdown_c=of_chip(lambda c: c.shutdown),
        hysteresis_k=of_chip(lambda c: c.throttle_hysteresis),
        hbm_rise=of_chip(lambda c: c.hbm_rise),
        hbm_throttle_c=of_chip(lambda c: c.hbm_throttle),
        hbm_full_c=of_chip(lambda c: c.hbm_throttle + c.throttle_full - c.throttle_start),
        hbm_shutdown_c=of_chip(lambda c: c.hbm_throttle + c.shutdown - c.throttle_start),
        intake_c=of_rack(lambda t: t.intake_shutdown),
        power_exponent=of_chip(lambda c: c.power_exponent),
        segment_row=np.append(first, len(rows)),
    )
