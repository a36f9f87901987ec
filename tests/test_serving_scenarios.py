"""Scenarios that compare served fleets start from a hall that serves all, so that a change shows its cost."""

from pathlib import Path

import pytest

from simulator import scenario
from simulator.metrics import kpis
from simulator.simulation import simulate

SCENARIOS = Path(__file__).parents[1] / "scenarios"
WITHIN_LIMITS_FRAC = 0.95
"""Share within limits from which on a pool counts as served well."""


def pools(file, name=None):
    """Return the pools of a scenario that were asked, over its first day (a Monday)."""
    given = scenario.load(SCENARIOS / file, ["period.duration=1 d"], name)
    table = simulate(given).tables["pools"].set_index("pool")
    return table[table["requests"] > 0.0]


@pytest.mark.parametrize(("file", "name", "asked"), [
    ("reasoning-doubles.yaml", None, {"reasoning", "chat-large", "chat-small", "images"}),
    ("cascade.yaml", None, {"small", "large"}),
    ("cascade.yaml", "large_only", {"large"}),
    ("tenants.yaml", None, {"assistant", "thinker", "bank-thinker", "guard"}),
])
def test_what_is_compared_serves_all_within_its_limits(file, name, asked):
    served = pools(file, name)
    assert set(served.index) == asked
    assert (served[["shed", "lost", "spilled"]] == 0.0).all(axis=None)
    assert (served["within_slo"] >= WITHIN_LIMITS_FRAC * served["served"]).all()


def test_doubled_chains_of_thought_cost_the_pools_below():
    once, twice = pools("reasoning-doubles.yaml"), pools("reasoning-doubles.yaml", "doubled")
    assert twice.loc["reasoning", "output_tokens"] > 1.5 * once.loc["reasoning", "output_tokens"]
    assert twice.loc["images", "shed"] > 0.0
    assert twice.loc["chat-large", "within_slo"] < once.loc["chat-large", "within_slo"]


def classes(name=None):
    """Return accelerator-hours, quality, and racks of traces of the classes of the tenants' hall."""
    given = scenario.load(SCENARIOS / "tenants.yaml", ["period.duration=1 d"], name)
    found = kpis.kpis(simulate(given)).set_index("kpi")["value"]
    return lambda cls, what: found[f"routing.{cls}.{what}"]


def test_moderation_isolation_and_budgets_have_their_price():
    whole, unmoderated, pooled, unlimited = map(classes, (None, "unmoderated", "pooled", "unlimited"))
    hours = "accelerator_hours"
    assert whole("chat", hours) > 1.05 * unmoderated("chat", hours)
    assert whole("credit", hours) > 1.1 * pooled("credit", hours)
    assert whole("credit", hours) < 0.95 * unlimited("credit", hours)
    assert whole("credit", "quality") < unlimited("credit", "quality") == 0.84
    assert whole("credit", "thoughts_cut") > 0.0
    assert whole("credit", "trace_racks") > 0.0 and whole("chat", "traces_held") > 0.0
