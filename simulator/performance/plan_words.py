"""Plans in words: what a plan is, what a chip would keep of it, why none is feasible."""

from simulator.components.parallel_plan import ParallelPlan
from simulator.performance import memory, plan_space
from simulator.performance.memory import Footprint
from simulator.performance.plan_axes import Case

BYTES_PER_GB = 1e9


def why_none(case: Case) -> str:
    """Return why no plan is feasible: nothing divides, or what the smallest plan keeps, by part."""
    every = plan_space.fittings(case)
    who = f"{case.model.name} on {case.accelerators} {case.chip.name}"
    if not every:
        return (
            f"{who}: no layout uses all accelerators and divides {case.model.heads} heads, "
            f"{case.model.layers} layers and {case.sequences} sequences"
        )
    tightest = min(every, key=lambda one: one.memory_bytes.min())
    plan = plan_space.plan_at(case, tightest, int(tightest.memory_bytes.argmin()))
    need = memory.footprint(case.model, plan, tightest.layout.dp)
    room = plan_space.usable_bytes(case.chip)
    return f"{who}: even the smallest plan ({wording(plan)}) does not fit: {parts(need, room)}"


def parts(need: Footprint, room: float) -> str:
    """Return what a chip would keep, part by part, against the memory it has."""
    each = [f"{part} {value / BYTES_PER_GB:.1f} GB" for part, value in vars(need).items()]
    whole = f"{need.total / BYTES_PER_GB:.1f} GB of {room / BYTES_PER_GB:.1f} GB usable"
    return f"{', '.join(each)}: {whole}"


def wording(plan: ParallelPlan) -> str:
    """Return a plan in words."""
    ways = [f"{name} {getattr(plan, name)}" for name in ("tp", "pp", "cp", "ep", "dp")]
    ways = [way for way in ways if not way.endswith(" 1")]
    if plan.virtual_stages > 1:
        ways.append(f"virtual stages {plan.virtual_stages}")
    ways += [f"micro-batch {plan.micro_batch}", f"recompute {plan.recompute}"]
    ways += [f"sharding {plan.sharding}"] + [plan.schedule] * (plan.pp > 1)
    return ", ".join([*ways, plan.precision])
