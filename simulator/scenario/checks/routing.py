"""Traffic: pools that exist and are open, a route for every class, every entry a route rests on."""

from collections.abc import Iterator
from typing import NamedTuple

from simulator.documents import TreePath
from simulator.errors import nearest, squash
from simulator.policies.route import RoutingPolicy
from simulator.scenario.checks.names import USABLE
from simulator.scenario.checks.plant import Plant, chip_named, model_named
from simulator.scenario.parts import Parts
from simulator.scenario.wording import Trouble
from simulator.workloads import ServedModel, Traffic
from simulator.workloads.inference import image_tokens, impossible, most_tokens
from simulator.workloads.routed_requests import (
    cell,
    closed_to,
    request_of,
    thought_of,
    written_tokens,
)
from simulator.workloads.traffic import RequestClass, Retention

TABLES = ("quality", "quality_cut", "escalation")


class Place(NamedTuple):
    """A class of requests and where it stands."""

    path: TreePath
    traffic: Traffic
    cls: RequestClass

    @property
    def policy(self) -> RoutingPolicy:
        """Policy that routes it."""
        policy: RoutingPolicy = self.cls.router or self.traffic.router
        return policy

    @property
    def policy_path(self) -> TreePath:
        """Where its policy stands."""
        return (*self.path, "router") if self.cls.router else (*self.path[:2], "router")


def class_names(parts: Parts) -> Iterator[Trouble]:
    """Classes whose names are used twice or could not stand in the name of a KPI."""
    seen: set[str] = set()
    for place in _classes(parts):
        name, path = place.cls.name, (*place.path, "name")
        if name in seen:
            yield path, f"a second class is called '{name}'; rename one"
        elif not USABLE.fullmatch(name):
            told = "use letters, digits, '-', '_' and '.', at most 64, no blank"
            yield path, f"'{name}' cannot stand in the name of a result: {told}"
        seen.add(name)


def pools_without_requests(parts: Parts) -> Iterator[Trouble]:
    """Pools without demand where nothing is routed, and pools that two mechanisms would move."""
    given = parts.tree.get("workloads")
    works = [work for work in given if isinstance(work, dict)] if isinstance(given, list) else []
    routed = any(work.get("kind") == "traffic" for work in works)
    pools = {pool.name: pool for pool in _pools(parts)}
    for i, pool in parts.workloads.items():
        if not isinstance(pool, ServedModel):
            continue
        if pool.demand is None and not routed:
            cure = "give it 'demand', or route requests to it by 'kind: traffic'"
            yield ("workloads", i, "demand"), f"'{pool.name}' has no demand; {cure}"
        to = pools.get(pool.spill.to) if pool.spill else None
        if pool.spill and (pool.demand is None or (to is not None and to.demand is None)):
            told = "requests of a router are spilled by its policy ('kind: spill')"
            yield ("workloads", i, "spill"), f"{told}; leave this out"


def unknown_pools(parts: Parts) -> Iterator[Trouble]:
    """Pools named by policies, moderation and tables that do not exist, and tasks no class has."""
    names = [pool.name for pool in _pools(parts)]
    told: set[TreePath] = set()
    for place in _classes(parts):
        named = [(place.policy_path, name) for name in place.policy.named()]
        if place.cls.moderation:
            named.append(((*place.path, "moderation", "pool"), place.cls.moderation.pool))
        for path, name in named:
            if name not in names and (*path, name) not in told:
                told.add((*path, name))
                yield path, _unknown("pool", name, names)
    for i, traffic in _traffics(parts):
        tasks = [cls.task for cls in traffic.classes]
        for table in TABLES:
            for task, row in getattr(traffic, table).items():
                path = ("workloads", i, table, task)
                if task not in tasks:
                    yield path, _unknown("task", task, tasks)
                for name in (n for n in row if n not in names):
                    yield (*path, name), _unknown("pool", name, names)


def routes(parts: Parts) -> Iterator[Trouble]:
    """Classes without a route, routes to pools that are closed, and entries that are missing."""
    pools = _pools(parts)
    classes = _classes(parts)
    if not classes or not pools or not all(_usable(pool) for pool in pools):
        return
    names = tuple(pool.name for pool in pools)
    for place in classes:
        if set(place.policy.named()) <= set(names):
            yield from _missing_cells(place, pools) or _bad_route(place, pools)


