"""Training gives way first, served models last; within a kind the lowest priority first."""

from simulator.engine.capping import LoadView
from simulator.policies.capping._cut import by_priority, in_order


def decide(views: list[LoadView], demand_w: float, limit_w: float) -> list[float]:
    """Return a cap for each load: 1 free, below 1 slowed, 0 off. Nobody waits for a training step
    as for an answer; a job that slows down finishes later."""
    order = sorted(by_priority(views), key=lambda i: views[i].kind != "training")
    return in_order(views, demand_w, limit_w, order)
