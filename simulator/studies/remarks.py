"""What a reader must know about the requests of a scenario: columns not read, lengths no replica holds."""

from collections.abc import Iterator

from simulator.scenario import Scenario
from simulator.workloads import ServedModel, inference
from simulator.workloads.trace_demand import trace_of

TOLD_FRAC = 1e-3
"""Share of requests too long for their pool from which it is told before a run."""


def of_requests(scenario: Scenario) -> Iterator[str]:
    """Yield what there is to say."""
    for name, file in scenario.traces.items():
        yield from (f"{name}: {file.name}: {told}" for told in trace_of(file).remarks)
    for pool in scenario.spec.workloads:
        if not isinstance(pool, ServedModel) or pool.demand is None:
            continue
        most = inference.most_tokens(pool)
        if pool.name in scenario.traces:
            trace = trace_of(scenario.traces[pool.name])
            long = float((trace.input_tokens + trace.output_tokens > most).mean())
        else:
            long = 1.0 - inference.held(pool, pool.input_tokens, pool.output_tokens).share
        if long >= TOLD_FRAC:
            yield (
                f"{pool.name}: {long:.1%} of its requests are longer than the {most} tokens that a replica "
                "holds, and are rejected"
            )
