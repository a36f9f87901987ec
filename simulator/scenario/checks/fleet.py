"""Pools beside each other: where requests spill, and what a schedule says."""

from collections.abc import Iterator

from simulator import catalog
from simulator.documents import Document
from simulator.errors import ScenarioError, StudyError, display_name, nearest
from simulator.scenario.parts import Parts
from simulator.scenario.wording import Trouble
from simulator.workloads import ServedModel, ServedPool
from simulator.workloads.trace_demand import trace_of


def spill(parts: Parts) -> Iterator[Trouble]:
    """Requests that spill to no pool, or that are shed before they may move."""
    pools = {w.name: i for i, w in parts.workloads.items() if isinstance(w, ServedPool)}
    for name, i in pools.items():
        pool = parts.workloads[i]
        assert isinstance(pool, ServedPool)
        if pool.spill is None:
            continue
        path = ("workloads", i, "spill")
        if pool.spill.to == name:
            yield (*path, "to"), f"'{name}' cannot spill to itself; name another pool"
        elif pool.spill.to not in pools and len(pools) == len(parts.of_kind("inference", "diffusion")):
            others = [other for other in pools if other != name]
            listed = f"; there are {', '.join(others)}" if others else "; there is no other"
            cure = nearest(pool.spill.to, others) or listed
            yield (*path, "to"), f"unknown pool '{pool.spill.to}'{cure}"
        elif pool.spill.to in pools and parts.workloads[pools[pool.spill.to]].kind != pool.kind:
            yield (*path, "to"), f"'{pool.spill.to}' makes something else than '{name}'"
        if pool.spill.after > pool.patience:
            told = f"{pool.spill.after:g} s is beyond the pool's patience, {pool.patience:g} s"
            yield (*path, "after"), f"{told}: nothing would ever move"


def languages(parts: Parts) -> Iterator[Trouble]:
    """Languages that the catalog does not have."""
    known = catalog.load("languages", "premiums")["tokens"]
    for i, pool in parts.workloads.items():
        spoken = pool.requests.languages if isinstance(pool, ServedModel) and pool.requests else ()
        for k, one in enumerate(spoken):
            if one.language not in known:
                cure = nearest(one.language, known) or f"; there are {', '.join(known)}"
                path = ("workloads", i, "requests", "languages", k, "language")
                yield path, f"unknown language '{one.language}'{cure}"


def traces(parts: Parts, document: Document) -> Iterator[Trouble]:
    """Traces of requests that are missing or cannot be read."""
    for i, pool in parts.workloads.items():
        if not isinstance(pool, ServedModel) or not pool.requests or not pool.requests.trace:
            continue
        path = ("workloads", i, "requests", "trace")
        file = document.folder_of(path) / pool.requests.trace
        if not file.is_file():
            told = f"there is no file '{display_name(pool.requests.trace)}'"
            yield path, f"{told}; file names are relative to the document"
            continue
        try:
            if trace_of(file).images is not None:
                cure = "pools know the images of a profile ('multimodal-image'), 'gigawatt batch' those"
                yield path, f"has a column 'images': {cure} of a trace; leave the column out"
        except ScenarioError as error:
            yield path, f"{len(error.problems)} problems, the first: {error.problems[0]}"
        except StudyError as error:
            yield path, str(error)


def schedule(parts: Parts) -> Iterator[Trouble]:
    """Schedules that are missing, unused, or that name an hour twice."""
    for i, pool in parts.workloads.items():
        if not isinstance(pool, ServedPool):
            continue
        path, hours = ("workloads", i, "scaling"), [e.hour for e in pool.scaling.schedule]
        if pool.scaling.policy == "schedule" and not hours:
            yield path, "policy 'schedule' needs a 'schedule' of hours and accelerators"
        elif pool.scaling.policy != "schedule" and hours:
            told = f"policy '{pool.scaling.policy}' looks at no schedule"
            yield (*path, "schedule"), f"{told}; write 'policy: schedule'"
        for k, hour in enumerate(hours):
            if hour in hours[:k]:
                yield (*path, "schedule", k, "hour"), f"hour {hour} is named twice"
