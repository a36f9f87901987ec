"""Fan walls (CRAH): chilled water takes the heat of the hall's air."""

from typing import Annotated

import numpy as np

from simulator.components.cooling._base import LOAD_FRAC, Array
from simulator.components.kinds import Spec
from simulator.units import Fraction, TemperatureDelta, Within


class AirSide(Spec):
    """Variable-speed fans behind coils; the airflow follows the heat at constant air range."""

    approach: Annotated[TemperatureDelta, Within("0.1 K", "20 K")] = 4.0
    """Supply air minus chilled water supply, held by the coil's valve (assumed)."""
    range: Annotated[TemperatureDelta, Within("1 K", "40 K")] = 12.0
    """Return air minus supply air (10-14 K)."""
    fan: Annotated[Fraction, Within(0.0, 0.2)] = 0.03
    """Fan power over air heat at design (0.020-0.035 fan wall, 0.03-0.06 CRAH)."""
    minimum_airflow: Annotated[Fraction, Within(0.05, 1.0)] = 0.4
    """Lowest airflow over design."""
    margin: Annotated[Fraction, Within("0 %", "200 %")] = 0.1
    """Airflow over what design heat needs."""

    def supply_air_c(self, chilled_c: float) -> float:
        """Return the temperature of the air in front of the racks."""
        return chilled_c + self.approach

    def power_frac(self, load_frac: Array = LOAD_FRAC) -> Array:
        """Return fan power per W of capacity at each load: cube of airflow, within its limits.

        Above full airflow the fans hold full speed and the air leaves the racks warmer.
        """
        return self.fan * np.clip(load_frac, self.minimum_airflow, 1.0) ** 3