def traces(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Traces kept on storage racks that no hall has, or that are too few for them."""
    for place in _classes(parts):
        kept = place.cls.retention
        if kept is None:
            continue
        path = (*place.path, "retention")
        racks = _storage_racks(plant, kept.storage)
        needed = _trace_bytes_s(place.cls, kept) * kept.keep / kept.rack_capacity
        if not racks:
            yield (*path, "storage"), f"no hall has support racks of type '{kept.storage}'"
        elif needed > racks:
            told = f"traces fill {needed:.3g} racks of type '{kept.storage}', the halls have {racks}"
            yield path, f"{told}; lower 'keep' or 'share', or add racks"


def _storage_racks(plant: Plant, name: str) -> int:
    """Return the support racks of a type in all halls."""
    return sum(
        count * group.hall.count
        for group in plant.groups
        for rack, count in group.support
        if squash(name) in {squash(known) for known in (rack.name, *rack.aliases)}
    )


def _trace_bytes_s(cls: RequestClass, kept: Retention) -> float:
    """Return the bytes written per second at the class's mean rate, thought left out."""
    tokens = cls.input_tokens + cls.output_tokens
    each = kept.bytes_per_request + kept.bytes_per_token * tokens
    return cls.rate_per_s * kept.share * each


def _missing_cells(place: Place, pools: list[ServedModel]) -> list[Trouble]:
    """Return an error that names every entry a decision rests on and the user has not given."""
    traffic, cls, names = place.traffic, place.cls, tuple(pool.name for pool in pools)
    request = request_of(traffic, cls, pools)
    wanted = list(place.policy.cells(request, names))
    lacking: dict[str, list[str]] = {}
    for table, name in wanted:
        given = getattr(traffic, table, {}).get(cls.task, {}) if table in TABLES else {}
        if name not in given:
            lacking.setdefault(table, []).append(name)
    for pool, is_open in zip(pools, request.open, strict=True):
        rated = cell(traffic.quality, cls.task, pool.name) is not None
        cut = thought_of(cls, pool)[1] > 0.0
        if is_open and rated and cut and cell(traffic.quality_cut, cls.task, pool.name) is None:
            lacking.setdefault("quality_cut", []).append(pool.name)
    return [_lack(place, table, found) for table, found in lacking.items()]


def _lack(place: Place, table: str, pools: list[str]) -> Trouble:
    listed = ", ".join(f"'{name}'" for name in pools)
    if table == "prices":
        return place.policy_path, f"'cost: money' needs 'prices' of {listed}"
    why = {
        "quality": f"policy '{place.policy.kind}' chooses by it",
        "quality_cut": "a budget cuts chains of thought there",
        "escalation": f"policy '{place.policy.kind}' passes answers on by it",
    }[table]
    told = f"'{table}' has no entry for task '{place.cls.task}' and {listed}: {why}"
    return place.path, f"{told}, and it is not invented here"


def _bad_route(place: Place, pools: list[ServedModel]) -> Iterator[Trouble]:
    """Yield why a class has no route, or which pool of it is closed or too short."""
    names = tuple(pool.name for pool in pools)
    request = request_of(place.traffic, place.cls, pools)
    candidates = place.policy.candidates(request, names)
    if not candidates:
        yield place.path, _no_route(place, pools)
    by_name = {pool.name: pool for pool in pools}
    reached = {by_name[name] for stage in candidates for name in stage}
    for pool in sorted(reached, key=lambda p: names.index(p.name)):
        why = closed_to(place.cls, pool) or _too_long(place.cls, pool)
        if why:
            yield place.path, f"class '{place.cls.name}' goes to pool '{pool.name}', which {why}"
    listed = [name for stage in candidates for name in stage]
    if len(listed) > len(set(listed)):
        yield place.policy_path, "a pool stands twice in the order"
    moderation = place.cls.moderation
    if moderation and not (moderation.before or moderation.after):
        yield (*place.path, "moderation"), "neither 'before' nor 'after': leave it out"
    if moderation and moderation.pool in by_name and by_name[moderation.pool].demand:
        yield (*place.path, "moderation", "pool"), "that pool has demand of its own"


def _no_route(place: Place, pools: list[ServedModel]) -> str:
    """Return that a class has no route, and why the pools of the router are closed to it."""
    routed = [pool for pool in pools if pool.demand is None]
    reasons = [f"'{p.name}' {why}" for p in routed if (why := closed_to(place.cls, p))]
    closed = f" ({'; '.join(reasons)})" if reasons else ""
    told = f"class '{place.cls.name}' has no route by policy '{place.policy.kind}'"
    return f"{told}: {place.policy.without_route}{closed}"


def _too_long(cls: RequestClass, pool: ServedModel) -> str:
    shown = image_tokens(pool, cls.images)
    if shown > cls.input_tokens:
        return f"makes {shown:.0f} tokens of its images, more than its input_tokens"
    tokens, most = cls.input_tokens + written_tokens(cls, pool), most_tokens(pool)
    return "" if tokens <= most else f"cannot hold its {tokens:.0f} tokens ({pool.model}: {most})"


def _usable(pool: ServedModel) -> bool:
    """Return whether a pool can serve at all; if not, another check says why."""
    known = model_named(pool.model) is not None and chip_named(pool.accelerator) is not None
    return known and not impossible(pool)


def _unknown(what: str, name: str, known: list[str]) -> str:
    cure = nearest(name, known) or f"; there are {', '.join(dict.fromkeys(known)) or 'none'}"
    return f"unknown {what} '{name}'{cure}"


def _classes(parts: Parts) -> list[Place]:
    return [
        Place(("workloads", i, "classes", k), traffic, cls)
        for i, traffic in _traffics(parts)
        for k, cls in enumerate(traffic.classes)
    ]


def _traffics(parts: Parts) -> list[tuple[int, Traffic]]:
    return [(i, w) for i, w in parts.workloads.items() if isinstance(w, Traffic)]


def _pools(parts: Parts) -> list[ServedModel]:
    return [w for w in parts.workloads.values() if isinstance(w, ServedModel)]
