"""The first pool in order up to a threshold of its load, then the next."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from simulator.policies.route import PoolRoom, Request, Route, RoutingPolicy, Stage
from simulator.units import Fraction


class Spill(RoutingPolicy):
    """Fills pools in order; the last takes whatever is left."""

    kind: Literal["spill"]
    order: Annotated[tuple[str, ...], Field(min_length=2)]
    """Pools from the preferred to the last resort."""
    threshold: Annotated[Fraction, Field(gt=0, le=1)] = 0.9
    """Load of a pool, classes ahead included, beyond which requests go to the next. Assumed,
    0.8-0.95: above what scaling aims at, below where queues build up."""
    follows_load: ClassVar[bool] = True

    def named(self) -> tuple[str, ...]:
        """Return the pools that its options name."""
        return self.order

    def candidates(self, request: Request, names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        """Return one stage of all pools in order."""
        return (self.order,)

    def route(self, pools: tuple[PoolRoom, ...], request: Request) -> Route:
        """Fill one pool after the other."""
        places = [[pool.name for pool in pools].index(name) for name in self.order]
        shares, left = [0.0] * len(pools), 1.0
        for place in places[:-1]:
            room = self.threshold * pools[place].capacity - pools[place].sent
            wanted = request.rate_per_s * request.work[place]
            fits = max(room, 0.0) / wanted if wanted > 0.0 else 1.0
            shares[place] = min(left, fits)
            left -= shares[place]
        shares[places[-1]] += left
        return (Stage(tuple(shares), (0.0,) * len(pools)),)
