"""A practice of the catalog, and what a document changes of it."""

import numpy as np
import pytest
from pydantic import ValidationError

from simulator import catalog
from simulator.components import from_catalog
from simulator.components.operations import Crews, Maintenance, Operations, Stock, laid_over

HOUR, DAY = 3600.0, 86_400.0


def practice(**written):
    return Operations.model_validate({"practice": "hyperscale"} | written)


def by_name(items):
    return {item.name: item for item in items}


def test_a_name_is_the_practice_as_it_is():
    named = Operations.model_validate("hyperscale")
    assert named == practice() == Operations.model_validate({}) == from_catalog.operations("default")
    assert named.practice == "hyperscale"
    assert named.maintenance == () and named.upgrades == ()


def test_what_is_written_stands_on_the_practice():
    changed = practice(burn_in="6 h", monitoring={"hang": "3 min"})
    assert (changed.burn_in, changed.monitoring.hang) == (6 * HOUR, 180.0)
    assert changed.monitoring.crash == practice().monitoring.crash
    assert changed.spares == practice().spares


@pytest.mark.parametrize("crews", [
    [{"name": "it", "number": 4}], {"it": {"number": 4}}], ids=["as a list", "by name"])
def test_items_of_lists_are_changed_by_name(crews):
    changed = by_name(practice(crews=crews).crews)
    assert (changed["it"].number, changed["it"].wait, changed["it"].trade) == (4, None, "it")
    assert list(changed) == [group.name for group in practice().crews]


def test_new_items_come_last_and_an_empty_list_empties():
    night = {"name": "night", "trade": "it", "number": 2, "hours": "19:00-07:00"}
    assert practice(crews=[night]).crews[-1].name == "night"
    assert practice(spares=[]).spares == ()


def test_an_item_told_twice_stays_twice_for_a_check_to_find():
    twice = [{"name": "it", "number": 1}, {"name": "it", "trade": "it", "number": 2}]
    assert [g.name for g in practice(crews=twice).crews].count("it") == 2


def test_of_a_count_and_a_target_the_written_one_stays():
    tray = by_name(practice(spares=[{"name": "compute_tray", "stock": 9}]).spares)["compute_tray"]
    assert (tray.stock, tray.fill_rate) == (9, None)
    group = by_name(practice(crews={"it": {"wait": "2 h"}}).crews)["it"]
    assert (group.number, group.wait) == (None, 2 * HOUR)


def test_laying_it_on_its_own_dump_changes_nothing():
    changed = practice(crews={"it": {"number": 4}}, maintenance=[
        {"name": "dusting", "on": "rack", "every": "365 d", "lasts": "1 h"}])  # fmt: skip
    plain = changed.model_dump(mode="json", exclude_none=True)
    assert Operations.model_validate(plain) == changed


def test_laid_over_takes_anything_that_is_not_alike():
    assert laid_over({"a": 1}, "x") == "x"
    assert laid_over([{"name": "a", "b": 1}], [3]) == [{"name": "a", "b": 1}, 3]
    assert laid_over(None, {"a": 1}) == {"a": 1}


@pytest.mark.parametrize(("given", "told"), [
    ({"practice": "hyperscaled"}, "did you mean 'hyperscale'"),
    ({"crews": [{"name": "it", "number": 2, "wait": "1 h"}]}, "one of 'number' and 'wait'"),
    ({"crews": [{"name": "new", "trade": "it"}]}, "one of 'number' and 'wait'"),
    ({"spares": [{"name": "optic", "stock": 2, "fill_rate": 0.9}]}, "one of 'stock' and 'fill_rate'"),
    ({"spares": [{"name": "optic", "stock": 2, "on_hand": 3}]}, "'on_hand' is part"),
    ({"spares": [{"name": "optic", "on_hand": 3}]}, "'on_hand' is part"),
    ({"crews": [{"name": "it", "number": 2, "hours": "7 to 19"}]}, "no hours of a day"),
    ({"crews": [{"name": "it", "number": 2, "hours": "07:00-25:00"}]}, "no hours of a day"),
    ({"crews": [{"name": "it", "number": 2, "hours": "07:60-19:00"}]}, "no hours of a day"),
    ({"crews": [{"name": "it", "number": 2, "hours": "07:00-07:00"}]}, "no hours of a day"),
    ({"diagnosis": {"over_eviction": 1.2}}, "less than or equal to 1"),
    ({"monitoring": {"hangs": "1 min"}}, "not permitted"),
    (3, "valid dictionary"),
])  # fmt: skip
def test_slips_are_told(given, told):
    with pytest.raises(ValidationError, match=told):
        Operations.model_validate(given)


def test_an_editor_lets_a_document_be_silent():
    schema = Operations.model_json_schema()
    parts = ("Monitoring", "Diagnosis", "Crews", "Stock", "Returns")
    assert "required" not in schema
    assert not any("required" in schema["$defs"][name] for name in parts)
    assert "required" in schema["$defs"]["Maintenance"]


def group(hours, days="every_day"):
    return Crews.model_validate({"name": "x", "trade": "it", "number": 1, "hours": hours, "days": days})


@pytest.mark.parametrize(("hours", "days", "on_duty_h", "shifts"), [
    ("00:00-24:00", "every_day", 168, 7), ("07:00-19:00", "weekdays", 60, 5),
    ("19:00-07:00", "every_day", 84, 8), ("22:00-06:30", "weekends", 17, 3),
    ("08:15-17:45", "weekends", 19, 2), ("20:00-04:00", "weekdays", 40, 5),
    ("16:00-24:00", "every_day", 56, 7),
])  # fmt: skip
def test_shifts_of_a_week(hours, days, on_duty_h, shifts):
    found = np.array(group(hours, days).shifts())
    assert (found[:, 1] - found[:, 0]).sum() == pytest.approx(on_duty_h * HOUR)
    assert len(found) == shifts
    assert np.all(found[1:, 0] >= found[:-1, 1]) and found.min() >= 0.0 and found.max() <= 7 * DAY


def test_a_shift_from_sunday_runs_into_monday():
    assert group("22:00-06:00", "weekends").shifts() == [
        (0.0, 6 * HOUR), (5 * DAY + 22 * HOUR, 6 * DAY + 6 * HOUR), (6 * DAY + 22 * HOUR, 7 * DAY)]


def test_every_part_and_trade_of_every_fleet_is_there():
    named = from_catalog.operations("hyperscale")
    stocked, trades = {s.name for s in named.spares}, {g.trade for g in named.crews}
    for fleet in catalog.names("failures"):
        classes = from_catalog.failure_classes(fleet)
        assert {cls.part for cls in classes} - {None} <= stocked
        assert {cls.crew for cls in classes} <= trades


@pytest.mark.parametrize(("kind", "given"), [
    (Stock, {"name": "optic", "stock": -1, "lead_time": "2 d"}),
    (Stock, {"name": "optic", "stock": 1, "lead_time": "0 s"}),
    (Stock, {"name": "optic", "fill_rate": 1.0, "lead_time": "2 d"}),
    (Maintenance, {"name": "x", "on": "rack", "every": "0 s", "lasts": "1 h"}),
    (Maintenance, {"name": "x", "on": "street", "every": "1 d", "lasts": "1 h"}),
    (Maintenance, {"name": "x", "on": "rack", "every": "1 d", "lasts": "1 h", "at_once": 0}),
])  # fmt: skip
def test_bounds(kind, given):
    with pytest.raises(ValidationError):
        kind.model_validate(given)
