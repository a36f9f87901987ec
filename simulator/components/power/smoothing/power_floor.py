"""A floor under the power of chips at work: they burn what communication does not draw."""

from typing import Annotated, Literal

from simulator.components.accelerator import Accelerator
from simulator.components.power.smoothing._base import Smoother
from simulator.kernels.waveform import Tools
from simulator.units import Duration, Fraction, Within


class PowerFloor(Smoother):
    """Minimum power of a chip (GB200 firmware; up to 90 % of TDP, arXiv:2508.14318, section 4)."""

    kind: Literal["power_floor"]
    floor: Annotated[Fraction, Within("0 %", "90 %")]
    """Share of TDP below which no chip of a running job draws."""
    hold: Annotated[Duration, Within("0 s", "10 min")] = 5.0
    """For so long after work stops. Assumed, 1-60 s."""

    def fit(self, tools: Tools, chip: Accelerator) -> Tools:
        """Return the tools with the floor."""
        return tools._replace(floor_w=self.floor * chip.tdp)
