"""The glossary lists every indicator with its unit, and nothing that does not exist."""

import re
from pathlib import Path

from simulator.reports.back_matter import definitions
from simulator.reports.run import Run

METRICS = Path(__file__).parents[2] / "simulator" / "metrics"
GLOSSARY = Path(__file__).parents[2] / "docs" / "glossary.md"


def test_glossary_and_indicators_agree(week):
    table = definitions(Run([week]))
    names = [name.replace("\u200b", "") for name in table["Indicator"]]
    listed = dict(re.findall(r"^\| `([^`]+)` \| (\S[^|]*?) \|", GLOSSARY.read_text(), re.MULTILINE))
    known = dict(zip(names, table["Unit"], strict=True))
    assert {name: listed.get(name) for name in known} == known
    told = "".join(path.read_text() for path in METRICS.glob("*.py"))
    unmade = [name for name in listed if name not in known and name.split("<")[0] not in told]
    assert not unmade  # what this run lacks (droughts, heat reuse, a network) some metric still makes
