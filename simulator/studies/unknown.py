"""Inputs that are drawn instead of listed: sampled axes of a sweep, and what is uncertain."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from simulator.studies import StudyError, sampling
from simulator.studies.distributions import Distribution

NEEDS_SALIB = ("morris", "saltelli")
ONE_AT_A_TIME = ("tornado", *NEEDS_SALIB)


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
        return tuple(self.of_replicate(k) for k in range(count))

    def of_replicate(self, replicate: int) -> dict[str, Any]:
        """Return the uncertain inputs of one replicate."""
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

    def count(self, kind: str, keys: int) -> int:
        """Return how many designs there will be; StudyError for a number that cannot be."""
        if kind in NEEDS_SALIB and find_spec("SALib") is None:
            raise StudyError(f"design '{kind}' needs SALib: pip install 'gigawatt[sensitivity]'")
        if kind == "tornado":
            if self.samples is not None:
                raise StudyError("a tornado has two designs per axis and one more: no 'samples'")
            return 2 * keys + 1
        if self.samples is None:
            raise StudyError(f"design '{kind}' needs 'samples': how many")
        if kind in ("sobol", "saltelli") and self.samples & (self.samples - 1):
            near = 2 ** round(math.log2(self.samples))
            raise StudyError(f"a Sobol sequence is balanced for powers of two; samples: {near}?")
        each = {"morris": keys + 1, "saltelli": keys + 2}.get(kind, 1)
        return self.samples * each

    def check_pairs(self, axes: Mapping[str, Any], kind: str) -> None:
        """Refuse keys that are both axis and uncertain, and correlations that cannot be."""
        if kind in ONE_AT_A_TIME and self.pairs(list(axes)):
            raise StudyError(f"design '{kind}' moves its axes apart: they cannot be correlated")
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
