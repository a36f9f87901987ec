"""Which failures of several elements at once are tried: those that share a group, a path, or a price."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from simulator.simulation import Run
from simulator.site import Site
from simulator.studies.contingency_cases import Case, group_of


def together(
    run: Run, cases: Sequence[Case], worst: Sequence[int], most: int
) -> tuple[list[Case], int]:
    """Return the failures of several elements that matter, and how many pairs are left out.

    Tried are: two units of each group that stand in for each other (one pair: all others of the group
    are the same), and the whole group, which fails by common cause; each two kinds of equipment on
    one path, which is what feeds or cools one hall, and what feeds all (racks and their servers feed
    and cool nothing); and any two of the `most` single failures that cost most (`worst`: indices,
    dearest first, of those that cost anything); of units alike the first stands for all.
    """
    chosen: dict[tuple[int, int], str] = {}
    groups = _members(cases)
    dearest = _apart(cases, worst)[:most]
    for rule, found in (
        ("one group", [(g[0], g[1]) for g in groups if len(g) > 1]),
        ("one path", _on_one_path(cases)), ("worst singles", list(_all_of(dearest))),
    ):
        for pair in found:
            if cases[pair[0]].hits[0][2:] != cases[pair[1]].hits[0][2:] or rule == "one group":
                chosen.setdefault(pair, rule)
    every = len(cases) * (len(cases) - 1) // 2
    site = run.world.site
    whole = [w for g in groups if (w := _whole(site, [cases[i] for i in g])) is not None]
    pairs = [_pair(site, cases[i], cases[j], rule) for (i, j), rule in chosen.items()]
    return pairs + whole, every - len(chosen)


def _members(cases: Sequence[Case]) -> list[list[int]]:
    """Return the cases of each group of the plant."""
    groups: dict[tuple[str, int], list[int]] = {}
    for i, case in enumerate(cases):
        if case.group is not None:
            groups.setdefault(case.group, []).append(i)
    return list(groups.values())


def _apart(cases: Sequence[Case], worst: Sequence[int]) -> list[int]:
    """Return the single elements among the dearest, of those that take the same out the first."""
    first = {cases[i].alike or ("case", i): i for i in reversed(worst) if cases[i].count == 1}
    return [i for i in worst if first.get(cases[i].alike or ("case", i)) == i]


def _all_of(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    for a, i in enumerate(places):
        for j in places[a + 1 :]:
            yield (min(i, j), max(i, j))


def _on_one_path(cases: Sequence[Case]) -> list[tuple[int, int]]:
    """Return the first units of different equipment that feeds or cools one hall, or all of them."""
    firsts: dict[str, dict[tuple[str, int], int]] = {}
    for i, case in enumerate(cases):
        if case.group is not None and case.kind != "rack" and case.level in ("site", "hall"):
            place = case.hits[0].element.split("/")[0] if case.level == "hall" else ""
            firsts.setdefault(place, {}).setdefault(case.group, i)
    everywhere = sorted(firsts.pop("", {}).values())
    found = list(_all_of(everywhere))
    for of_hall in firsts.values():
        mine = sorted(of_hall.values())
        found += _all_of(mine)
        found += ((min(i, j), max(i, j)) for i in everywhere for j in mine)
    return found


def _pair(site: Site, a: Case, b: Case, rule: str) -> Case:
    """Return both out at once. How often follows from their rates and from how long each is out; two
    that are a whole group also fail by common cause."""
    alike = (a.alike, b.alike) if a.alike and b.alike else ()
    return Case(
        a.hits + b.hits, _both(a.kind, b.kind), _both(a.level, b.level), a.classes[:1] + b.classes[:1],
        (a.rate_year, b.rate_year), alike=alike, rule=rule,
        common_year=_common_year(site, [a, b]) if rule == "one group" else 0.0,
    )


def _whole(site: Site, members: list[Case]) -> Case | None:
    """Return a whole group out by common cause; None where that cannot be, or is a pair."""
    common_year = _common_year(site, members)
    if len(members) < 3 or common_year == 0.0:
        return None
    first = members[0]
    hits = tuple(hit for case in members for hit in case.hits)
    return replace(
        first, hits=hits, classes=first.classes[:1], rates_year=(0.0,) * len(hits), alike=(),
        common_year=common_year, rule="common cause",
    )


def _common_year(site: Site, members: list[Case]) -> float:
    """Return how often members fail together by common cause: zero unless they are a whole group."""
    group = members[0].group
    if group is None or int(np.sum(group_of(site, members[0].classes[0]) == group[1])) != len(members):
        return 0.0
    classes = zip(members[0].classes, members[0].rates_year, strict=True)
    return sum(cls.common_cause * rate for cls, rate in classes)


def _both(a: str, b: str) -> str:
    return a if a == b else f"{a} + {b}"
