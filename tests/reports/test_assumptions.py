"""The page of assumptions: values and ranges as a reader wants them."""

import pytest

from simulator.reports import assumptions


@pytest.mark.parametrize(("told", "text"), [
    ("200000000000000.0 to 1000000000000000.0", "2e+14 to 1e+15"),
    (["0.6 %", "1.2 %"], "0.6 % to 1.2 %"),
    ("0.015 /year to 0.10 /year", "0.015 /year to 0.10 /year"),
    ("20e9-55e9", "20e9-55e9"),
    (None, "–"), ((), "–"), (float("nan"), "–"),
])  # fmt: skip
def test_ranges_are_told_in_four_figures(told, text):
    assert assumptions._range(told) == text
