"""Tables of measured expert exchanges as benchmarks of them write them: one row per setting, both halves
in it, and no topic. Each becomes two rows of topic `expert_exchange`."""

from collections.abc import Iterator

from simulator.studies.validate.topic import Cells

HEADER = frozenset(
    ("system", "kind", "nodes", "gpus", "hidden", "tokens", "topk", "experts", "sms",
     "dispatch_us", "combine_us")
)  # fmt: skip
"""Columns by which such a table is known."""
SYSTEMS = {"b200_sxm": "B200", "b300_sxm": "B300", "gb200": "GB200", "gb300": "GB300",
           "h100_sxm": "H100-SXM-80GB", "h200_sxm": "H200-SXM-141GB"}  # fmt: skip
"""Accelerators by what AIConfigurator calls its systems."""
KERNELS = {"low_latency": "low_latency", "normal": "normal", "alltoall": "one_sided"}
FORMATS = {"bfloat16": "bf16", "nvfp4": "fp4", "fp8": "fp8"}
"""Kernels and precisions by a word of the column `kind`."""
ALIKE = {"tokens": "tokens", "hidden": "hidden", "active_experts": "topk", "experts": "experts",
         "multiprocessors": "sms", "n_ranks": "gpus"}  # fmt: skip
"""Columns of the topic that only have another name."""


def halves(cells: Cells, place: str) -> Iterator[dict[str, str]]:
    """Yield dispatch and combine of one row, named after its place.

    Words that are not known stay as they are, so that the topic says what is wrong with them.
    """
    kind, system = cells["kind"], cells["system"]
    common = {new: cells[old] for new, old in ALIKE.items()} | {
        "topic": "expert_exchange",
        "kernel": next((kernel for word, kernel in KERNELS.items() if word in kind), kind),
        "dispatch_precision": next((form for word, form in FORMATS.items() if word in kind), ""),
        "accelerator": SYSTEMS.get(system, system),
        "ranks_per_node": _ranks_per_node(cells["gpus"], cells["nodes"] or "1"),
        "unit": "us",
        "engine": f"{kind} {cells.get('version', '')}".strip(),
    }
    for half in ("dispatch", "combine"):
        told = {"id": f"{place}-{half}", "quantity": f"{half}_time"}
        yield common | told | {"measured": cells[f"{half}_us"]}


def _ranks_per_node(ranks: str, nodes: str) -> str:
    """Return the cell of ranks per node: the fraction as it stands where it is no whole number."""
    if not (ranks.isdigit() and nodes.isdigit() and int(nodes) and int(ranks) % int(nodes) == 0):
        return f"{ranks}/{nodes}"
    return str(int(ranks) // int(nodes))
