"""Invented tables about limits of the power chain, of the invented campus."""

import pandas as pd

COLUMNS = [
    "element", "level", "count", "rating_w", "limit_w", "firm_w", "below_w", "peak_w", "overload_s",
    "capped_s", "held_j", "shed_j", "trips", "exceeded",
]


def tables(halls: list[tuple[str, float, float]], peak_w: float) -> dict[str, pd.DataFrame]:
    """Return `limits`, `limit_levels` and `places` for halls given as (name, nameplate, rack)."""
    below_w = sum(w for _, w, _ in halls)
    rows = [
        ("poi", "poi", 1, 980e6, 980e6, 980e6, below_w, peak_w, 0.0, 0.0, 0.0, 0.0, 0, 0),
        ("lines", "line_bank", 3, 2400e6, 2400e6, 1600e6, below_w, peak_w, 0.0, 0.0, 0.0, 0.0, 0, 0),
        ("main transformers", "transformer_bank", 4, 1306e6, 1306e6, 980e6, below_w, peak_w, 0.0,
         0.0, 0.0, 0.0, 0, 0),
    ]
    places = []
    for name, hall_w, rack_w in halls:
        share = peak_w * hall_w / below_w
        rows.append((f"{name} feeders", "feeder", 4, hall_w * 1.45, hall_w * 1.45, hall_w * 1.0875,
                     hall_w, share, 300.0, 1800.0, 2.7e9, 1.8e9, 1, 1))
        rows.append((f"{name} blocks", "block", 1, hall_w * 1.02, hall_w * 1.02, hall_w * 1.02,
                     hall_w, share * 0.9, 600.0, 3600.0, 3.6e9, 0.0, 0, 0))
        places.append((f"{name} blocks", name, f"{name} feeders", hall_w * 1.3, hall_w * 1.04,
                       hall_w * 1.02, share * 0.9, hall_w, hall_w * 0.95, rack_w, 2 * rack_w,
                       rack_w))
    return {
        "limits": pd.DataFrame(rows, columns=COLUMNS),
        "limit_levels": pd.DataFrame(
            [("poi", 1, 0.0), ("feeder", len(halls), 300.0), ("block", len(halls), 600.0)],
            columns=["level", "elements", "overload_s"]),
        "places": pd.DataFrame(places, columns=[
            "block", "hall", "feeder", "built_w", "rated_w", "limit_w", "peak_w", "nameplate_w",
            "working_w", "rack_w", "cooled_w", "joined_w"]),
    }  # fmt: skip
