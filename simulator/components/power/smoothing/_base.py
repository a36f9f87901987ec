"""What every smoother is: a specification that sets one of the tools inside a rack, or acts outside."""

from math import inf

from simulator.components.accelerator import Accelerator
from simulator.components.kinds import Spec
from simulator.kernels.waveform import Tools

OFF = Tools(0.0, inf, inf, 0.0, 0.0, 1.0, 1.0)
"""No tool at all."""


class Smoother(Spec):
    """Something that smooths."""

    kind: str

    def fit(self, tools: Tools, chip: Accelerator) -> Tools:
        """Return the tools of a rack of these chips with this one among them."""
        return tools
