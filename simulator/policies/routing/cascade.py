"""The small model first; what it is not sure of goes to the next."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from simulator.policies.route import PoolRoom, Request, Route, RoutingPolicy, Stage


class Cascade(RoutingPolicy):
    """Every request goes to the first pool; the user's table says which share of its answers goes on
    to the next. Both pay, and their times add up."""

    kind: Literal["cascade"]
    order: Annotated[tuple[str, ...], Field(min_length=2)]
    """Pools from the first asked to the last."""

    def named(self) -> tuple[str, ...]:
        """Return the pools that its options name."""
        return self.order

    def candidates(self, request: Request, names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        """Return one pool per stage."""
        return tuple((name,) for name in self.order)

    def route(self, pools: tuple[PoolRoom, ...], request: Request) -> Route:
        """Ask one pool after the other."""
        places = [[pool.name for pool in pools].index(name) for name in self.order]
        last = places[-1]
        return tuple(_stage(place, len(pools), request, place == last) for place in places)

    def cells(self, request: Request, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """Yield what every pool but the last passes on."""
        for name in self.order[:-1]:
            yield "escalation", name


def _stage(place: int, count: int, request: Request, last: bool) -> Stage:
    """Return the stage of one pool; the last keeps what it answers."""
    onward = 0.0 if last else request.passed_on[place]
    shares = tuple(float(k == place) for k in range(count))
    return Stage(shares, tuple(onward * share for share in shares))
