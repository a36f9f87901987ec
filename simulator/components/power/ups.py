"""Uninterruptible supply for what must not blink: network, storage, controls, pumps."""

import math
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, model_serializer, model_validator

from simulator.components.kinds import Spec
from simulator.components.power.loss import LossCurve
from simulator.units import Duration, Fraction, Positive, Power, Within

ROUNDING = 1e-9
"""Relative; a module that its load fills exactly is not too small for it."""


class Sized(NamedTuple):
    """A UPS as built for a load."""

    modules: int
    rating_w: float
    """Of all of them together."""
    ride_through_s: float
    """Battery time at that rating."""
    recharge_w: float
    """Most that their batteries take beside it."""


class SagCounter(Spec):
    """Transfer to batteries and generators for good after so many sags: ERCOT's NOGRR 282 forbids
    it."""

    count: Annotated[int, Field(ge=1, le=100)] = 3
    """Sags that make it transfer (derived: firmware of most UPS at the loss of 1,500 MW in Virginia
    on 10 July 2024, as told of NERC's review)."""
    within: Annotated[Duration, Positive()] = 60.0
    """Time they are counted over (derived, as `count`)."""
    manual: Annotated[Duration, Within("0 s", "48 h")] = 7_200.0
    """Until staff have transferred the load back (assumed, 0.5-8 h)."""


class Ups(Spec):
    """UPS, sized on the design load it carries."""

    loss: LossCurve
    """In double conversion."""
    mode: Literal["double_conversion", "eco"] = "double_conversion"
    """What carries the load at rest: the converters, or the bypass with the inverter standing by."""
    eco_loss: LossCurve = LossCurve(no_load=0.003, linear=0.004, load=0.003)
    """On the bypass: 98.3/98.9/99.0 % at 25/50/100 % (derived: vendors state 98-99 %)."""
    eco_transfer: Annotated[Duration, Within("0 s", "20 ms")] = 0.004
    """From bypass to inverter (assumed, 2-8 ms): what it feeds must hold up as long."""
    margin: Annotated[Fraction, Within("0 %", "200 %")] = 0.25
    """Rating above design load."""
    modules: Annotated[int, Within(1, 1000)] = 5
    """Equal modules that share the rating: 5 at a margin of 25 % are one more than the load needs
    (derived)."""
    module: Annotated[Power, Within("10 kW", "5 MW")] | None = None
    """Rating of one module: as many are built as carry the load that hangs on it in the worst state of its scheme,
    racks at nameplate or what their blocks feed, and `spare` more, instead of `modules` and `margin`."""
    spare: Annotated[int, Within(0, 100)] = 1
    """Modules beyond those, where `module` is written."""
    ride_through: Annotated[Duration, Within("0 s", "24 h")]
    """Battery time at design load."""
    recharge: Annotated[Fraction, Within("1 %", "100 %")] = 0.1
    """Most that its batteries take from the input, of the rating (assumed, 5-20 %: chargers that fill 5 minutes'
    batteries in half an hour to two)."""
    input_window: Annotated[Fraction, Within("50 %", "99 %")] = 0.9
    """Voltage below which its batteries carry the load (assumed, 80-90 %)."""
    walk_in: Annotated[Duration, Within("0 s", "10 min")] = 15.0
    """Ramp back to full input once the voltage is back (assumed, 10-30 s)."""
    sag_counter: SagCounter | None = None
    """Blank: it does not count sags."""

    @model_validator(mode="after")
    def _sized_once(self) -> "Ups":
        if self.module is not None and {"modules", "margin"} & self.model_fields_set:
            raise ValueError("`module` counts the modules by their rating: leave `modules` and `margin` away")
        return self

    @model_serializer(mode="wrap")
    def _as_written(self, handler: Any) -> dict[str, Any]:
        """Leave out what a module's rating stands for."""
        tree: dict[str, Any] = handler(self)
        if self.module is not None:
            for key in ("modules", "margin"):
                tree.pop(key, None)
        return tree

    def sized(self, load_w: float) -> Sized:
        """Return what is built for a design load in W."""
        if self.module is None:
            rating_w = load_w * (1.0 + self.margin)
            return Sized(self.modules, rating_w, self.ride_through / (1.0 + self.margin), self.recharge * rating_w)
        needed = max(math.ceil(load_w / self.module * (1.0 - ROUNDING)), 1)
        modules = needed + self.spare
        rating_w = modules * self.module
        return Sized(modules, rating_w, self.ride_through * load_w / rating_w, self.recharge * rating_w)

    @property
    def losses(self) -> LossCurve:
        """Loss in the mode that it is in at rest."""
        return self.eco_loss if self.mode == "eco" else self.loss
