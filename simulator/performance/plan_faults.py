"""What does not divide in a parallel plan, in words, each with the field of the plan at fault."""

from collections.abc import Iterable, Iterator

from simulator.components.accelerator import Accelerator
from simulator.components.language_model import LanguageModel
from simulator.components.parallel_plan import ParallelPlan, SiteSync
from simulator.performance.plan_axes import is_even

Fault = tuple[str, str]
"""A field of the plan and what is wrong with it."""

# Chunks that a plan may have beyond the layers: embedding and output matrix as stages of their own.
ENDS = 2

# Degrees from which the data-parallel ranks follow.
SPLITS = ("tp", "pp", "cp")

# Schedules that are run with several chunks per stage; zero bubble is not (arXiv:2401.10241).
INTERLEAVED = ("1f1b",)


def ranks(accelerators: int, plan: ParallelPlan) -> int:
    """Return the data-parallel ranks: those given, or what the accelerators leave."""
    return plan.dp or accelerators // (plan.tp * plan.pp * plan.cp)


def undivided(model: LanguageModel, accelerators: int, plan: ParallelPlan) -> list[Fault]:
    """Return what does not divide, the roots only.

    Data-parallel ranks that nobody wrote follow from the other degrees: while those are wrong,
    nothing is said of what the ranks would divide.
    """
    alone = _told(_alone(model, plan))
    if plan.dp is None and any(field in SPLITS for field, _ in alone):
        return alone
    split = _told([_split(accelerators, plan)])
    if plan.dp is None and split:
        return [*alone, *split]
    return [*alone, *split, *_told(_shared(model, plan, ranks(accelerators, plan)))]


def _told(each: Iterable[tuple[str, bool, str]]) -> list[Fault]:
    return [(field, told) for field, wrong, told in each if wrong]


def images_that_fit(model: LanguageModel, sequence_length: int) -> float:
    """Return how many typical images a sequence holds: none where nothing encodes them."""
    return sequence_length / model.encoder.tokens_per_image if model.encoder else 0.0


def _alone(model: LanguageModel, plan: ParallelPlan) -> Iterator[tuple[str, bool, str]]:
    """Yield (field, whether it is wrong, message) of what holds on any number of accelerators."""
    tp, cp, ep, chunks = plan.tp, plan.cp, plan.ep, plan.pp * plan.virtual_stages
    experts = model.experts.count if model.experts else 1
    few = chunks > model.layers + ENDS
    yield "tp", model.heads % tp != 0, f"{model.heads} heads do not divide over tp {tp}"
    yield "pp", few, f"{model.layers} layers are too few for {chunks} chunks"
    yield (
        "cp", not cuts(plan.sequence_length, cp),
        f"a sequence of {plan.sequence_length} tokens does not divide into 2 x cp = {2 * cp} chunks",
    )  # fmt: skip
    room = images_that_fit(model, plan.sequence_length)
    yield "images", plan.images > room, f"a sequence of {model.name} has room for {room:.4g} images"
    yield "ep", experts % ep != 0, f"{experts} experts do not divide over ep {ep}"
    if plan.virtual_stages > 1 and not few:
        yield from (("virtual_stages", *found) for found in _interleaved(model, plan))


def _interleaved(model: LanguageModel, plan: ParallelPlan) -> Iterator[tuple[bool, str]]:
    """Yield what several chunks per stage need, beside micro-batches in whole rounds."""
    chunks, ways = plan.pp * plan.virtual_stages, plan.virtual_stages
    yield plan.pp == 1, f"{ways} virtual stages need a pipeline, and pp is 1"
    yield plan.schedule not in INTERLEAVED, f"schedule {plan.schedule} does not interleave: write 1"
    yield (
        plan.pp > 1 and not is_even(model, chunks),
        f"{model.layers} layers do not divide over pp {plan.pp} x {ways} virtual stages",
    )


def _split(accelerators: int, plan: ParallelPlan) -> tuple[str, bool, str]:
    """Return whether the degrees make up the accelerators, and at which field to say so."""
    group = plan.tp * plan.pp * plan.cp
    split = f"tp {plan.tp} x pp {plan.pp} x cp {plan.cp}"
    if plan.dp is not None:
        whole = f"{split} x dp {plan.dp} is {plan.dp * group}, not {accelerators} accelerators"
        return "dp", plan.dp * group != accelerators, whole
    odd = [name for name in SPLITS if accelerators % getattr(plan, name)] or SPLITS
    field = max(odd, key=lambda name: getattr(plan, name))
    told = f"{split} is {group}, which does not divide {accelerators} accelerators"
    return field, accelerators % group != 0, told


def _shared(
    model: LanguageModel, plan: ParallelPlan, dp: int
) -> Iterator[tuple[str, bool, str]]:
    """Yield what the data-parallel ranks do not divide."""
    batches, rest = divmod(plan.global_batch_sequences, dp * plan.micro_batch)
    shared = plan.tp * plan.cp * dp
    yield (
        "global_batch_sequences", rest != 0,
        f"{plan.global_batch_sequences} sequences do not divide into micro-batches of "
        f"{plan.micro_batch} on {dp} data-parallel ranks",
    )  # fmt: skip
    if not rest and plan.pp > 1 and plan.virtual_stages > 1 and plan.schedule in INTERLEAVED:
        told = f"{batches} micro-batches are not whole rounds of pp {plan.pp}"
        cure = "interleaving needs a multiple; write 1 or change micro_batch"
        yield "virtual_stages", batches % plan.pp != 0, f"{told}: {cure}"
    yield "ep", shared % plan.ep != 0, f"ep {plan.ep} does not divide tp x cp x dp = {shared}"
    if plan.sites:
        told = f"{dp} data-parallel ranks do not divide over {plan.sites.sites} sites"
        yield "sites", not parts(dp, plan.sites), told


def cuts(length: int, cp: int) -> bool:
    """Tell whether a sequence divides over context-parallel chips, two chunks each."""
    return cp == 1 or length % (2 * cp) == 0


def parts(dp: int, sites: SiteSync | None) -> bool:
    """Tell whether every site gets an equal share of the data-parallel ranks."""
    return sites is None or dp % sites.sites == 0


def beyond(chip: Accelerator, plan: ParallelPlan) -> Iterator[Fault]:
    """Yield what the chip cannot do: its scale-up domain, the precisions it multiplies in."""
    if plan.tp > chip.scaleup_domain:
        reach = f"the scale-up domain of {chip.name}, {chip.scaleup_domain} accelerators"
        yield "tp", f"tp {plan.tp} exceeds {reach}"
    if plan.precision not in chip.peak:
        known = ", ".join(chip.peak)
        yield "precision", f"{chip.name} multiplies in {known}, not in {plan.precision}"
