"""The glossary lists every indicator with its unit, and nothing that does not exist."""

import re
from pathlib import Path

from simulator.reports.back_matter import definitions
from simulator.reports.run import Run

GLOSSARY = Path(__file__).parents[2] / "docs" / "glossary.md"


def test_glossary_and_indicators_agree(week):
    table = definitions(Run([week]))
    names = [name.replace("\u200b", "") for name in table["Indicator"]]
    listed = dict(re.findall(r"^\| `([^`]+)` \| (\S[^|]*?) \|", GLOSSARY.read_text(), re.MULTILINE))
    assert listed == dict(zip(names, table["Unit"], strict=True))
