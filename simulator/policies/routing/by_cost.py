"""The cheapest pool that is good enough and fast enough."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from simulator.policies.route import PoolRoom, Request, Route, RoutingPolicy, all_to
from simulator.units import NonNegative, TimePrice


class ByCost(RoutingPolicy):
    """The open pool that costs least per request among those that keep the class's needs."""

    kind: Literal["by_cost"]
    cost: Literal["accelerator_time", "energy", "money"] = "accelerator_time"
    """What is least: accelerator-seconds, joules of the accelerators, or dollars by `prices`."""
    prices: dict[str, Annotated[TimePrice, NonNegative()]] = {}  # noqa: RUF012  pydantic copies it
    """Price of an accelerator-hour by pool, for `cost: money`."""
    without_route: ClassVar[str] = "no open pool is good and fast enough"

    def named(self) -> tuple[str, ...]:
        """Return the pools that its options name."""
        return tuple(self.prices)

    def candidates(self, request: Request, names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        """Return the one pool that is chosen; none if no pool is good and fast enough."""
        chosen = self._cheapest(request, names)
        return () if chosen is None else ((names[chosen],),)

    def route(self, pools: tuple[PoolRoom, ...], request: Request) -> Route:
        """Send everything to the cheapest."""
        chosen = self._cheapest(request, tuple(pool.name for pool in pools))
        if chosen is None:
            raise ValueError(f"no pool keeps what class '{request.name}' needs")
        return (all_to(chosen, len(pools)),)

    def cells(self, request: Request, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """Yield the quality of every open pool, where the class needs one, and its price."""
        for name, is_open in zip(names, request.open, strict=True):
            if is_open and request.quality_needed is not None:
                yield "quality", name
            if is_open and self.cost == "money" and name not in self.prices:
                yield "prices", name

    def _cheapest(self, request: Request, names: tuple[str, ...]) -> int | None:
        """Return the pool; of equally cheap ones the first."""
        fitting = [k for k in range(len(names)) if _keeps(request, k)]
        return min(fitting, key=lambda k: (self._cost(request, names, k), k), default=None)

    def _cost(self, request: Request, names: tuple[str, ...], pool: int) -> float:
        if self.cost == "energy":
            return request.energy_j[pool]
        price = self.prices.get(names[pool], 0.0) if self.cost == "money" else 1.0
        return price * request.accelerator_s[pool]


def _keeps(request: Request, pool: int) -> bool:
    """Return whether a pool is open to the class, good enough and fast enough for it."""
    limit_s, needed = request.latency_limit_s, request.quality_needed
    fast = limit_s is None or request.latency_s[pool] <= limit_s
    good = needed is None or (request.quality[pool] or 0.0) >= needed
    return request.open[pool] and fast and good
