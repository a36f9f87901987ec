"""The glossary lists every indicator with its unit, and nothing that does not exist."""

import re
from pathlib import Path

from simulator.metrics.names import UNITS
from simulator.reports.back_matter import definitions
from simulator.reports.run import Run

GLOSSARY = Path(__file__).parents[2] / "docs" / "glossary.md"


def test_glossary_and_indicators_agree(week):
    table = definitions(Run([week]))
    names = [name.replace("\u200b", "") for name in table["Indicator"]]
    listed = glossary()
    known = dict(zip(names, table["Unit"], strict=True))
    assert {name: listed.get(name) for name in known} == known


def test_the_glossary_has_what_may_be_asked_and_no_more():
    listed, found = glossary(), {}
    for pattern, unit in listed.items():
        form = re.sub(r"<\w+>", "[^.]+", pattern).replace(".", r"\.").replace(r"[^\.]", "[^.]")
        fits = [name for name in UNITS if name == pattern or re.fullmatch(form, name)]
        assert fits, pattern
        if all(UNITS[name] == unit for name in fits):
            found |= dict.fromkeys(fits, unit)
    assert found == UNITS


def glossary() -> dict[str, str]:
    """Return the unit of each indicator of the glossary's table."""
    return dict(re.findall(r"^\| `([^`]+)` \| (\S[^|]*?) \|", GLOSSARY.read_text(), re.MULTILINE))
