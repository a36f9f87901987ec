"""Which engines stood behind a row of `serving_load`, and how their chips share the model.

The table gives degrees as its source does, and the source counts in several ways: rows that appear
twice (the same measurement under two names) show what each means.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from simulator.performance.serving_setting import ReplicaPlan
from simulator.studies.validate import deployments
from simulator.studies.validate.deployments import Alone, Deployment, Workload
from simulator.studies.validate.replicas import precision_of
from simulator.studies.validate.topic import Cells, count, given, number

WIDEST_DECODE = 32
"""Chips of the widest decode engine that was run (expert parallel, InferenceX)."""
PREFILL_CHIPS = 4
"""Chips of a prefill worker on racks where none is given (InferenceX, GB200)."""
POWERS = (1, 2, 4, 8, 16, 32)
USUAL_DECODES = 4
FARTHEST = math.log(4.0)
"""A recipe for more or fewer users than by this, as the logarithm of a ratio, says nothing."""
CROWDED = 16.0
"""Users per chip from which attention was run data parallel where a row does not say."""


@dataclass(frozen=True)
class Engines:
    """The engines of a deployment."""

    decode: ReplicaPlan
    decodes: int = 1
    prefill: ReplicaPlan | None = None
    """None: prompts and decoding share the engine."""
    prefills: int = 1
    note: str = ""
    published: Deployment | None = None
    """The deployment of a published recipe, if one was run with as many users."""
    drafting: bool | None = None
    """Whether a prediction layer drafted; None: no recipe tells."""


def engines_of(row: Cells) -> Engines:
    """Return the engines of a row."""
    if row.get("mode", "").startswith("disagg"):
        return _disaggregated(row)
    chips = int(number(row, "n_accelerators", 0.0))
    if _of_rack(row) and chips > 8:
        return _published(row, chips) or _whole_rack(chips, number(row, "concurrency"))
    plan = _aggregated(row)
    count_of = max(chips // plan.chips, 1) if _counted_once(row, chips) else 1
    known = _alone(row, plan)
    plans, drafting = {d.plan for d in known}, {d.drafting for d in known}
    if len(plans) == 1 and plan.dp == 1 and plan.ep == 1:
        plan = plans.pop()
    return Engines(plan, count_of, drafting=drafting.pop() if len(drafting) == 1 else None)


def _alone(row: Cells, plan: ReplicaPlan) -> list[Alone]:
    """Return the published engines that a row can be of; it may leave out experts and groups."""
    users, version = count(row, "concurrency"), row.get("engine_version", "")
    known = [
        d
        for d in deployments.alone(_workload(row))
        if d.least <= users <= d.most and d.plan.chips == plan.chips
    ]
    known = [d for d in known if d.version == version] if version else known
    told = [d for d in known if d.plan == plan]
    return told or known


def _of_rack(row: Cells) -> bool:
    return given(row, "accelerator").startswith("GB")


def _degree(row: Cells, name: str) -> int:
    """Return a degree; blank or 0 is not used."""
    return max(int(number(row, name, 1.0)), 1)


def _counted_once(row: Cells, chips: int) -> bool:
    return chips > 0 and _squared(row, chips) is None


def _squared(row: Cells, chips: int) -> int | None:
    """Return the chips of an engine whose tensor and expert ranks, the same chips, were multiplied."""
    root, ep = math.isqrt(chips), _degree(row, "ep")
    if root < 2 or root * root != chips or _of_rack(row):
        return None
    crossed = _degree(row, "moe_tp") == ep == root
    repeated = ep == chips and _degree(row, "tp") == _degree(row, "dp") == root
    return root if crossed or repeated else None


def _aggregated(row: Cells) -> ReplicaPlan:
    chips = int(number(row, "n_accelerators", 0.0))
    tp, dp, ep = (_degree(row, name) for name in ("tp", "dp", "ep"))
    root = _squared(row, chips)
    if root:
        return ReplicaPlan(root, 1, root) if tp > 1 else ReplicaPlan(1, root, root)
    return ReplicaPlan(tp, dp, min(ep, tp * dp))


def _disaggregated(row: Cells) -> Engines:
    prefill, decode = (_given_plan(row, part) for part in ("prefill_", "decode_"))
    if row.get("prefill_workers"):
        workers = (count(row, f"{part}_workers") for part in ("prefill", "decode"))
        prefills, decodes = workers
        told = Engines(decode, decodes, prefill, prefills)
        known = _nearest(row, lambda d: _same_workers(d, told))
        return replace(told, published=known if known and _exact(row, known) else None)
    users, chips = number(row, "concurrency"), decode.chips
    whole = _of_rack(row) and (chips > WIDEST_DECODE or chips not in POWERS)
    published = _published(row, chips if whole else None, prefill.chips, chips)
    if published:
        return published
    if whole:
        return _whole_rack(chips, users)
    if _of_rack(row) and chips == 1 and row.get("decode_ep", "").startswith("1"):
        chips = WIDEST_DECODE if users > CROWDED * WIDEST_DECODE / 2 else 8
        prefill = ReplicaPlan(1, PREFILL_CHIPS, PREFILL_CHIPS)
    return _guessed(row, chips, users, prefill)


def _published(
    row: Cells, whole: int | None, prefill_chips: int = 0, decode_chips: int = 0
) -> Engines | None:
    """Return the engines of the recipe run with the nearest number of users, if there is one.

    Its deployment has as many chips as `whole`, or workers of as many chips as the row's.
    """

    def fits(known: Deployment) -> bool:
        if whole is not None:
            return known.chips == whole
        sides = known.prefill.plan.chips, known.decode.plan.chips
        return sides == (prefill_chips, decode_chips)

    found = _nearest(row, fits)
    if found is None:
        return None
    exact = _exact(row, found)
    note = f"{found.prefill.count} prefill and {found.decode.count} decode workers of a recipe"
    return Engines(
        found.decode.plan, found.decode.count, found.prefill.plan, found.prefill.count,
        note if exact else f"{note} for other users", found if exact else None,
    )  # fmt: skip


def _nearest(row: Cells, fits: Callable[[Deployment], bool]) -> Deployment | None:
    """Return the recipe that fits with the nearest number of users; of equals one without drafts."""
    known = [d for d in deployments.of(_workload(row)) if fits(d)]
    version = row.get("engine_version", "")
    known = [d for d in known if version and d.version == version] or known
    users = count(row, "concurrency")
    near = [d for d in known if d.away(users) <= FARTHEST]
    return min(near, key=lambda d: (d.away(users), d.drafts > 0, not d.decode.seats), default=None)


def _workload(row: Cells) -> Workload:
    lengths = count(row, "input_tokens"), count(row, "output_tokens")
    return deployments.workload(
        given(row, "model"), given(row, "accelerator"), precision_of(row), given(row, "engine"),
        *lengths,
    )  # fmt: skip


def _exact(row: Cells, found: Deployment) -> bool:
    return count(row, "concurrency") in found.users


def _same_workers(known: Deployment, told: Engines) -> bool:
    """Tell whether a recipe has the workers that a row tells."""
    assert told.prefill is not None
    mine = (told.prefills, told.prefill.chips, told.decodes, told.decode.chips)
    before, after = known.prefill, known.decode
    return mine == (before.count, before.plan.chips, after.count, after.plan.chips)


def _guessed(row: Cells, chips: int, users: float, prefill: ReplicaPlan) -> Engines:
    """Return the engines where workers are not given: those of like rows that give them.

    TensorRT-LLM ran four tensor-parallel decode workers for few users; anyone else one. Many users
    were decoded data parallel.
    """
    many = USUAL_DECODES if row.get("engine") == "trtllm" else 1
    wide = chips > 8 and (_of_rack(row) or row.get("engine") == "sglang")
    if wide or users > CROWDED * chips * many:
        return Engines(ReplicaPlan(1, chips, chips), 1, prefill, 1, "one decode worker guessed")
    ep = chips if _degree(row, "decode_ep") > 1 else 1
    return Engines(ReplicaPlan(chips, 1, ep), many, prefill, 1, f"{many} decode workers guessed")


def _given_plan(row: Cells, part: str) -> ReplicaPlan:
    tp, dp, ep = (_degree(row, f"{part}{name}") for name in ("tp", "dp", "ep"))
    return ReplicaPlan(tp, dp, tp * dp if ep > 1 or dp > 1 else 1)


def _whole_rack(chips: int, users: float) -> Engines:
    """Return a guess at the workers of a deployment of which only all chips are known.

    Few users: one prefill worker and decode workers of 8 chips. Many: one decode engine as wide as
    a power of two allows, prefill on the rest.
    """
    note = f"workers of {chips} chips guessed"
    prefill = ReplicaPlan(1, PREFILL_CHIPS, PREFILL_CHIPS)
    if users / chips <= CROWDED and (chips - PREFILL_CHIPS) % 8 == 0:
        decodes = (chips - PREFILL_CHIPS) // 8
        return Engines(ReplicaPlan(8, 1, 8), decodes, prefill, 1, note)
    wide = min(WIDEST_DECODE, 2 ** int(math.log2(max(chips - PREFILL_CHIPS, 1))))
    rest = max((chips - wide) // PREFILL_CHIPS, 1)
    return Engines(ReplicaPlan(1, wide, wide), 1, prefill, rest, note)
