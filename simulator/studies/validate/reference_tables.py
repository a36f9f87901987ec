"""Tables of published figures in other forms: MLPerf's results, and free-form figures with a unit and a
configuration in words. Each row becomes one of the topics `mlperf_inference`, `inference_reference`."""

from collections.abc import Iterator

from simulator.studies.validate.topic import Cells

MLPERF = frozenset(
    ("accelerator", "accelerators", "model", "scenario", "weight_dtype", "software",
     "result_tokens_per_s", "mean_output_tokens", "ttft_limit_ms", "tpot_limit_ms")
)  # fmt: skip
FIGURES = frozenset(("id", "topic", "quantity", "value", "unit", "configuration"))
"""Columns by which such tables are known."""


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
    """Yield a figure; words, intervals and what is held out are nothing measured to compare with."""
    named = cells["id"] or place
    topic = f"{cells['topic']}_reference"
    yield {**cells, "id": named, "topic": topic, "measured": _number(cells["value"])}


def _number(cell: str) -> str:
    """Return a cell if it is a number, a blank one if not."""
    try:
        float(cell)
    except ValueError:
        return ""
    return cell
