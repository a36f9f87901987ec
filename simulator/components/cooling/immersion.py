"""What both kinds of immersion share: servers without fans, and all but a little heat in the fluid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from simulator.components.cooling.rack_side import RackSide
from simulator.units import Fraction, Positive, ThermalResistance, Within

if TYPE_CHECKING:
    from simulator.components.rack import Rack

IDLE_FANS = 0.25
"""Fans of idle servers over those at full work (as catalog rack HGX-H100-8-AIR, assumed)."""


class Immersion(RackSide):
    """Racks of the site stand in tanks of fluid instead of behind cold plates and fans."""

    capture: Annotated[Fraction, Within("50 %", "100 %")] = 0.98
    """Share of a rack's heat that the fluid takes; the rest goes to the hall's air (assumed)."""
    server_fans: Annotated[Fraction, Within("0 %", "30 %")] = 0.1
    """Fans of an air-cooled server over its nameplate, which immersion takes out (5-15 %, assumed);
    racks with cold plates lose them for their heat in air alone."""
    chip_resistance: Annotated[ThermalResistance, Positive()]
    """Junction to fluid of every chip."""

    def rack_changes(self, rack: Rack) -> dict[str, Any]:
        """Return liquid fraction, resistance and powers of an immersed rack.

        Fans carry the share of heat that air takes, so a rack of which `liquid_fraction` is on cold
        plates has that much fewer. A rack made for immersion has none to lose.
        """
        if rack.accelerator is None:
            return {}
        captured = max(self.capture - rack.liquid_fraction, 0.0)
        fans_w = min(self.server_fans * rack.nameplate * captured, rack.host_max)
        return {
            "liquid_fraction": max(self.capture, rack.liquid_fraction),
            "chip_resistance": self.chip_resistance,
            "nameplate": rack.nameplate - fans_w,
            "host_max": rack.host_max - fans_w,
            "host_idle": max(rack.host_idle - IDLE_FANS * fans_w, 0.0),
        }
