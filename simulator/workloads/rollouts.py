"""Answers that a job or a test has a model write: how many, how long, on which replicas."""

from functools import lru_cache
from typing import Annotated

from pydantic import Field

from simulator.components import from_catalog
from simulator.components.kinds import Spec
from simulator.components.language_model import Precision
from simulator.performance.replica import Replica
from simulator.performance.rollouts import Generation, Lengths, generate


class Rollouts(Spec):
    """Answers generated at once by identical replicas."""

    prompts: Annotated[int, Field(ge=1)]
    samples: Annotated[int, Field(ge=1)] = 1
    """Answers to each prompt."""
    input_tokens: Annotated[float, Field(ge=1)]
    """Mean prompt."""
    output_tokens: Annotated[float, Field(gt=1)]
    """Mean answer, chain of thought included."""
    length_cv: Annotated[float, Field(ge=0, le=10)] = 1.0
    """Coefficient of variation of the answers' lengths (lognormal): the longest decide when a
    batch is done."""
    longest_output: Annotated[float, Field(gt=1)]
    """Tokens at which an answer is cut off."""
    tensor_parallel: Annotated[int, Field(ge=1)]
    """Accelerators of one replica."""
    weight_precision: Precision

    @property
    def answers(self) -> float:
        """Answers in all."""
        return float(self.prompts * self.samples)


@lru_cache(maxsize=256)
def generation_of(rollouts: Rollouts, model: str, accelerator: str, chips: int) -> Generation:
    """Return time and power of all answers on so many chips; ValueError says what does not fit."""
    replicas = chips // rollouts.tensor_parallel
    if replicas == 0:
        raise ValueError(
            f"{chips} accelerators hold no replica of {rollouts.tensor_parallel} (tensor_parallel)"
        )
    return generate(
        replica_of(rollouts, model, accelerator), replicas, rollouts.prompts, rollouts.samples,
        rollouts.input_tokens,
        Lengths(rollouts.output_tokens, rollouts.length_cv, rollouts.longest_output),
    )


def replica_of(rollouts: Rollouts, model: str, accelerator: str) -> Replica:
    """Return the replica of a model that generates or scores."""
    return Replica(
        from_catalog.language_model(model), from_catalog.accelerator(accelerator),
        rollouts.tensor_parallel, rollouts.weight_precision,
    )
