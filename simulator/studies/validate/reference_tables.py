"""Tables of published figures in other forms: MLPerf's results, and free-form figures with a unit and a
configuration in words. Each row becomes one of a topic."""

import re
from collections.abc import Iterator

from simulator.studies.validate.topic import Cells

MLPERF = frozenset(
    ("accelerator", "accelerators", "model", "scenario", "weight_dtype", "software",
     "result_tokens_per_s", "mean_output_tokens", "ttft_limit_ms", "tpot_limit_ms")
)  # fmt: skip
FIGURES = frozenset(("id", "topic", "quantity", "value", "unit", "configuration"))
"""Columns by which such tables are known."""
TOPICS = {"inference": "inference_reference"}
"""Subjects of figures that are simulated by a topic of another name."""
_NUMBER = r"(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
_PLAIN = re.compile(rf"~?{_NUMBER}")
_BOUND = re.compile(rf"(>=|<=|>|<){_NUMBER}")
_RANGE = re.compile(rf"{_NUMBER}-{_NUMBER}")


def mlperf(cells: Cells, place: str) -> Iterator[dict[str, str]]:
    """Yield a row of MLPerf inference; a result that is held out is to be predicted."""
    told = {
        "topic": "mlperf_inference",
        "id": f"{cells.get('id', '')} {cells['model']} {cells['scenario']} {place}",
        "quantity": "output_throughput",
        "unit": "tokens/s",
        "n_accelerators": cells["accelerators"],
        "weight_precision": cells["weight_dtype"].lower().replace("uint", "int"),
        "measured": _number(cells["result_tokens_per_s"]),
    }
    yield {**cells, **told}


def figure(cells: Cells, place: str) -> Iterator[dict[str, str]]:
    """Yield a figure in words, with the limits that a bound or a range states.

    A bound measures its limit, a range its middle. What is no number stays words under `value`, and
    what is held out is to be predicted.
    """
    value = cells["value"].replace(",", "")
    topic = TOPICS.get(cells["topic"], cells["topic"])
    found = {**cells, "id": cells["id"] or place, "topic": topic, "measured": "", "least": "", "most": ""}
    yield found | _limits(value)


def _limits(value: str) -> dict[str, str]:
    """Return what a value in words measures, at least and at most."""
    if plain := _PLAIN.fullmatch(value):
        return {"measured": plain[1]}
    if bound := _BOUND.fullmatch(value):
        return {"measured": bound[2], "least" if bound[1][0] == ">" else "most": bound[2]}
    if ends := _RANGE.fullmatch(value):
        middle = 0.5 * (float(ends[1]) + float(ends[2]))
        return {"measured": f"{middle:g}", "least": ends[1], "most": ends[2]}
    return {}


def _number(cell: str) -> str:
    """Return a cell if it is a number, a blank one if not."""
    try:
        float(cell)
    except ValueError:
        return ""
    return cell
