"""How a campus is run: what is watched, who repairs, what lies in stock, what is planned.

Times are those of a typical case; where a spread stands beside them they are medians of a
lognormal. A practice of the catalog gives every figure; a document names it and changes what differs,
list items by their `name`.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from simulator import catalog
from simulator.components.failure_class import Crew as Trade
from simulator.components.kinds import Spec
from simulator.units import Duration, Fraction, NonNegative, Positive, Rate

DAY_S = 86_400.0
DAYS = {"every_day": range(7), "weekdays": range(5), "weekends": range(5, 7)}
"""Days of the week from Monday on which a shift begins."""

Spread = Annotated[float, Field(ge=0, le=2)]
Share = Annotated[Fraction, Field(ge=0, le=1)]
Name = Annotated[str, Field(min_length=1)]
Serviced = Literal[
    "server", "rack", "block", "leaf_switch", "spine_switch", "core_switch",
    "liquid_plant_unit", "air_plant_unit", "coolant_unit", "line", "transformer", "feeder",
    "ups_module", "generator", "substation", "busway", "mv_section",
]


def _hours(text: str) -> str:
    found = re.fullmatch(r"(\d\d):(\d\d)-(\d\d):(\d\d)", text)
    parts = [int(part) for part in found.groups()] if found else []
    if not parts or max(parts[1], parts[3]) > 59 or not _in_a_day(parts[:2], parts[2:]):
        raise ValueError(f"'{text}' are no hours of a day; write e.g. '07:00-19:00'")
    return text


def _in_a_day(opens: list[int], closes: list[int]) -> bool:
    return opens < [24, 0] and [0, 0] < closes <= [24, 0] and opens != closes


class Practised(Spec):
    """Figures that a practice gives where the document is silent: for an editor none is required."""

    model_config = ConfigDict(json_schema_extra=lambda schema: schema.pop("required", None))


class Monitoring(Practised):
    """How long failures stay unnoticed, and how often a healthy server is suspected."""

    crash: Annotated[Duration, NonNegative()]
    """A process or server that goes down with an error."""
    hang: Annotated[Duration, NonNegative()]
    """One that goes silent: its peers wait until a collective operation times out."""
    hang_share: Share
    """Share of failures of accelerators and servers that are a hang."""
    network: Annotated[Duration, NonNegative()]
    """Switches, links, optics."""
    plant: Annotated[Duration, NonNegative()]
    """Power and cooling equipment."""
    spread: Spread
    """Log-standard deviation of these times."""
    false_alarms: Annotated[Rate, NonNegative()]
    """Per server: a healthy one is taken out and tested, and the job on it restarts."""
    test: Annotated[Duration, Positive()]
    """How long a suspected server or rack is out before it is known to be healthy."""


class Diagnosis(Practised):
    """From noticing that something failed to knowing what to take out and what to repair."""

    automated: Annotated[Duration, NonNegative()]
    """Servers and network: logs, stack traces and tests on the spot."""
    plant: Annotated[Duration, NonNegative()]
    """Power and cooling: somebody goes to look."""
    spread: Spread
    """Log-standard deviation of these times."""
    isolates: Literal["server", "rack"]
    """The least that leaves service when a server is at fault."""
    over_eviction: Share
    """Share of failures of servers and racks in which only a group is known to hold the culprit:
    healthy neighbours leave with it and are tested (`monitoring.test`)."""
    neighbours: Annotated[int, Field(ge=1, le=1000)]
    """Racks of the same block that then leave with it."""


class Crews(Practised):
    """Crews of one trade that keep the same hours; one works on one repair at a time."""

    name: Name
    trade: Trade
    """What they repair."""
    number: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Crews on duty; blank: as few as keep the mean wait below `wait`."""
    wait: Annotated[Duration, Positive()] | None = None
    """Mean wait for a crew that the number is chosen for (Erlang C, at the catalog's rates)."""
    hours: Annotated[str, AfterValidator(_hours)] = "00:00-24:00"
    """On duty, by the campus's clock; `19:00-07:00` runs into the next day. Work that is not done by
    the end of a shift goes on in the next."""
    days: Literal["every_day", "weekdays", "weekends"] = "every_day"
    """Days on which the shift begins."""

    @model_validator(mode="after")
    def _one_of_two(self) -> "Crews":
        if (self.number is None) == (self.wait is None):
            raise ValueError("give one of 'number' and 'wait'")
        return self

    def shifts(self) -> list[tuple[float, float]]:
        """Return (opening, closing) of every shift of a week, s from Monday 00:00, in order; one that
        runs from Sunday into Monday in two parts."""
        (h0, m0), (h1, m1) = ([int(x) for x in t.split(":")] for t in self.hours.split("-"))
        opens_s, closes_s = h0 * 3600.0 + m0 * 60.0, h1 * 3600.0 + m1 * 60.0
        if closes_s <= opens_s:
            closes_s += DAY_S
        begun = [(day * DAY_S + opens_s, day * DAY_S + closes_s) for day in DAYS[self.days]]
        over_s = begun[-1][1] - 7 * DAY_S
        if over_s <= 0.0:
            return begun
        return [(0.0, over_s), *begun[:-1], (begun[-1][0], 7 * DAY_S)]


