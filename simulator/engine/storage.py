"""The storage racks of a site: who writes, what each gets, what is out of service."""

from collections.abc import Callable
from dataclasses import dataclass

from simulator.components.rack import Rack
from simulator.components.storage import Storage
from simulator.errors import squash
from simulator.site import Site


@dataclass
class Writer:
    """A job that saves to storage now and then."""

    most_bytes_s: float
    """What its accelerators can send together."""
    mean_bytes_s: float
    """Over saves and the time between."""
    told: Callable[[], None]
    """Called when its rate has changed."""


class Store:
    """Bandwidth of the storage racks in service, shared by who writes."""

    def __init__(self, site: Site) -> None:
        self.spec = site.topology.storage or Storage()
        self.racks = sum(entry.count for entry in site.support if self.is_mine(entry.rack.name, *entry.rack.aliases))
        self.out = 0.0
        """Racks out of service, parts of them counted as parts."""
        self.writers: dict[int, Writer] = {}
        self.readers: dict[str, float] = {}
        """Bytes per second that work reads steadily, by its name."""
        self.drawn: float | None = None
        """Work that its racks draw for (`engine/support.py`)."""

    @property
    def in_service(self) -> float:
        """Racks that work."""
        return max(self.racks - self.out, 0.0)

    def write_bytes_s(self, load: int) -> float:
        """Return what a job gets when all that save do so at once, shared max-min fairly."""
        left, rates = self.in_service * self.spec.write, {}
        order = sorted(self.writers, key=lambda one: (self.writers[one].most_bytes_s, one))
        for nth, one in enumerate(order):
            rates[one] = min(self.writers[one].most_bytes_s, left / (len(order) - nth))
            left -= rates[one]
        return rates[load]

    def read_bytes_s(self, accelerators: float) -> float:
        """Return what some accelerators read at together, the store to themselves."""
        return min(self.in_service * self.spec.read, accelerators * self.spec.read_limit)

    def read_s(self, total_bytes: float, accelerators: float) -> float:
        """Return how long some accelerators take to read weights or a checkpoint, each its part;
        without a rack in service, infinitely long."""
        rate = self.read_bytes_s(accelerators)
        return total_bytes / rate if rate > 0.0 else float("inf")

    def used(self) -> float:
        """Return the share of the time that racks in service write and read."""
        if not self.in_service:
            return 0.0
        written = sum(writer.mean_bytes_s for writer in self.writers.values()) / self.spec.write
        read = sum(self.readers.values()) / self.spec.read
        return min((written + read) / self.in_service, 1.0)

    def join(self, load: int, writer: Writer) -> None:
        """Let a job write from now on."""
        self.writers[load] = writer
        self._tell(load)

    def leave(self, load: int) -> None:
        """A job writes no more."""
        self.writers.pop(load, None)
        self._tell(load)

    def lose_servers(self, rack: Rack, servers: float) -> None:
        """Take servers of a support rack out of service, if it is one of storage; a negative number
        brings them back. What they held is read from the others, at the rate of those."""
        if self.is_mine(rack.name, *rack.aliases):
            self.out += servers / rack.servers
            self._tell(-1)

    def is_mine(self, *names: str) -> bool:
        """Return whether a type of racks with these names is the one of storage."""
        return squash(self.spec.rack) in {squash(name) for name in names}

    def _tell(self, besides: int) -> None:
        for load, writer in list(self.writers.items()):
            if load != besides:
                writer.told()
