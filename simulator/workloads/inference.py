"""A served model: a pool of replicas that follows its demand, queues and sheds."""

from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, model_serializer, model_validator

from simulator import rng
from simulator.components import from_catalog
from simulator.components.language_model import Precision
from simulator.components.request_profile import RequestProfile
from simulator.performance import admission
from simulator.performance.admission import Held
from simulator.performance.calibration import REQUESTS, Calibration, MeasuredSurface, measured
from simulator.performance.calibration import impossible as why_impossible
from simulator.performance.encoding import reads_images
from simulator.performance.queueing import Demand as Lengths
from simulator.performance.replica import Replica
from simulator.performance.request_work import request_work_frac
from simulator.performance.serving import MAX_BATCH, ServingSurface, surface
from simulator.units import Duration, Positive
from simulator.workloads.demand import Demand
from simulator.workloads.pool_rules import ColdStart, Scaling, ServedPool
from simulator.workloads.requests import Requests, draw, drawn_mean, fill, lognormal, scaled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


FROM_PROFILE = ("input_tokens", "output_tokens", "length_cv")
"""What a profile of requests gives a pool."""


def _may_come_from_profile(schema: dict[str, Any]) -> None:
    """Say in the schema that lengths are not required: a profile may give them."""
    schema["required"] = [key for key in schema["required"] if key not in FROM_PROFILE]


class ServedModel(ServedPool):
    """One model served to users on one chip type."""

    model_config = ConfigDict(json_schema_extra=_may_come_from_profile)

    kind: Literal["inference"]
    model: str
    """Model served, from the catalog."""
    tensor_parallel: Annotated[int, Field(ge=1)]
    """Accelerators of one replica."""
    weight_precision: Precision
    input_tokens: Annotated[float, Field(gt=0)]
    """Mean prompt."""
    output_tokens: Annotated[float, Field(gt=1)]
    """Mean answer, chain of thought included."""
    length_cv: Annotated[float, Field(ge=0, le=10)] = 1.0
    """Coefficient of variation of both lengths."""
    images: Annotated[float, Field(ge=0)] = 0.0
    """Images of a request on the mean, of the size that is typical of the model; their tokens are among
    `input_tokens`. A profile of requests tells it by itself."""
    requests: Requests | None = None
    """Kind of requests, or a trace of them. A profile gives the lengths; with a trace the lengths
    above are those that replicas are rated at, and each hour counts as much work as it is."""
    ttft_limit: Annotated[Duration, Positive()]
    """Service objective: time to first token."""
    tpot_limit: Annotated[Duration, Positive()]
    """Service objective: time per output token."""
    demand: Demand | None = None
    """Blank: a router sends its requests (`kind: traffic`); the lengths above are then those that its
    capacity is rated for."""
    tenant: str | None = None
    """Kept for this tenant: takes only requests of classes with the same one."""
    residency: str | None = None
    """Region or jurisdiction it stands in, for classes that may not leave theirs."""

    @model_validator(mode="before")
    @classmethod
    def _with_lengths(cls, given: Any) -> Any:
        if isinstance(given, dict) and _of_profile(given.get("requests")):
            told = [key for key in FROM_PROFILE if key in given]
            told += ["images"] if given.get("images") else []
            if told:
                raise ValueError(f"the requests' profile gives {told[0]}; leave it out")
            return fill(given)
        return given

    @model_validator(mode="after")
    def _with_rate(self) -> "ServedModel":
        if self.demand is None:
            return self
        if self.demand.rate is None and (self.requests is None or self.requests.trace is None):
            raise ValueError("demand needs a rate where no trace gives one")
        return self

    @model_serializer(mode="wrap")
    def _as_written(self, handler: Any) -> dict[str, Any]:
        """Leave out what the profile gives, so that it is written once."""
        tree: dict[str, Any] = handler(self)
        if self.requests and self.requests.profile:
            for key in FROM_PROFILE:
                tree.pop(key, None)
        return tree


