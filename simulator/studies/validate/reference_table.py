"""Tables of published figures in words: a value, a unit, a configuration as prose. Each row becomes a
row of its topic, with the limits that a bound or a range states."""

import re

from simulator.studies.validate.topic import Cells

HEADER = frozenset(("id", "topic", "quantity", "value", "unit", "configuration"))
"""Columns by which such a table is known, where it has none called `measured`."""
BLIND = ("", "HELD-OUT")
"""Values that are to be predicted."""
_NUMBER = r"(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
_PLAIN = re.compile(rf"~?{_NUMBER}")
_BOUND = re.compile(rf"(>=|<=|>|<){_NUMBER}")
_RANGE = re.compile(rf"{_NUMBER}-{_NUMBER}")


def row(cells: Cells) -> dict[str, str]:
    """Return the row with `measured`, and `least` and `most` where the value is a bound or a range.

    A bound measures its limit, a range its middle. What is no number stays words under `value`.
    """
    value = cells["value"].replace(",", "")
    found = {**cells, "measured": "", "least": "", "most": ""}
    if value in BLIND:
        return found
    if plain := _PLAIN.fullmatch(value):
        return found | {"measured": plain[1]}
    if bound := _BOUND.fullmatch(value):
        return found | {"measured": bound[2], "least" if bound[1][0] == ">" else "most": bound[2]}
    if ends := _RANGE.fullmatch(value):
        middle = 0.5 * (float(ends[1]) + float(ends[2]))
        return found | {"measured": f"{middle:g}", "least": ends[1], "most": ends[2]}
    return found
