"""Frontier's power chain, built as a site: 74 cabinets under 25 coolant units."""

from simulator.components import from_catalog
from simulator.components.topology import Topology
from simulator.engine import state
from simulator.engine.state import Load
from simulator.kernels import load_account, racks
from simulator.kernels.site_step import STEP_S
from simulator.site import compile_site

CABINETS, TOGETHER = 74, 3
"""Cabinets, and how many share a coolant unit (ExaDigiT/RAPS, frontier.yaml)."""
UNIT_W = 8473.0
"""Pumps of a coolant unit, all the time (the same)."""
CABINET = "FRONTIER-CABINET"
FABRIC = {
    "kind": "dragonfly", "p": 16, "a": 32, "h": 16, "port_bandwidth": "200 Gb/s",
    "hop_latency": "500 ns", "switch_power": "0 W", "optic_power": "0 W",
}  # fmt: skip
"""Slingshot: a cabinet is a group; its switches' power is in the cabinet's own budget."""
BLOCK = {"rating": "2 MVA", "substation": {}, "busway": {}}


def topology() -> Topology:
    """Return Frontier's cabinets and coolant units; what feeds and cools them from outside is not
    part of its published total and without losses here."""
    heat_w = TOGETHER * from_catalog.rack(CABINET).nameplate
    whole, rest = divmod(CABINETS, TOGETHER)
    hall = {
        "rack": CABINET, "block": BLOCK,
        "feeders": {"count": 4, "rating": "20 MVA"},
    }
    groups = [
        {"name": "whole", "blocks": whole, "racks_per_block": TOGETHER} | hall,
        {"name": "rest", "blocks": 1, "racks_per_block": rest} | hall,
    ]
    plant = {"kind": "dry_cooler", "unit": "2 MW", "range": "10 K", "tank": "5 min", "pump": "0 %"}
    return Topology.model_validate({
        "name": "Frontier",
        "grid": {
            "voltage": "13.8 kV", "lines": {"count": 2, "rating": "60 MVA"},
            "transformers": {"count": 2, "rating": "60 MVA"},
        },
        "ups": {"loss": {}, "ride_through": "0 s"},
        "mechanical": BLOCK,
        "cooling": {
            "supply": "32 degC", "warm": plant, "chilled_supply": "20 degC", "chilled": plant,
            "coolant_unit": {"unit": f"{heat_w:.0f} W", "pump": f"{100.0 * UNIT_W / heat_w:.6f} %"},
            "fan_wall": {},
        },
        "fabric": FABRIC,
        "halls": groups,
    })  # fmt: skip


def total_w(dynamic_frac: float) -> float:
    """Return the draw of all cabinets and coolant units with chips and hosts at one dynamic power."""
    site = compile_site(topology())
    given = state.build(site, [Load("all", "batch", 0)], [], seed=0, replicate=0)
    load = given.names.index("all")
    given.racks.load[:] = load
    given.racks.row_load[:] = load
    given.loads.count[load] = site.accelerators
    given.loads.on[load], given.loads.dynamic_frac[load] = 1.0, dynamic_frac
    load_account.complete_loads(given.loads, STEP_S)
    racks.integrate(
        site.rows, given.racks, given.loads, given.blocks, given.heat, given.hall_air_c, given.scratch, STEP_S
    )
    return float(given.blocks.it_w.sum() + site.block_pump_w.sum())