def _of_profile(requests: Any) -> bool:
    asked = requests.get("profile") if isinstance(requests, dict) else None
    return bool(asked)


def surface_of(pool: ServedModel) -> MeasuredSurface:
    """Return the surface of one replica, measured on the request-level kernel; ValueError says what
    does not fit."""
    return _measured(_replica_alone(pool))


def impossible(pool: ServedModel) -> str:
    """Return why a replica cannot serve the pool's requests within its limits, or nothing."""
    return _impossible(_replica_alone(pool))


@lru_cache(maxsize=256)
def _impossible(pool: ServedModel) -> str:
    try:
        return why_impossible(*_calibration(pool))
    except ValueError as error:
        return str(error)


def _replica_alone(pool: ServedModel) -> ServedModel:
    """Return the pool without what does not matter to one replica, so that pools share surfaces."""
    return pool.model_copy(update={
        "name": "", "demand": Demand.model_construct(), "tenant": None, "residency": None,
        "least_accelerators": 0,
        "most_accelerators": 1, "target_load": 1.0, "patience": 1.0, "priority": 0,
        "scaling": Scaling(), "cold_start": ColdStart(), "spill": None, "on_failure": "retry",
    })  # fmt: skip


@lru_cache(maxsize=256)
def _measured(pool: ServedModel) -> MeasuredSurface:
    return measured(*_calibration(pool))


@lru_cache(maxsize=64)
def _calibration(pool: ServedModel) -> tuple[Calibration, ServingSurface]:
    """Return a replica with the requests it is measured with, and the closed form's surface."""
    replica = replica_of(pool)
    guess = surface(
        replica.model, replica.chip, pool.tensor_parallel, pool.weight_precision,
        pool.input_tokens, pool.output_tokens, length_cv=pool.length_cv,
        tpot_limit_s=pool.tpot_limit, ttft_limit_s=pool.ttft_limit,
        image_tokens=image_frac(pool) * pool.input_tokens,
    )  # fmt: skip
    rated, limits = rated_lengths(pool), (pool.tpot_limit, pool.ttft_limit)
    asked, given, gaps = _drawn(pool)
    fits, most = asked + given <= most_tokens(pool), most_tokens(pool)
    if not fits.any():
        raise ValueError(f"{replica.model.name} holds {most} tokens; no request of the pool is as short")
    held_only = asked[fits], given[fits], gaps[fits]
    return Calibration(replica, rated, *held_only, *limits, image_frac(pool)), guess


def image_frac(pool: ServedModel) -> float:
    """Return the share of a pool's input tokens that stand for images, which are encoded first."""
    profile = profile_of(pool)
    if profile is not None and reads_images_of(pool):
        return min(profile.image_tokens / pool.input_tokens, 1.0)
    return min(image_tokens(pool, pool.images) / pool.input_tokens, 1.0)


def reads_images_of(pool: ServedModel) -> bool:
    """Return whether a pool's model reads images."""
    return reads_images(from_catalog.language_model(pool.model))


def image_tokens(pool: ServedModel, images: float) -> float:
    """Return the tokens that so many images give in a pool; none where its model reads none."""
    model = from_catalog.language_model(pool.model)
    if not images or model.encoder is None or not reads_images(model):
        return 0.0
    return images * model.encoder.tokens_per_image


@lru_cache(maxsize=64)
def _drawn(pool: ServedModel) -> tuple[Ints, Ints, Floats]:
    """Return input and output tokens of `REQUESTS`, and gaps of mean one between them."""
    even = evenly(3, REQUESTS, "calibration")
    return (*lengths(pool, even[:2]), -np.log1p(-even[2]))


def rated_lengths(pool: ServedModel) -> Lengths:
    """Return the lengths that replicas are rated at."""
    return Lengths(pool.input_tokens, pool.output_tokens, pool.length_cv)


@lru_cache(maxsize=256)
def most_tokens(pool: ServedModel) -> int:
    """Return the longest request, prompt and answer together, that a replica can hold."""
    return admission.most_tokens(replica_of(pool), rated_lengths(pool))


