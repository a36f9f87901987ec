"""The register of constants is what stands in the code: value, evidence and range."""

from types import ModuleType

import pytest

from simulator.performance import chip, constants
from simulator.performance.constants import of_module

CODE = '''"""A module."""

# Share that large messages reach, and small ones. Measured, 0.7-0.9 and 0.1-0.3.
LARGE, SMALL = 0.8, 0.2

# Start-up of a kernel. Assumed, 2-6 us.
START_S = 4e-6

# Two of a kind, one comment. Derived, range 1-2.
FIRST = 1.5
SECOND = 1.7

# A size and a share of it. Assumed, 0.5-0.9.
SIZE, PART = 256, 0.7

# A size without evidence.
GRID = 65
# Assumed.
_NAMES = {"a": 1}

# Computed, so not a constant. Assumed.
DOUBLE = 2 * START_S
NAKED = 3.0
'''


@pytest.fixture
def module(monkeypatch):
    made = ModuleType("simulator.performance.made")
    exec(CODE, vars(made))
    monkeypatch.setattr(constants.inspect, "getsource", lambda _: CODE)
    return made


def test_a_constant_is_a_number_below_a_comment_with_evidence(module):
    found = {c.name.rpartition(".")[2]: c for c in of_module(module)}
    assert list(found) == ["LARGE", "SMALL", "START_S", "FIRST", "SECOND", "SIZE", "PART"]
    assert found["LARGE"][:2] == ("performance.made.LARGE", 0.8)
    assert found["LARGE"].evidence == "measured" and found["START_S"].evidence == "assumed"
    assert found["START_S"].source == "Start-up of a kernel. Assumed, 2-6 us."


def test_ranges_are_paired_in_order_or_hold_the_value(module):
    ranges = [c.range for c in of_module(module)]
    assert ranges == ["0.7-0.9", "0.1-0.3", "2-6 us", "1-2", "1-2", None, "0.5-0.9"]


def test_the_constants_of_this_floor_are_found_where_they_stand():
    found = {c.name: c for c in constants.constants()}
    assert len(found) == len(constants.constants()) >= 20
    power = found["performance.chip.MATRIX_POWER_EXPONENT"]
    assert power.value == chip.MATRIX_POWER_EXPONENT and power.evidence == "derived"
    low, high = map(float, str(power.range).split("-"))
    assert low < power.value < high
