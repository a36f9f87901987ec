"""Capacitors in the power shelves of a rack."""

from typing import Annotated, Literal

from simulator.components.accelerator import Accelerator
from simulator.components.power.smoothing._base import Smoother
from simulator.kernels.waveform import Tools
from simulator.units import Duration, Energy, Fraction, Positive, Power, Within


class RackStorage(Smoother):
    """Storage at the power shelf, per accelerator (GB300 NVL72: 65 J, NVIDIA, July 2025)."""

    kind: Literal["rack_storage"]
    energy: Annotated[Energy, Positive()] = 65.0
    """Usable, per accelerator."""
    power: Annotated[Power, Positive()] | None = None
    """Per accelerator; blank: the chip's TDP."""
    efficiency: Annotated[Fraction, Within("50 %", "100 %")] = 0.98
    """One way: electrolytic capacitors behind a converter. Assumed, 95-99 %."""
    memory: Annotated[Duration, Within("1 s", "10 min")] = 20.0
    """The rack draws the lowest level that its storage would have held for so long; longer than a step of
    the job. Assumed, 10-60 s."""

    def fit(self, tools: Tools, chip: Accelerator) -> Tools:
        """Return the tools with the storage."""
        return tools._replace(
            store_j=self.energy, store_w=self.power or chip.tdp,
            store_efficiency=self.efficiency, store_memory_s=self.memory,
        )
