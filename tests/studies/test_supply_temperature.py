"""The trade-off of supply temperature: by hand, and as the engine makes it."""

import pandas as pd
import pytest
from small import ROOT

from simulator.components import from_catalog
from simulator.studies import designs, supply_temperature


def runs():
    rows = []
    for plant in ("chiller_tower", "air_chiller"):
        for supply, it in (("45 degC", 102.0), ("20 degC", 100.0)):
            rows.append({
                "status": "done", "topology.cooling.warm.kind": plant, "topology.cooling.supply": supply,
                **dict.fromkeys(supply_temperature.KPIS, 1.0), "energy.it": it, "thermal.junction_max": 80.0,
            })  # fmt: skip
    return pd.DataFrame([*rows, rows[0] | {"status": "failed", "energy.it": 1e9}])


def test_table_by_hand():
    chip = from_catalog.accelerator("GB300")
    table = supply_temperature.table(runs(), chip)
    assert list(table.columns) == list(supply_temperature.TABLE) and len(table) == 4
    own = table[table["plant"] == "air_chiller"]
    assert list(own["supply_c"]) == [20.0, 45.0]
    assert list(own["leakage_pct"]) == pytest.approx([0.0, 2.0])
    assert (table["margin_k"] == chip.throttle_start - 80.0).all()


def test_a_sweep_over_supply_alone_has_one_blank_plant():
    alone = runs().drop(columns="topology.cooling.warm.kind")
    assert list(supply_temperature.table(alone, from_catalog.accelerator("GB300"))["plant"]) == ["", ""]


def test_the_committed_sweep_is_valid():
    plan = designs.from_file(ROOT / "scenarios" / "sweeps" / "supply-temperature.yaml")
    kinds = {d.values[supply_temperature.PLANT] for d in plan.designs}
    assert len(plan.designs) == 12 and kinds == {"chiller_tower", "air_chiller"}
