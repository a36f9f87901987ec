"""Scenarios: loaded whole or refused whole, written back, and every figure behind them listed."""

import copy
import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.cli.schema import document
from simulator.errors import ScenarioError
from simulator.scenario import Scenario, assumptions, load, resolved
from simulator.site import compile_site

ROOT = Path(__file__).parents[1]
COMMITTED = sorted((ROOT / "scenarios").glob("*.yaml"))
BASE = Path(__file__).parent / "broken" / "base" / "pod.yaml"
CSV = "time,dry_bulb_c,rh_pct\n" + "".join(
    f"2027-07-{15 + hour // 24}T{hour % 24:02d}:00:00-04:00,25,50\n" for hour in range(26)
)


committed = cache(load)
"""A committed file and a name under its `scenarios:`, loaded once: a scenario is frozen."""


@pytest.fixture(scope="module")
def obeyed() -> Any:
    """What validates against the published schema, which is one itself."""
    schema = document("scenario")
    validator = pytest.importorskip("jsonschema").Draft7Validator
    validator.check_schema(schema)
    return validator(schema)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of its own, so that file names in messages are short."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pod(folder: Path, text: str = "", *sets: object, name: str = "main.yaml") -> Scenario:
    """Return the sound pod of the broken scenarios with a text of changes."""
    (folder / name).write_text(f"import: {BASE}\ntemplate: pod\n{text}")
    return load(folder / name, sets)  # type: ignore[arg-type]


def refused(folder: Path, text: str, *sets: object) -> list[str]:
    """Return the messages, without their places, of a pod that must not load."""
    with pytest.raises(ScenarioError) as caught:
        pod(folder, text, *sets)
    return [f"{p.path}: {p.message}" for p in caught.value.problems]


@pytest.mark.parametrize("file", COMMITTED, ids=lambda file: file.stem)
def test_the_resolved_document_loads_again_to_an_equal_scenario(file: Path, tmp_path: Path) -> None:
    scenario = committed(file)
    text = resolved(scenario)
    copy = tmp_path / "copy.yaml"
    copy.write_text(text)
    again = load(copy)
    assert again.spec == scenario.spec
    assert again.config_hash == scenario.config_hash
    assert resolved(again) == text
    assert str(ROOT) not in text


@pytest.mark.parametrize("file", COMMITTED, ids=lambda file: file.stem)
def test_every_chosen_set_of_overrides_is_valid(file: Path) -> None:
    for name in committed(file).document.scenarios:
        assert committed(file, scenario=name).config_hash != committed(file).config_hash


@pytest.mark.parametrize("file", COMMITTED, ids=lambda file: file.stem)
def test_every_chosen_scenario_resolves_to_what_loads_again(file: Path, tmp_path: Path) -> None:
    for name in committed(file).document.scenarios:
        chosen = committed(file, scenario=name)
        copy = tmp_path / f"{name}.yaml"
        copy.write_text(resolved(chosen))
        assert load(copy).config_hash == chosen.config_hash


@pytest.mark.parametrize("file", COMMITTED, ids=lambda file: file.stem)
def test_the_resolved_document_obeys_the_published_schema(file: Path, obeyed: Any) -> None:
    obeyed.validate(yaml.safe_load(resolved(committed(file))))


def test_resolved_keeps_figures_and_says_what_is_a_default(folder: Path) -> None:
    text = resolved(
        pod(
            folder,
            "topology:\n  power_margin: {value: 5 %, source: habit, evidence: assumed, "
            "range: [2 %, 9 %], note: of the site}\n",
        )
    )
    assert (
        "power_margin: {value: 5 %, source: habit, evidence: assumed, range: [2 %, 9 %], "
        "note: of the site}" in " ".join(text.split())
    )
    assert "air_rise: {value: 6 K, source: 'default of DryCooler:" in text
    assert "duration: 1 day" in text


