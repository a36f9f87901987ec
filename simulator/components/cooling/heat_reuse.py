"""Heat reuse: a network of users takes heat out of the warm loop's return, before the plant."""

from typing import Annotated, Self

import numpy as np
from pydantic import model_validator

from simulator.components.cooling._base import Array
from simulator.components.kinds import Spec
from simulator.units import Fraction, Positive, Power, Temperature, TemperatureDelta, Within


class HeatReuse(Spec):
    """Plate exchangers in the return of every hall's warm loop, as far as it is warm enough.

    What they take is rejected heat with another destination: plants have less to do, so that energy
    and water fall. The network's own pumps, heat pumps and losses are the users'.
    """

    power: Annotated[Power, Positive()] | None = None
    """Most heat that users take from the whole site; halls share it by design heat. Blank: no limit."""
    share: Annotated[Fraction, Within(0.0, 1.0)] = 1.0
    """Most of a warm loop's heat that is taken."""
    temperature: Annotated[Temperature, Within("10 degC", "100 degC")]
    """Water that the users' network must be heated to."""
    approach: Annotated[TemperatureDelta, Within("0.1 K", "20 K")] = 3.0
    """Return of the loop minus that, which the exchangers need (2-5 K, assumed)."""
    full_below: Annotated[Temperature, Within("-50 degC", "60 degC")] | None = None
    """Dry bulb up to which the whole demand is there; blank, as the next: at any."""
    none_above: Annotated[Temperature, Within("-50 degC", "60 degC")] | None = None
    """Dry bulb from which there is none; between them it falls linearly, as heating does."""

    @model_validator(mode="after")
    def _season_is_whole(self) -> Self:
        if (self.full_below is None) != (self.none_above is None):
            raise ValueError("a demand by outdoor air needs both full_below and none_above")
        ends = self.full_below, self.none_above
        if ends[0] is not None and ends[1] is not None and ends[1] <= ends[0]:
            raise ValueError("none_above must be warmer than full_below")
        return self

    @property
    def leaving_c(self) -> float:
        """Coldest that the loop's return leaves the exchangers, in degC."""
        return self.temperature + self.approach

    def demand_frac(self, dry_bulb_c: Array) -> Array:
        """Return the demand over its most in this weather."""
        if self.full_below is None or self.none_above is None:
            return np.ones_like(dry_bulb_c)
        span_k = self.none_above - self.full_below
        return np.asarray(np.clip((self.none_above - dry_bulb_c) / span_k, 0.0, 1.0))
