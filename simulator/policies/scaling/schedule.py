"""The replicas that the scenario names for the hour of day."""

from simulator.policies.pool_view import PoolView


def replicas(view: PoolView) -> int:
    """Return the entry of the last hour named, that of the day before if none has come yet."""
    begun = [hour for hour in view.schedule if hour <= view.hour_of_day]
    return view.schedule[max(begun) if begun else max(view.schedule)]