def test_weather_is_named_relative_to_the_scenario(folder: Path) -> None:
    (folder / "air").mkdir()
    (folder / "air" / "july.csv").write_text(CSV)
    change = "weather: {_REPLACE_: true, csv: air/july.csv}\n"
    written = pod(folder, change)
    given = pod(folder, "", f"weather.csv={folder}/air/july.csv")
    for scenario in (written, given):
        assert "csv: air/july.csv" in resolved(scenario)
        assert (scenario.weather_folder / scenario.spec.weather.csv).is_file()  # type: ignore[operator]
    assert written.config_hash == given.config_hash


def test_weather_of_an_imported_file_is_relative_to_that_file(folder: Path) -> None:
    (folder / "air").mkdir()
    (folder / "air" / "july.csv").write_text(CSV)
    (folder / "air" / "july.yaml").write_text("weather: {csv: july.csv}\n")
    (folder / "main.yaml").write_text(
        f"import: [{BASE}, air/july.yaml]\ntemplate: pod\nweather: {{_REPLACE_: true}}\n"
    )
    scenario = load(folder / "main.yaml")
    assert scenario.weather_folder == folder / "air"
    assert "csv: air/july.csv" in resolved(scenario)


def test_the_hash_knows_values_not_spellings(folder: Path) -> None:
    plain = pod(folder).config_hash
    assert pod(folder, "topology: {cooling: {supply: 313.15 K}}\n").config_hash == plain
    assert pod(folder, "topology: {cooling: {supply: 41 degC}}\n").config_hash != plain
    assert pod(folder, "seed: 2\n").config_hash != plain


def test_sets_are_plain_values_or_text(folder: Path) -> None:
    text = pod(folder, "", "topology.cooling.supply=38 degC").spec
    plain = pod(folder, "", ("topology.cooling.supply", "38 degC")).spec
    assert text == plain
    assert text.topology.cooling.supply == 38.0


def test_a_set_of_a_default_like_a_written_key_is_no_slip(folder: Path) -> None:
    water = pod(folder, "", "topology.cooling.water.daily_limit=100 m3/d").spec.topology.cooling.water
    assert water.limits_m3(0, 24) == pytest.approx([100.0])
    with pytest.raises(ScenarioError, match=r"unknown key 'watr' \(did you mean 'water'"):
        pod(folder, "", "topology.cooling.watr.daily_limit=100 m3/d")


def test_problems_of_text_and_of_sense_come_together(folder: Path) -> None:
    told = refused(folder, "seed: 1\nseed: 2\nworkloads:\n  - {name: chat, model: lama-3.1-8b}\n")
    assert [line.split(":")[0] for line in told] == ["seed", "workloads.chat.model"]


def test_a_capping_policy_is_judged_beside_units_that_are_wrong(folder: Path) -> None:
    wrong = "topology: {control: {policy: priorty}, grid: {lines: {rating: 15 kWh}}}\n"
    told = refused(folder, wrong)
    assert len(told) == 2
    assert any("'priorty' is not known (did you mean 'priority'?)" in line for line in told)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("scheme", "3N/4", "'3N/4' is not known (did you mean '4N/3'?)"),
        ("share_a", "140 %", "'140 %' is out of range: must be less than 100 %"),
    ],
)
def test_a_bad_item_does_not_make_its_list_empty(key: str, value: str, told: str) -> None:
    plan = {"scheme": "2N"} | {key: value}
    with pytest.raises(ScenarioError) as caught:
        load(ROOT / "scenarios" / "hall.yaml", [("topology.halls.hall.distribution", plan)])
    assert len(caught.value.problems) == 1 and told in str(caught.value)


def test_a_missing_key_is_not_told_when_the_text_has_holes(folder: Path) -> None:
    (folder / "main.yaml").write_text("import: nowhere.yaml\nname: Pod\n")
    with pytest.raises(ScenarioError) as caught:
        load(folder / "main.yaml")
    assert [p.path for p in caught.value.problems] == [""]


