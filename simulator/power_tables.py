"""Columns of the tables about limits of the power chain, as `results.TABLES` holds all others."""

TABLES: dict[str, dict[str, str]] = {
    "limits": {
        "element": "Name", "level": "poi, line_bank, transformer_bank, feeder, substation, busway, "
        "ups, block", "count": "Units", "rating_w": "All units (poi: firm import)",
        "limit_w": "Carried continuously, all units", "firm_w": "The same with one unit out",
        "below_w": "Nameplate of the racks fed by it", "peak_w": "Largest minute",
        "overload_s": "Above the limit of what was in service", "capped_s": "Loads held back for it",
        "held_j": "Energy held back for it", "shed_j": "Energy of loads switched off for it",
        "trips": "Breaker opened", "exceeded": "Above its rating for longer than its tolerance",
    },
    "limit_levels": {
        "level": "As in `limits`", "elements": "Count",
        "overload_s": "Any element of the level above its limit",
    },
    "places": {
        "block": "Name", "hall": "Hall", "feeder": "Feeders of the hall",
        "built_w": "Rack power of its share of all lineups at their rating",
        "rated_w": "What their breakers carry of it continuously",
        "limit_w": "What is left after redundancy", "peak_w": "Largest minute",
        "nameplate_w": "Racks installed", "working_w": "Racks installed, every chip at its TDP",
        "rack_w": "Nameplate of one more rack",
        "cooled_w": "Its share of what the hall's plants could carry more, one unit out",
        "joined_w": "Its share of what the fabric could join more",
    },
}
