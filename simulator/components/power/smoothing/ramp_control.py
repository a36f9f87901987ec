"""Limits on how fast the power of a chip rises and falls."""

from math import inf
from typing import Annotated, Literal

from simulator.components.accelerator import Accelerator
from simulator.components.power.smoothing._base import Smoother
from simulator.kernels.waveform import Tools
from simulator.units import Positive, RampRate


class RampControl(Smoother):
    """Ramps of a chip: a slow rise takes speed, a slow fall burns energy."""

    kind: Literal["ramp_control"]
    up: Annotated[RampRate, Positive()] | None = None
    """Of one chip; blank: none."""
    down: Annotated[RampRate, Positive()] | None = None
    """Of one chip; blank: none."""

    def fit(self, tools: Tools, chip: Accelerator) -> Tools:
        """Return the tools with the ramps."""
        return tools._replace(up_w_s=self.up or inf, down_w_s=self.down or inf)