def test_all_halls_of_a_group_have_names_of_their_own(folder: Path) -> None:
    hall = "    - {name: %s, rack: GB300-NVL72, blocks: 1, block: {rating: 650 kVA, "
    hall += "substation: {}, busway: {}}, feeders: {count: 2, rating: 2 MVA}}\n"
    told = refused(
        folder, "topology:\n  halls:\n    - {name: liquid, count: 2}\n" + hall % "liquid-02"
    )
    assert told == [
        "topology.halls.liquid-02.name: a second hall is called 'liquid-02'; rename one"
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("topology: {power_margin: -1 %}\n", "must be 0 % or more"),
        ("topology: {fabric: {radix: 2}}\n", "'2' is out of range: must be 4 or more"),
        ("topology: {fabric: {kind: tour}}\n", "unknown kind 'tour' (did you mean 'torus'?)"),
        ("topology: {racks: {name: NEW}}\n", "must be a list, each item after '- '"),
        ("question: [what]\n", "must be text, not a list"),
        ("name: ''\n", "must not be empty"),
    ],
)
def test_messages_are_plain(folder: Path, text: str, told: str) -> None:
    assert told in refused(folder, text)[0]


def test_every_figure_behind_a_scenario_is_listed(folder: Path) -> None:
    rows = assumptions(
        pod(
            folder,
            "topology:\n  power_margin: {value: 5 %, source: habit, evidence: assumed, "
            "range: [2 %, 9 %]}\n",
        )
    )
    by_path = {row.path: row for row in rows}
    assert len(by_path) == len(rows)
    assert by_path["topology.power_margin"][1:5] == ("5 %", "habit", "assumed", "2 % to 9 %")
    pump = by_path["topology.cooling.chilled.condenser_pump"]
    assert (pump.value, pump.evidence) == ("0.012", "derived")
    assert by_path["catalog.accelerators.GB300.tdp"].evidence == "vendor"
    entries = {row.path.split(".")[1] for row in rows if row.path.startswith("catalog.")}
    assert entries == {"accelerators", "racks", "models", "failures"}
    assert all(row.source and row.value for row in rows)


def test_the_scenario_of_the_manual_is_valid(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "write-a-scenario.md").read_text()
    text = page.split("```yaml\n")[1].split("```")[0]
    (tmp_path / "topologies").symlink_to(ROOT / "topologies")
    (tmp_path / "scenarios").mkdir()
    file = tmp_path / "scenarios" / "pod.yaml"
    file.write_text(text)
    assert load(file).spec.weather.dry_bulb_shift == 4.0


def test_a_practice_is_written_out_in_full_and_loads_again(folder: Path) -> None:
    text = "operations: {crews: {it: {number: 4}}, burn_in: 6 h}\n"
    given = pod(folder, text)
    (folder / "again.yaml").write_text(resolved(given))
    again = load(folder / "again.yaml")
    assert again.spec == given.spec and again.config_hash == given.config_hash
    told = {row.path: row for row in assumptions(given)}
    assert told["catalog.operations.hyperscale.monitoring.hang"].value == "10 min"
    assert not [path for path in told if path.startswith("operations.")]


def test_a_practice_can_be_set_from_the_command_line(folder: Path) -> None:
    assert pod(folder, "", "operations=hyperscale").spec.operations is not None
    written = "operations: {practice: hyperscale}\n"
    operations = pod(folder, written, "operations.crews.it.number=7").spec.operations
    assert operations is not None and operations.crews[0].number == 7


NASTY = [None, True, -1, 1e308, "", "x", [], {}, "0 W", "1e9 GW", "nan", "../..", 10**30]


@pytest.mark.parametrize("seed", range(3))
def test_any_value_anywhere_is_valid_or_refused(folder: Path, seed: int) -> None:
    draw = random.Random(seed)
    whole = yaml.safe_load(resolved(pod(folder)))
    for _ in range(60):
        changed = copy.deepcopy(whole)
        _spoil(changed, draw)
        (folder / "changed.yaml").write_text(yaml.safe_dump(changed, sort_keys=False))
        try:
            compile_site(load(folder / "changed.yaml").spec.topology)
        except ScenarioError as error:
            assert error.problems


def _spoil(tree: Any, draw: random.Random) -> None:
    """Put something nasty anywhere into a tree of plain values."""
    keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
    key = draw.choice(keys)
    if isinstance(tree[key], dict | list) and tree[key] and draw.random() < 0.8:
        _spoil(tree[key], draw)
    else:
        tree[key] = draw.choice(NASTY)
