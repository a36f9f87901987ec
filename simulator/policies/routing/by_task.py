"""The pool named for a task, else the one named for its modality."""

from typing import Literal

from simulator.policies.route import PoolRoom, Request, Route, RoutingPolicy, all_to


class ByTask(RoutingPolicy):
    """One pool per task or modality."""

    kind: Literal["by_task"]
    pools: dict[str, str]
    """Pool by task (`code: coder`); a task that is not named goes by its modality (`speech: ears`)."""

    def named(self) -> tuple[str, ...]:
        """Return the pools that its options name."""
        return tuple(self.pools.values())

    def candidates(self, request: Request, names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        """Return the pool of the task, else of the modality."""
        chosen = self.pools.get(request.task, self.pools.get(request.modality))
        return ((chosen,),) if chosen else ()

    def route(self, pools: tuple[PoolRoom, ...], request: Request) -> Route:
        """Send everything there."""
        names = tuple(pool.name for pool in pools)
        ((chosen,),) = self.candidates(request, names)
        return (all_to(names.index(chosen), len(names)),)
