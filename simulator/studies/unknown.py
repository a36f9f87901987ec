"""Inputs that are drawn instead of listed: sampled axes of a sweep, and what is uncertain."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator.studies import StudyError, sampling
from simulator.studies.distributions import Distribution


@dataclass(frozen=True)
class Unknown:
    """What is drawn instead of listed, and how."""

    uncertain: Mapping[str, Distribution] = field(default_factory=dict)
    correlation: Sequence[sampling.Correlation] = ()
    samples: int | None = None
    seed: int = 1

    def of_replicates(self, count: int) -> tuple[dict[str, Any], ...]:
        """Return the uncertain inputs of each replicate, or nothing once."""
        if not self.uncertain:
            return ({},)
        return tuple(self._of_replicate(k) for k in range(count))

    def _of_replicate(self, replicate: int) -> dict[str, Any]:
        keys = list(self.uncertain)
        levels = sampling.of_replicate(replicate, keys, self.pairs(keys), self.seed)
        return {
            key: self.uncertain[key].values(level)[0]
            for key, level in zip(keys, levels[:, None], strict=True)
        }

    def pairs(self, keys: Sequence[str]) -> list[sampling.Correlation]:
        """Return the correlations among some keys."""
        return [pair for pair in self.correlation if pair[0] in keys and pair[1] in keys]

    def sampled(
        self, axes: Mapping[str, Distribution], kind: sampling.Sampled
    ) -> dict[str, list[Any]]:
        """Return the values of each axis, design by design."""
        keys, count = list(axes), self.samples or 0
        levels = sampling.by_design(kind, count, keys, self.pairs(keys), self.seed)
        return {key: axes[key].values(levels[:, i]) for i, key in enumerate(keys)}

    def check_samples(self, kind: str) -> None:
        """Refuse a number of designs that the design cannot have."""
        if self.samples is None:
            raise StudyError(f"design '{kind}' needs 'samples': how many designs")
        if kind == "sobol" and self.samples & (self.samples - 1):
            near = 2 ** round(math.log2(self.samples))
            raise StudyError(f"a Sobol sequence is balanced for powers of two; samples: {near}?")

    def check_pairs(self, axes: Mapping[str, Any]) -> None:
        """Refuse keys that are both axis and uncertain, and correlations that cannot be."""
        both = [key for key in axes if key in self.uncertain]
        if both:
            raise StudyError(f"{', '.join(both)}: an axis cannot be uncertain too")
        sampled = [key for key, axis in axes.items() if isinstance(axis, Distribution)]
        groups = [sampled, list(self.uncertain)]
        for one, other, _ in self.correlation:
            if one == other or not any(one in group and other in group for group in groups):
                raise StudyError(
                    f"correlation of {one} and {other}: name two keys of 'uncertain', or two "
                    "sampled axes"
                )
        for group in groups:
            try:
                sampling.mixing(group, self.pairs(group))
            except ValueError as error:
                raise StudyError(str(error)) from None
