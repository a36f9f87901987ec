"""The rack: accelerators, host and network parts behind power shelves."""

from simulator.components.kinds import Spec
from simulator.components.power.loss import LossCurve
from simulator.units import Fraction, MassFlow, Power


class Rack(Spec):
    """One rack type. A rack with no accelerators is a support rack (CPU, storage, network)."""

    name: str
    aliases: tuple[str, ...] = ()
    accelerator: str | None = None
    """Chip in the rack, by catalog name."""
    accelerators: int = 0
    servers: int = 1
    """Servers or trays: the unit that leaves for repair."""
    nameplate: Power
    """Provisioned input power of the rack."""
    host_idle: Power
    """Everything but accelerators, before the power shelves, at no work."""
    host_max: Power
    """The same at full work."""
    utilization: Fraction = 0.0
    """Steady work of a support rack, as a fraction of idle-to-maximum; accelerator racks follow
    their workload instead."""
    power_shelf: LossCurve
    """Conversion loss of the power shelves, of their rating."""
    power_shelf_rating: Power
    liquid_fraction: Fraction
    """Share of rack heat taken by cold plates; the rest goes to air."""
    coolant_flow: MassFlow = 0.0
    """Liquid coolant through the rack."""
    resistance_spread: Fraction = 0.05
    """Manufacturing spread (one sigma) of the hottest chip's thermal resistance between racks."""
    network_ports: int = 0
    """Back-end network ports."""
    ups: bool = False
    """Fed through a UPS (network, storage, controls); accelerator racks ride on rack batteries."""

    @property
    def accelerators_per_server(self) -> int:
        """Accelerators that leave with one server."""
        return self.accelerators // self.servers if self.servers else 0
