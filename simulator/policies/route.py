"""What a router sees of the pools and of a class of requests, and what it decides.

A decision is a route: stages that follow each other. A stage says which share of the requests that
reach it each pool gets, and which share of a pool's answers goes on to the next stage.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar, NamedTuple

from simulator.components.kinds import Spec


class PoolRoom(NamedTuple):
    """One pool at the moment of a decision."""

    name: str
    capacity: float
    """Requests/s of its reference lengths that it can serve with the accelerators it has or can
    get."""
    sent: float = 0.0
    """Of them, what classes ahead send there."""


class Request(NamedTuple):
    """A class of requests as every pool would serve it; sequences have one entry per pool."""

    name: str
    task: str
    modality: str
    latency_class: str
    rate_per_s: float
    open: tuple[bool, ...]
    """Whether tenant, residency and modality let it in."""
    work: Sequence[float]
    """Work of one request, in requests of the pool's reference lengths."""
    accelerator_s: Sequence[float]
    """Accelerator time of one request in a full batch."""
    energy_j: Sequence[float]
    """Energy of the accelerators over that time."""
    latency_s: Sequence[float]
    """Mean time to the last token at the pool's target load."""
    quality: tuple[float | None, ...]
    """Of the answers, from the user's table; None where it has no entry."""
    quality_needed: float | None = None
    latency_limit_s: float | None = None
    passed_on: tuple[float, ...] = ()
    """Share of a pool's answers that a cascade passes on, from the user's table."""


class Stage(NamedTuple):
    """Where requests go; sequences have one entry per pool."""

    shares: tuple[float, ...]
    """Of the requests that reach the stage; they add up to one."""
    onward: tuple[float, ...]
    """Of a pool's answers, those that go on to the next stage."""


Route = tuple[Stage, ...]


class RoutingPolicy(Spec):
    """Chooses pools for a class of requests; it has no clock and reads nothing but its arguments."""

    kind: str
    follows_load: ClassVar[bool] = False
    """Whether a decision depends on rates and capacities; if not, it is taken once."""
    without_route: ClassVar[str] = "no pool is named for it"
    """Why a class has no route."""

    def named(self) -> tuple[str, ...]:
        """Return the pools that its options name."""
        return ()

    @abstractmethod
    def candidates(self, request: Request, names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        """Return the pools that each stage may send to, by name; none if the class has no route."""

    @abstractmethod
    def route(self, pools: tuple[PoolRoom, ...], request: Request) -> Route:
        """Return the route of a class; it has as many stages as `candidates` names."""

    def cells(self, request: Request, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """Yield (table, pool) of every entry of the user's tables that a decision rests on."""
        yield from ()


def all_to(pool: int, count: int) -> Stage:
    """Return the last stage of a route that sends everything to one of `count` pools."""
    shares = tuple(float(k == pool) for k in range(count))
    return Stage(shares, (0.0,) * count)