@lru_cache(maxsize=65_536)
def held(pool: ServedModel, input_tokens: float, output_tokens: float) -> Held:
    """Return what a replica can hold of requests of these mean lengths."""
    asked, given, _ = _drawn(_replica_alone(pool))
    asked = scaled(asked, input_tokens / pool.input_tokens)
    given = scaled(given, output_tokens / pool.output_tokens)
    return admission.held(asked, given, (input_tokens, output_tokens), most_tokens(pool))


def evenly(rows: int, count: int, purpose: str) -> Floats:
    """Return draws in (0, 1) of which each of `count` equal parts has one, in random order, by row
    (Latin hypercube); the same in every run."""
    key = rng.key(0, 0, purpose)
    draws = np.random.Generator(np.random.Philox(key=key[0] << 32 | key[1]))
    return np.stack([(draws.permutation(count) + 0.5) / count for _ in range(rows)])


def lengths(pool: ServedModel, uniforms: Floats) -> tuple[Ints, Ints]:
    """Return input and output tokens of requests to a pool: its profile's, or lognormal."""
    if pool.requests and pool.requests.profile:
        profile = from_catalog.request_profile(pool.requests.profile)
        asked, given = draw(pool.requests.profile, uniforms.shape[1], uniforms)
        return (
            scaled(asked, pool.input_tokens / drawn_mean(profile.input)),
            scaled(given, pool.output_tokens / drawn_mean(profile.output)),
        )
    return (
        lognormal(pool.input_tokens, pool.length_cv, uniforms[0]),
        lognormal(pool.output_tokens, pool.length_cv, uniforms[1]),
    )


@lru_cache(maxsize=256)
def replica_of(pool: ServedModel) -> Replica:
    """Return one replica of the pool."""
    return Replica(
        from_catalog.language_model(pool.model), from_catalog.accelerator(pool.accelerator),
        pool.tensor_parallel, pool.weight_precision,
    )  # fmt: skip


@lru_cache(maxsize=65_536)
def work_frac(
    pool: ServedModel, input_tokens: float, output_tokens: float, image_frac_asked: float = 0.0
) -> float:
    """Return the work of a request of these mean lengths over one of the pool's own; of both, those
    that a replica can hold. A share of its input may be tokens of images."""
    kept = held(pool, input_tokens, output_tokens)
    return held_work_frac(pool, *kept[1:], image_frac_asked)


@lru_cache(maxsize=65_536)
def held_work_frac(
    pool: ServedModel, input_tokens: float, output_tokens: float, image_frac_asked: float = 0.0
) -> float:
    """Return the same of requests whose mean lengths are those of what is held."""
    own = held(pool, pool.input_tokens, pool.output_tokens)
    shown = image_frac(pool) * own.input_tokens
    rated = Lengths(own.input_tokens, own.output_tokens, pool.length_cv, image_tokens=shown)
    shown = image_frac_asked * input_tokens
    asked = Lengths(input_tokens, output_tokens, pool.length_cv, image_tokens=shown)
    return request_work_frac(replica_of(pool), rated, asked, MAX_BATCH, pool.tpot_limit)


@lru_cache(maxsize=256)
def clock_bound_frac(pool: ServedModel) -> float:
    """Return the share of a busy replica's time that follows the core clock: most of what prompts
    take, little of decoding."""
    replica, served = replica_of(pool), surface_of(pool)
    lengths = rated_lengths(pool)
    prompts = served.capacity_requests_s * replica.prefill_s(pool.input_tokens)
    decode = float(replica.clock_bound_frac(served.batch[-1], lengths.context))
    return prompts * replica.prefill_clock_bound_frac(pool.input_tokens) + (1.0 - prompts) * decode


def profile_of(pool: ServedModel) -> RequestProfile | None:
    """Return the kind of requests a pool says it has."""
    named = pool.requests.profile if pool.requests else None
    return from_catalog.request_profile(named) if named else None
