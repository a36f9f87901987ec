"""Traffic: classes of requests that a router sends to the pools, and the user's tables behind it."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from simulator.components.kinds import Spec
from simulator.components.language_model import Modality
from simulator.policies.routing import Router
from simulator.units import DataSize, Duration, Fraction, NonNegative, Positive, Within
from simulator.workloads.demand import Demand

LatencyClass = Literal["interactive", "standard", "deferred"]


class Reasoning(Spec):
    """The chain of thought of a class; written where the answering model reasons, by no other."""

    tokens: Annotated[float, Field(gt=0)]
    """Mean length without a budget."""
    length_cv: Annotated[float, Field(ge=0, le=10)] = 1.0
    """Coefficient of variation (lognormal)."""
    budget: Annotated[float, Field(gt=0)] | None = None
    """Tokens at which thinking stops and the answer is written; blank: none. Answers whose thought is
    cut have the quality of `quality_cut`."""


class Moderation(Spec):
    """Passes of a class through a classifier; what that sheds is not answered."""

    pool: str
    """Pool of the classifier, by name."""
    before: bool = True
    """The prompt passes it before it is answered."""
    after: bool = True
    """Prompt and answer pass it before the answer is given."""
    verdict_tokens: Annotated[float, Field(gt=1)] = 6.0
    """Tokens of one verdict. Assumed, 2-20: a word and the codes of what is violated."""


class Retention(Spec):
    """Traces kept of requests and answers."""

    keep: Annotated[Duration, Positive()]
    share: Annotated[Fraction, Field(gt=0, le=1)] = 1.0
    """Of the requests."""
    bytes_per_token: Annotated[float, Field(gt=0)] = 6.0
    """Of prompt and answer, thought included. Assumed, 2-40: text alone, to token ids with
    probabilities."""
    bytes_per_request: Annotated[DataSize, NonNegative()] = 2e3
    """Route, times and verdicts. Assumed, 0.5-20 kB."""
    storage: str = "STORAGE"
    """Type of the support racks that hold them."""
    rack_capacity: Annotated[DataSize, Positive()] = 1e16
    """One rack holds this much, copies taken off. Assumed, 2-30 PB: 16 servers of 24 drives of 61 TB,
    kept twice, are 12 PB."""


class RequestClass(Spec):
    """Requests that are routed alike."""

    name: str
    task: str
    """Word by which the tables and policies know it: chat, code, science, agent ..."""
    modality: Modality = "text"
    """What must be read; only pools of models that read it are open."""
    latency_class: LatencyClass = "interactive"
    tenant: str | None = None
    """Only pools kept for this tenant are open; blank: those kept for nobody."""
    residency: str | None = None
    """Only pools that stand there are open; blank: all."""
    demand: Demand
    """Its rate and shape."""
    profile: str | None = None
    """Kind of request, from the catalog's `demand`, whose day the demand follows; blank: a cosine."""
    input_tokens: Annotated[float, Field(gt=0)]
    """Mean prompt, images and speech as tokens included."""
    output_tokens: Annotated[float, Field(gt=1)]
    """Mean answer, without chain of thought."""
    images: Annotated[float, Field(ge=0)] = 0.0
    """Images of a request on the mean, of the size that is typical of the answering model; their tokens
    are among `input_tokens`. They are encoded before they are read."""
    reasoning: Reasoning | None = None
    quality_needed: Annotated[Fraction, Field(ge=0, le=1)] | None = None
    """Least quality of a pool for policies that choose by it."""
    latency_limit: Annotated[Duration, Positive()] | None = None
    """Largest mean time to the last token for policies that choose by it."""
    priority: int = 0
    """Higher is routed first, and so finds more room; equals in the order written."""
    moderation: Moderation | None = None
    retention: Retention | None = None
    router: Router | None = None  # type: ignore[valid-type]
    """Policy of this class; blank: that of the traffic."""

    @model_validator(mode="after")
    def _with_rate(self) -> "RequestClass":
        if self.demand.rate is None:
            raise ValueError("a class's demand needs a rate")
        if self.images and self.modality != "images":
            raise ValueError("a class with images has 'modality: images'")
        return self

    @property
    def rate_per_s(self) -> float:
        """Mean rate of a weekday at the start of the run."""
        return float(self.demand.rate or 0.0)


class Escalation(Spec):
    """What a pool of a cascade does with a task; the quality behind it is the user's to measure."""

    share: Annotated[Fraction, Field(ge=0, le=1)]
    """Of its answers, those passed on to the next pool."""
    kept: Annotated[Fraction, Field(ge=0, le=1)]
    """Quality of the answers it keeps."""
    passed: Annotated[Fraction, Field(ge=0, le=1)]
    """Quality of the next pool's answers to what is passed on (harder than the mean), where that
    keeps them."""


Table = dict[str, dict[str, Annotated[Fraction, Field(ge=0, le=1)]]]
"""Share of answers that are good enough, by task and pool."""


class Traffic(Spec):
    """Requests that reach the campus and are routed to its pools, which have no demand of their own."""

    kind: Literal["traffic"]
    name: str
    router: Router  # type: ignore[valid-type]
    interval: Annotated[Duration, Within("1 min", "1 d")] = 3600.0
    """Time between decisions of policies that follow the load."""
    classes: Annotated[tuple[RequestClass, ...], Field(min_length=1)]
    quality: Table = {}  # noqa: RUF012  pydantic copies it
    """Quality by task and pool, as the user measures it; without it quality is unknown."""
    quality_cut: Table = {}  # noqa: RUF012
    """The same of answers whose chain of thought met its budget."""
    escalation: dict[str, dict[str, Escalation]] = {}  # noqa: RUF012
    """What pools of a cascade pass on, by task and pool."""
