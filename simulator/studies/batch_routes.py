"""Which requests of a trace the replicas get, and what of it a stream cannot keep."""

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulator.components import from_catalog
from simulator.kernels import dispatch
from simulator.request_trace import RequestTrace
from simulator.studies import StudyError
from simulator.studies.batch_deployment import Question, named

SHOWN = 5
"""Models that a message names."""


def check_dispatch(asked: Question) -> None:
    """Raise a StudyError for a way to deal out requests that there is not."""
    if asked.dispatch not in dispatch.POLICIES:
        known = ", ".join(dispatch.POLICIES)
        raise StudyError(f"dispatch is '{asked.dispatch}', none of {known}")


def routed(asked: Question, trace: RequestTrace) -> tuple[NDArray[np.bool_], dict[str, int]]:
    """Return which requests are for the model, and how many are for each other one.

    All are, if the trace has no column `model`; a StudyError if it has and none is.
    """
    if trace.models is None:
        return np.ones(trace.requests, bool), {}
    wanted = named(from_catalog.language_model, asked.model).name
    found = pc.value_counts(trace.models).to_pylist()
    counts = {str(entry["values"]): int(entry["counts"]) for entry in found}
    same = [name for name in counts if _model_name(name) == wanted]
    if not same:
        raise StudyError(
            f"no request of {trace.path.name} is for {wanted}: its column 'model' names "
            f"{listed(counts)}; give one of these as --model, or drop the column to serve all"
        )
    mask = pc.is_in(trace.models, value_set=pc.cast(same, trace.models.type))
    return np.asarray(mask).astype(bool), {n: k for n, k in counts.items() if n not in same}


def listed(names: dict[str, int]) -> str:
    """Return names as a message has them, the first few of many."""
    more = len(names) - SHOWN
    return ", ".join(list(names)[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _model_name(name: str) -> str:
    try:
        return from_catalog.language_model(name).name
    except KeyError:
        return ""


def check_stream(asked: Question, trace: RequestTrace) -> None:
    """Raise a StudyError that tells all a stream would have to drop."""
    check_dispatch(asked)
    _, elsewhere = routed(asked, trace)
    dropped = {
        "--prefill-replicas": asked.prefill_replicas > 0,
        f"--dispatch {asked.dispatch}": asked.dispatch != dispatch.POLICIES[dispatch.ROUND_ROBIN],
        "--prefix-block": bool(asked.block_tokens),
        "prefix blocks (--prefix-block 0 leaves them out)": (
            trace.blocks is not None and asked.block_tokens is None
        ),
        "classes": trace.classes is not None,
        f"requests for other models ({listed(elsewhere)})": bool(elsewhere),
    }
    told = [name for name, is_dropped in dropped.items() if is_dropped]
    if told:
        raise StudyError(
            f"a stream cannot have {', '.join(told)}: replay the trace, without --rate"
        )
