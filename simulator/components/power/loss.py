"""Part-load loss of a conversion stage."""

from typing import Annotated

from simulator.components.kinds import Spec
from simulator.units import Fraction, Within

Share = Annotated[Fraction, Within("0 %", "20 %")]


class LossCurve(Spec):
    """Loss of a stage as a share of its rating: no_load + linear x + load x^2, x = load/rating.

    The quadratic form is the one of transformer test sheets (no-load and load loss) and fits
    published UPS and power-supply efficiency tables within 0.1 point.
    """

    no_load: Share = 0.0
    linear: Share = 0.0
    load: Share = 0.0

    def over_real(self, power_factor: float) -> "LossCurve":
        """Return the curve of an element whose rating is an apparent power, over its rated real power at
        a power factor: its losses follow the apparent power, whose share of the rating is that of the
        real power, and are shares of the larger number."""
        return LossCurve.model_construct(
            no_load=self.no_load / power_factor, linear=self.linear / power_factor,
            load=self.load / power_factor,
        )

    def loss_w(self, output_w: float, rating_w: float) -> float:
        """Return the loss in W at `output_w` for a stage rated `rating_w`."""
        x = output_w / rating_w
        return rating_w * (self.no_load + self.linear * x + self.load * x * x)