class Stock(Practised):
    """A spare part in stock: one is ordered for every one taken (base stock)."""

    name: Name
    """Part, as failure classes name it (`part`)."""
    stock: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    """On the shelf and on order together; blank: as few as hold `fill_rate`."""
    fill_rate: Annotated[Fraction, Field(gt=0, lt=1)] | None = None
    """Share of repairs that find a part on the shelf, which the stock is chosen for (Poisson demand
    over the mean time to the next part, at the catalog's rates)."""
    on_hand: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    """On the shelf at the start; the rest is on order. Blank: all."""
    lead_time: Annotated[Duration, Positive()]
    """From order to shelf."""

    @model_validator(mode="after")
    def _consistent(self) -> "Stock":
        if (self.stock is None) == (self.fill_rate is None):
            raise ValueError("give one of 'stock' and 'fill_rate'")
        if self.on_hand is not None and (self.stock is None or self.on_hand > self.stock):
            raise ValueError("'on_hand' is part of a 'stock' that is given and no less")
        return self


class Returns(Practised):
    """What becomes of the parts that were taken out (RMA)."""

    no_fault_found: Share
    """Share in which the vendor finds no fault: they go back to stock and no new one is bought."""
    turnaround: Annotated[Duration, Positive()]
    """From taking it out to having it back."""


class Maintenance(Spec):
    """Planned work on every element of a kind in turn, announced: jobs save before it."""

    name: Name
    """Cause, as it appears in the tables of downtime and events."""
    on: Serviced
    """Kind of element."""
    every: Annotated[Duration, Positive()]
    """How often each element has its turn; turns are spread evenly."""
    lasts: Annotated[Duration, Positive()]
    at_once: Annotated[int, Field(ge=1, le=100_000)] = 1
    """Elements that are out together. Of units that stand in for each other none is taken while one
    is out already."""
    first: Annotated[Duration, NonNegative()] = 0.0
    """First turn, after the start of the run."""


class Upgrade(Spec):
    """A rolling upgrade: waves of racks or servers, with time between to see whether it holds."""

    name: Name
    on: Literal["server", "rack"] = "rack"
    at: Annotated[Duration, NonNegative()]
    """First wave, after the start of the run."""
    wave: Annotated[int, Field(ge=1, le=1_000_000)]
    """Racks or servers of a wave, in the order of the halls."""
    lasts: Annotated[Duration, Positive()]
    """Out of service, each."""
    soak: Annotated[Duration, NonNegative()]
    """From the end of a wave to the next."""
    halls: tuple[str, ...] = ()
    """Groups of halls; blank: all."""


class Operations(Practised):
    """How the campus is run. `operations: hyperscale` takes a practice of the catalog as it is."""

    practice: str = "hyperscale"
    """Entry of the catalog that gives what is not written here."""
    monitoring: Monitoring
    diagnosis: Diagnosis
    drain: Annotated[Duration, NonNegative()]
    """Time from emptying an element to beginning planned work on it."""
    crews: tuple[Crews, ...]
    spares: tuple[Stock, ...]
    returns: Returns
    burn_in: Annotated[Duration, NonNegative()]
    """Test under load of a server or rack with a new part, before it takes work again."""
    maintenance: tuple[Maintenance, ...] = ()
    upgrades: tuple[Upgrade, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _on_top_of_the_practice(cls, given: Any) -> Any:
        """Lay what is written over the practice that it names."""
        written = {"practice": given} if isinstance(given, str) else given
        return cls.laid(written) if isinstance(written, dict) else given

    @classmethod
    def laid(cls, written: dict[str, Any]) -> dict[str, Any]:
        """Return what is written on top of the practice it names, as plain values; ValueError for an
        unknown practice."""
        name = written.get("practice", cls.model_fields["practice"].default)
        try:
            entry = catalog.plain(catalog.load("operations", str(name)))
        except KeyError as error:
            raise ValueError(str(error.args[0])) from None
        base = {key: value for key, value in entry.items() if key in cls.model_fields}
        return laid_over(base, written) | {"practice": entry["name"]}


def laid_over(base: Any, top: Any) -> Any:
    """Return plain values with others on top: mappings key by key, named items of lists by name.

    A mapping may address the items of a list (`crews: {it: {number: 4}}`), as a key on the command
    line does; an empty list empties one.
    """
    if isinstance(base, dict) and isinstance(top, dict):
        return base | {key: laid_over(base.get(key), value) for key, value in top.items()}
    if not isinstance(base, list) or not top or not isinstance(top, list | dict):
        return top
    items = top if isinstance(top, list) else [{**_mapping(v), "name": k} for k, v in top.items()]
    laid, places = list(base), {item["name"]: place for place, item in enumerate(base)}
    for item in items:
        place = places.pop(_mapping(item).get("name"), None)
        if place is None:
            laid.append(item)
        else:
            laid[place] = _item_over(laid[place], item)
    return laid


def _item_over(base: Any, top: Any) -> Any:
    """Return an item on another; of two keys that exclude each other the one on top stays."""
    if not isinstance(base, dict) or not isinstance(top, dict):
        return top
    for pair in (("number", "wait"), ("stock", "fill_rate")):
        if any(key in top for key in pair):
            base = {key: value for key, value in base.items() if key not in pair}
    return laid_over(base, top)


def _mapping(given: Any) -> dict[str, Any]:
    return given if isinstance(given, dict) else {}
