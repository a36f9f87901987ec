"""Data preparation: filtering, deduplication and tokenizing on CPU racks, from storage and back."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.components.storage import Storage
from simulator.engine import support
from simulator.engine.world import World
from simulator.site import Site
from simulator.units import Bandwidth, Duration, Fraction, NonNegative, Positive


class DataPreparation(Spec):
    """Text prepared for training by support racks, whose power follows the work."""

    kind: Literal["data_preparation"]
    name: str
    tokens: Annotated[float, Field(gt=0)]
    """Tokens to deliver."""
    start: Annotated[Duration, NonNegative()] = 0.0
    """After the start of the run."""
    rack: str = "CPU"
    """Type of the support racks that work, all of them in every hall."""
    utilization: Annotated[Fraction, Field(ge=0, le=1)] = 0.9
    """Work of a rack that is not held up by storage, as a fraction of idle-to-maximum; before and
    after the job racks return to their own. Assumed, 0.7-1."""
    tokens_per_rack: Annotated[float, Field(gt=0)] = 1.0e7
    """Tokens per second of one rack through the whole pipeline. Assumed, 2e6-4e7: 20 servers of
    0.1-2 million tokens each, from full filtering with classifiers to tokenizing alone."""
    storage: str = "STORAGE"
    """Type of the storage racks."""
    storage_bandwidth: Annotated[Bandwidth, Positive()] | None = None
    """Reads and writes of one storage rack; blank: what `topology.storage` reads, 100 GB/s where that is
    blank too."""
    bytes_per_token: Annotated[float, Field(gt=0)] = 100.0
    """Bytes read and written per token delivered: raw text is several times what is kept, and
    passes more than once. Assumed, 20-500."""


@dataclass(frozen=True)
class Throughput:
    """What the racks of a site give a job."""

    racks: int
    tokens_s: float
    utilization: float
    """Of the working racks while the job runs."""
    bound_by: str  # "racks" or "storage"


def throughput_of(spec: DataPreparation, site: Site) -> Throughput:
    """Return the rate of a job, the slower of its racks and its storage; ValueError without any."""
    racks = support.count(site, spec.rack)
    stores = support.count(site, spec.storage)
    if not racks or not stores:
        missing = spec.rack if not racks else spec.storage
        raise ValueError(f"no hall has support racks of type '{missing}'")
    racks_s, storage_s = _rates_s(spec, site, racks, stores)
    rate_s = min(racks_s, storage_s)
    bound_by = "racks" if racks_s <= storage_s else "storage"
    return Throughput(racks, rate_s, spec.utilization * rate_s / racks_s, bound_by)


def _rates_s(
    spec: DataPreparation, site: Site, racks: float, stores: float
) -> tuple[float, float]:
    """Return the tokens per second that working racks and storage racks allow."""
    each_bytes_s = spec.storage_bandwidth or (site.topology.storage or Storage()).read
    storage_s = stores * each_bytes_s / spec.bytes_per_token
    return racks * spec.tokens_per_rack, storage_s


@dataclass
class DataPreparationRun:
    """A job in progress."""

    spec: DataPreparation
    world: World
    planned: Throughput
    began_s: float | None = None
    finish_s: float | None = None
    done: float = 0.0
    """Tokens delivered up to `_since_s`."""
    _since_s: float = 0.0
    _rate_s: float = 0.0

    def run(self) -> Generator[Any, Any, None]:
        """Wait for the start, keep the racks busy until the tokens are there."""
        world, spec = self.world, self.spec
        if spec.start > 0.0:
            yield world.env.timeout(spec.start)
        self.began_s = world.env.now
        world.log("job_start", spec.name, duration_s=0.0)
        support.occupy(world, spec.rack, self.planned.utilization)
        yield from self._deliver()
        support.free(world, spec.rack, self.planned.utilization)
        self._read(0.0)
        self.finish_s = world.env.now
        world.log("job_finish", spec.name, duration_s=self.finish_s - self.began_s)

    def _read(self, bytes_s: float) -> None:
        """Have storage that follows its use serve the job from now on."""
        if self.world.store.is_mine(self.spec.storage):
            self.world.store.readers[self.spec.name] = bytes_s
            support.follow_storage(self.world)

    def tokens(self) -> float:
        """Return the tokens delivered by the end of the run."""
        if self.began_s is None:
            return 0.0
        until_s = self.world.end_s if self.finish_s is None else self._since_s
        return min(self.done + (until_s - self._since_s) * self._rate_s, self.spec.tokens)

    def _deliver(self) -> Generator[Any, Any, None]:
        """Deliver all tokens, at the rate of the servers in service."""
        env, site, spec = self.world.env, self.world.site, self.spec
        while True:
            stores, racks = (support.in_service(self.world, r) for r in (spec.storage, spec.rack))
            self._since_s, self._rate_s = env.now, min(_rates_s(spec, site, racks, stores))
            self._read(spec.bytes_per_token * self._rate_s)
            left = spec.tokens - self.done
            waits = [support.next_change(self.world)]
            if self._rate_s > 0.0:
                waits.append(env.timeout(left / self._rate_s))
            yield env.any_of(waits)
            self.done += (env.now - self._since_s) * self._rate_s
            if waits[-1].processed and self._rate_s > 0.0:
                self.done, self._since_s = spec.tokens, env.now
                return
