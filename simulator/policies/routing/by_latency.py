"""The pool named for a latency class."""

from typing import Literal

from simulator.policies.route import PoolRoom, Request, Route, RoutingPolicy, all_to


class ByLatency(RoutingPolicy):
    """One pool per latency class: who waits little goes where batches are small."""

    kind: Literal["by_latency"]
    pools: dict[str, str]
    """Pool by latency class (`interactive`, `standard`, `deferred`)."""

    def named(self) -> tuple[str, ...]:
        """Return the pools that its options name."""
        return tuple(self.pools.values())

    def candidates(self, request: Request, names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        """Return the pool of the latency class."""
        chosen = self.pools.get(request.latency_class)
        return ((chosen,),) if chosen else ()

    def route(self, pools: tuple[PoolRoom, ...], request: Request) -> Route:
        """Send everything there."""
        names = tuple(pool.name for pool in pools)
        ((chosen,),) = self.candidates(request, names)
        return (all_to(names.index(chosen), len(names)),)
