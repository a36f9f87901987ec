"""The connection to the utility: lines, main transformers, the import contract."""

from typing import Annotated

from simulator.components.kinds import Spec
from simulator.components.power.bank import Bank
from simulator.units import Fraction, Positive, Power, Voltage, Within


class Grid(Spec):
    """Point of interconnection."""

    voltage: Annotated[Voltage, Within("1 kV", "1200 kV")]
    power_factor: Annotated[Fraction, Within("50 %", "100 %")] = 0.98
    """Power factor held at the point of interconnection."""
    lines: Bank
    """Transmission lines into the campus substation."""
    transformers: Bank
    """Main transformers, high to medium voltage."""
    import_limit: Annotated[Power, Positive()] | None = None
    """Contracted import; blank means the equipment alone limits it."""

    def equipment_w(self, out: int = 0) -> float:
        """Return the import in W that lines and main transformers carry with so many of either out, whatever
        the contract."""
        return self.power_factor * min(self.lines.capacity_va(out), self.transformers.capacity_va(out))

    def firm_w(self) -> tuple[float, str]:
        """Return the import in W that survives the loss of any one line or transformer, and what
        limits it."""
        limits = [
            (self.lines.capacity_va(out=1) * self.power_factor, "lines, one out"),
            (
                self.transformers.capacity_va(out=1) * self.power_factor,
                "main transformers, one out",
            ),
        ]
        if self.import_limit is not None:
            limits.append((self.import_limit, "import contract"))
        return min(limits)

    def available_w(self, lines_up: int, transformers_up: int) -> float:
        """Return the import limit in W with this many lines and main transformers in service."""
        capacity_w = self.power_factor * min(
            lines_up * self.lines.rating, transformers_up * self.transformers.rating
        )
        return capacity_w if self.import_limit is None else min(capacity_w, self.import_limit)
