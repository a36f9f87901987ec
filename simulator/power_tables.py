"""Columns of the tables about the power chain and the heat: limits, equipment, minutes at 10 ms; `results.TABLES`
holds all others."""

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
    "heat": {
        "loop": "Loop, or the immersion tanks of a block", "received_j": "Heat from racks, pumps and fans",
        "rejected_j": "Heat to the weather or to users", "stored_j": "Change of heat in the loop",
        "reused_j": "Of what is rejected: to users",
    },
    "heat_sources": {
        "element": "racks, lights and controls, power chain, fans, coolant pumps, loop pumps",
        "made_j": "Heat for loops and tanks, integral over the run",
    },
    "transformers": {
        "element": "Bank of equal units", "count": "Units", "loading_max": "Of the units in service, minute mean",
        "hot_spot_max_c": "Hottest spot of the winding, end of a minute",
        "life_used_frac": "Of the normal insulation life, by Arrhenius",
        "ageing": "Mean, times as fast as at 110 degC",
    },
    "generators": {
        "element": "Plant", "count": "Sets", "energy_j": "Delivered", "running_h": "Set-hours",
        "fuel_l": "Litres burnt", "fuel_left_l": "In the tanks at the end, or null: no limit told",
    },
    "equipment": {
        "kind": "Kind of electrical equipment", "hall": "Group of halls, blank for the campus",
        "serves": "racks, support, mechanical, or blank above them", "count": "Pieces",
        "rating_w": "Of each",
    },
    "waveform": {
        "window": "Number", "at_s": "Since the start of the window", "it_w": "Into all racks",
        "poi_w": "At the point of interconnection", "smooth_w": "With what smooths inside racks",
        "grid_w": "With batteries as well",
    },
    "waveform_jobs": {
        "window": "Number", "time": "Its start", "job": "Name", "accelerators": "In service",
        "step_time_s": "At full clock", "mean_w": "Into its racks", "least_w": "Of a sample",
        "most_w": "Of a sample", "smooth_mean_w": "With what smooths inside its racks",
        "deviation_frac": "Largest of the minutes: power of its phases over the plan's, less one; taken off",
        "added_j": "By power floor and slow falls, at the chips", "withheld_j": "By slow rises, at the chips",
        "storage_loss_j": "In rack storage", "charge_least": "Of any rack's storage, share",
        "charge_most": "Likewise",
    },
    "waveform_limits": {
        "window": "Number", "mask": "Utility or proposal", "limit": "In words", "unit": "Of the values",
        "allowed": "At most", "plain": "Found without smoothing", "found": "Found with it",
        "passes": "Whether it is kept, or null", "reason": "Why it cannot be told, or blank",
        "battery_w": "Power of a battery that makes the mask pass, or null",
        "battery_j": "Its usable energy", "battery_follows_s": "Time constant of what the grid sees",
        "battery_response_s": "How fast it must answer",
    },
}
