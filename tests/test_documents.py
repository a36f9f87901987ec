"""Documents: YAML rules, imports, templates, overrides, `--set`, figures, and every refusal."""

from pathlib import Path
from typing import Any

import pytest

from simulator.documents import read
from simulator.errors import ScenarioError

SOURCED = "{value: 750 W, source: datasheet, evidence: vendor, range: [700 W, 800 W]}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of its own, so that file names in messages are short."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path, text: str | bytes, **others: str) -> Path:
    """Write `main.yaml` and its neighbours; return its path."""
    for name, content in others.items():
        (folder / f"{name}.yaml").write_text(content)
    file = folder / "main.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def tree(folder: Path, text: str, *sets: Any, scenario: str | None = None, **others: str) -> Any:
    """Return the plain tree of a text."""
    return read(written(folder, text, **others), sets, scenario).tree


def refused(
    folder: Path, text: str | bytes, *sets: Any, scenario: str | None = None, **others: str
) -> str:
    """Return the problems of a text that must not be read."""
    with pytest.raises(ScenarioError) as caught:
        read(written(folder, text, **others), sets, scenario)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("12:30:00", "12:30:00"),
        ("2026-01-01", "2026-01-01"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("010", 10),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("'5'", "5"),
        ("", None),
        ("~", None),
        ("132 kW", "132 kW"),
        ("[1, {b: x}]", [1, {"b": "x"}]),
        ("|\n  two\n  lines", "two\nlines"),
    ],
)
def test_scalars_mean_what_they_look_like(folder: Path, text: str, value: object) -> None:
    found = tree(folder, f"a: {text}")["a"]
    assert found == value
    assert type(found) is type(value)


def test_places_are_those_of_keys_and_items(folder: Path) -> None:
    document = read(written(folder, "a:\n  b: 1\n  c:\n    - x\n    - {name: n, d: 2}\n"))
    places = {path: (place.line, place.column) for path, place in document.places.items()}
    assert places[("a",)] == (1, 1)
    assert places[("a", "b")] == (2, 3)
    assert places[("a", "c", 0)] == (4, 7)
    assert places[("a", "c", 1, "d")] == (5, 17)
    assert document.files == (folder / "main.yaml",)


def test_problem_finds_the_nearest_place(folder: Path) -> None:
    document = read(written(folder, "a:\n  b:\n    - {name: n, d: 2}\n"))
    at = {
        ("a", "b", 0, "d"): "main.yaml:3:17: a.b.n.d: m",
        ("a", "b", 0, "missing"): "main.yaml:3:7: a.b.n.missing: m",
        ("a", "UnionTag", "b", 0, "DryCooler", "d"): "main.yaml:3:17: a.b.n.d: m",
        ("nothing",): "main.yaml:1:1: nothing: m",
        (): "main.yaml:1:1: m",
    }
    assert {path: str(document.problem(path, "m")) for path in at} == at


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: 2\na: 3", "main.yaml:3:1: a: duplicate key 'a': already at main.yaml:1:1"),
        ("a:\n  b: 1\n  b: 2", "main.yaml:3:3: a.b: duplicate key"),
        ("a:\n\tb: 1", "main.yaml:2:1: not valid YAML: .*indent with spaces"),
        ("a: b: c", "main.yaml:1:5: .*quote a text"),
        ("a: [1, 2", "close the bracket"),
        ("a: 'x", "close the quote mark"),
        ("a: @x", "must be quoted"),
        ("a: 1\n---\nb: 2", "main.yaml:2:1: a second document starts here"),
        ("", "main.yaml:1:1: the file is empty"),
        ("# nothing\n", "the file is empty"),
        ("- 1\n- 2", "the file holds a list; it must hold 'key: value' lines"),
        ("hello", "the file holds only the text 'hello'"),
        ("a: !!python/object:os.system x", "tag '!!python/object:os.system' is not allowed"),
        ("a: !env X", "tag '!env' is not allowed"),
        ("? [1]\n: 2", "a key must be plain text"),
        ("a: &x {b: 1}\nc:\n  <<: *x", "c: '<<' is not merged; use 'template: NAME'"),
        ("a: &x [*x]", "points to no complete anchor"),
        ("a: &speed 1\nb: *sped", r"no complete anchor \(did you mean 'speed'\?\)"),
        ("a: " + "[" * 3000, "nested deeper than 64 levels"),
        ("{a: " * 3000, "nested deeper than 64 levels"),
        (b"a: 1\nb: caf\xe9", "main.yaml:2:7: byte 0xe9 is not UTF-8"),
        ("a: 1".encode("utf-16"), "main.yaml:1:1: byte 0xff is not UTF-8"),
        ("a: x\x07y", "control characters"),
    ],
)
def test_bad_yaml_is_told_with_place_and_cure(folder: Path, text: str, told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        read(written(folder, text))


def test_bombs_are_refused_at_once(folder: Path) -> None:
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]" for i in range(1, 12)]
    assert "YAML bomb" in refused(folder, "\n".join(lines))
    many = "\n".join(
        f"  t{i}: {{a: {{template: t{i - 1}}}, b: {{template: t{i - 1}}}}}" for i in range(1, 60)
    )
    assert "grows to" in refused(
        folder, f"templates:\n  t0: {{x: 1}}\n{many}\na: {{template: t59}}"
    )
    assert "larger than 8 MiB" in refused(folder, "a: 1\n" + "#" * (8 << 20))


def test_depth_is_bounded_wherever_it_can_grow(folder: Path) -> None:
    deep = "\n".join(f"  t{i}: {'{a: ' * 50}{{template: t{i - 1}}}{'}' * 50}" for i in range(1, 40))
    told = refused(folder, f"templates:\n  t0: {{x: 1}}\n{deep}\na: {{template: t39}}")
    assert "levels deep" in told
    chain = "\n".join(f"  t{i}: {{template: t{i - 1}}}" for i in range(1, 500))
    told = refused(folder, f"templates:\n  t0: {{x: 1}}\n{chain}\na: {{template: t499}}")
    assert "templates inherit more than 64 levels deep" in told
    assert "more than 64 parts" in refused(folder, "a: 1", f"{'a.' * 5000}b=1")
    assert "more than 64 parts" in refused(folder, f"{'a.' * 100}b: 1")
    doubling = "\n".join(f"  s{i}: [s{i - 1}, s{i - 1}]" for i in range(1, 60))
    assert tree(folder, f"a: 1\nscenarios:\n  s0: []\n{doubling}", scenario="s59") == {"a": 1}


def test_aliases_are_copies(folder: Path) -> None:
    assert tree(folder, "a: &x {b: 1}\nc: *x") == {"a": {"b": 1}, "c": {"b": 1}}


def test_byte_order_mark_is_no_content(folder: Path) -> None:
    assert read(written(folder, b"\xef\xbb\xbfa: 1")).tree == {"a": 1}


def test_missing_files_and_folders(folder: Path) -> None:
    (folder / "gigawatt.yaml").write_text("a: 1")
    for name, told in (
        ("gigawat.yaml", r"no file 'gigawat.yaml' \(did you mean 'gigawatt.yaml'\?\)"),
        ("", "is a folder"),
        ("a\0b", "is not a file name"),
    ):
        with pytest.raises(ScenarioError, match=told):
            read(folder / name if not name.startswith("g") else name)


# --- import ------------------------------------------------------------------------------------


def test_imports_are_united(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "deep.yaml").write_text("plant: {pumps: 3}\nsame: 1")
    document = read(
        written(
            folder,
            "import: [site.yaml, sub/deep.yaml]\nplant: {fans: 2}\nhalls: [{name: b, n: 2}]",
            site="import: sub/deep.yaml\nplant: {supply: 3}\nhalls: [{name: a, n: 1}]\nsame: 1",
        )
    )
    assert document.tree == {
        "plant": {"pumps": 3, "supply": 3, "fans": 2},
        "same": 1,
        "halls": [{"name": "a", "n": 1}, {"name": "b", "n": 2}],
    }
    assert document.folder_of(("plant", "pumps")) == folder / "sub"
    assert document.folder_of(("plant", "fans")) == folder
    assert {file.name for file in document.files} == {"main.yaml", "site.yaml", "deep.yaml"}


def test_import_conflicts_name_both_places(folder: Path) -> None:
    told = refused(
        folder,
        "import: [one.yaml, two.yaml]\nb: {c: 9}\nl: [1]\nh: [{name: x, n: 2}]",
        one="a: 1\nb: {c: 2}\nl: [1, 2]\nh: [{name: x, n: 1}]",
        two="a: true",
    )
    cure = "; keep one, or put the change under 'overrides:'"
    assert [line.removesuffix(cure) for line in told.splitlines()] == [
        "main.yaml:2:5: b.c: given as 9 here and as 2 at one.yaml:2:5",
        "main.yaml:3:1: l: given as [1] here and as [1, 2] at one.yaml:3:1",
        "main.yaml:4:15: h.x.n: given as 2 here and as 1 at one.yaml:4:15",
        "two.yaml:1:1: a: given as True here and as 1 at one.yaml:1:1",
    ]


def test_import_circles_and_missing_files(folder: Path) -> None:
    told = refused(folder, "import: one.yaml", one="import: two.yaml", two="import: main.yaml")
    assert (
        "two.yaml:1:1: import: files import each other: main.yaml -> one.yaml -> two.yaml" in told
    )
    told = refused(folder, "import:\n  - onee.yaml\n  - 5\n", one="a: 1")
    assert "main.yaml:2:5: there is no file 'onee.yaml' (did you mean 'one.yaml'" in told
    assert "main.yaml:3:5: import: give a file name" in told


def test_problems_of_all_files_are_told_together(folder: Path) -> None:
    told = refused(folder, "import: [one.yaml, two.yaml]\na: 1\na: 2", one="b: [", two="c: !x 1")
    assert [line.split(":")[0] for line in told.splitlines()] == [
        "main.yaml",
        "one.yaml",
        "two.yaml",
    ]


# --- templates ---------------------------------------------------------------------------------

TEMPLATES = """
templates:
  rack: {power: 132 kW, parts: [{name: fan, n: 6}, {name: pump, n: 1}]}
  dense: {template: rack, power: 142 kW}
"""


def test_templates_give_what_is_not_said(folder: Path) -> None:
    text = f"{TEMPLATES}a: {{template: dense, parts: [{{name: fan, n: 8}}], x.y: 1}}"
    assert tree(folder, text) == {
        "a": {
            "power": "142 kW",
            "parts": [{"name": "fan", "n": 8}, {"name": "pump", "n": 1}],
            "x.y": 1,
        }
    }


def test_places_of_a_template_are_its_own(folder: Path) -> None:
    document = read(written(folder, f"{TEMPLATES}a:\n  template: dense\n  x: 1\n"))
    assert document.place_of(("a", "power")).line == 4
    assert document.place_of(("a", "x")).line == 7


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: {template: rak}", r"a.template: unknown template 'rak' \(did you mean 'rack'\?\)"),
        ("b: {template: 5}", "unknown template '5'"),
    ],
)
def test_unknown_templates(folder: Path, text: str, told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        read(written(folder, TEMPLATES + text))


def test_template_circles_and_shapes(folder: Path) -> None:
    told = refused(folder, "templates: {a: {template: b}, b: {template: a}}\nx: {template: a}")
    assert "templates inherit in a circle: a -> b -> a" in told
    assert "template 't' must hold keys" in refused(folder, "templates: {t: 5}\nx: {template: t}")
    assert "'templates' are 'name: {keys}' lines" in refused(folder, "templates: [1]")


# --- overrides and scenarios -------------------------------------------------------------------

BASE = """
plant: {supply: 30 degC, pumps: {n: 3, head: 250 kPa}}
halls: [{name: gb300, blocks: 4}, {name: h100, blocks: 2}]
models: {llama-3.1-70b: {tp: 8}}
templates: {rack: {power: 132 kW}}
rack: {template: rack}
overrides:
  warm: {plant.supply: 40 degC, halls.gb300.blocks: 5}
  more: {halls: [{name: h100, blocks: 3}, {name: new, blocks: 1}]}
  bare: {plant: {pumps: {_REPLACE_: true, n: 1}}}
  dense: {templates.rack.power: 142 kW}
  model: {models.llama-3.1-70b.tp: 4, models.qwen-2.5-7b: {tp: 1}}
scenarios:
  base: []
  hot: [warm]
  hotter: [hot, more]
  stripped: bare
  dense: [dense]
  model: [model]
"""


@pytest.mark.parametrize(
    ("scenario", "changes"),
    [
        (None, {}),
        ("base", {}),
        ("hot", {"plant": ("supply", "40 degC")}),
        ("stripped", {"plant": ("pumps", {"n": 1})}),
        ("dense", {"rack": ("power", "142 kW")}),
    ],
)
def test_scenarios(folder: Path, scenario: str | None, changes: dict[str, Any]) -> None:
    expected = tree(folder, BASE)
    assert set(expected) == {"plant", "halls", "models", "rack"}
    for key, (leaf, value) in changes.items():
        expected[key][leaf] = value
    if scenario == "hot":
        expected["halls"][0]["blocks"] = 5
    assert tree(folder, BASE, scenario=scenario) == expected


def test_scenarios_build_on_scenarios(folder: Path) -> None:
    assert tree(folder, BASE, scenario="hotter")["halls"] == [
        {"name": "gb300", "blocks": 5},
        {"name": "h100", "blocks": 3},
        {"name": "new", "blocks": 1},
    ]


def test_dots_in_names_are_not_paths(folder: Path) -> None:
    models = tree(folder, BASE, scenario="model")["models"]
    assert models == {"llama-3.1-70b": {"tp": 4}, "qwen-2.5-7b": {"tp": 1}}


@pytest.mark.parametrize(
    ("text", "scenario", "told"),
    [
        (BASE, "hott", r"scenarios: no scenario 'hott' \(did you mean 'hot'"),
        ("a: 1", "hot", "main.yaml:1:1: scenarios: no scenario 'hot'"),
        ("overrides: {warm: {}}\nscenarios: {x: [wram]}", None, r"x: no override 'wram' \(did you"),
        ("scenarios: {x: [y], y: [x]}", None, "scenarios name each other: x -> y -> x"),
        ("scenarios: [x]", None, "'scenarios' are 'name: ...' lines"),
        ("a: {b: 1}\noverrides: {o: {a: {_REPLACE_: 1}}}\nscenarios: {x: o}", "x", "only be true"),
        ("a: [{name: p}]\noverrides: {o: {a.q.x: 1}}\nscenarios: {x: o}", "x", "no item 'q'"),
    ],
)
def test_bad_scenarios(folder: Path, text: str, scenario: str | None, told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        read(written(folder, text), scenario=scenario)


# --- --set -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "path", "value"),
    [
        ("plant.supply=40 degC", ("plant", "supply"), "40 degC"),
        ("plant.pumps.n = 4", ("plant", "pumps", "n"), 4),
        ("plant.new=[1, 2]", ("plant", "new"), [1, 2]),
        ("halls.gb300.blocks=12", ("halls", 0, "blocks"), 12),
        ("halls.1.blocks=12", ("halls", 1, "blocks"), 12),
        ("models.llama-3.1-70b.tp=2", ("models", "llama-3.1-70b", "tp"), 2),
        ("rack.power=1 kW", ("rack", "power"), "1 kW"),
        ("operations.crews.n=5", ("operations", "crews", "n"), 5),
        ("plant.supply=", ("plant", "supply"), None),
        (("plant.supply", "41 degC"), ("plant", "supply"), "41 degC"),
        (("plant.pumps", {"n": 9}), ("plant", "pumps", "n"), 9),
    ],
)
def test_set(folder: Path, given: Any, path: tuple[Any, ...], value: object) -> None:
    document = read(written(folder, BASE), [given])
    found: Any = document.tree
    for part in path:
        found = found[part]
    assert found == value
    assert str(document.problem(path, "m")).startswith("--set:1:1: ")


def test_a_key_like_a_written_one_is_left_to_the_schema(folder: Path) -> None:
    assert tree(folder, "cooling: {warm: {kind: tower}}", "cooling.water.limit=1 m3/d") == {
        "cooling": {"warm": {"kind": "tower"}, "water": {"limit": "1 m3/d"}}
    }


def test_set_counts_items_of_plain_lists(folder: Path) -> None:
    assert tree(folder, "a: [1, 2, 3]", "a.1=9") == {"a": [1, 9, 3]}
    assert "no item '7' in this list" in refused(folder, "a: [1, 2, 3]", "a.7=9")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("halls.gb30.blocks=1", r"no item 'gb30' in this list \(did you mean 'gb300'\?\)"),
        ("plant.supply.x=1", "'supply' is a single value and has no 'x'"),
        ("plant.supply", "write key=value"),
        ("=5", "write key=value"),
        ("plant.supply=[1", "--set:1:1: not valid YAML"),
        ("plant.supply=!x 1", "tag '!x' is not allowed"),
    ],
)
def test_bad_sets(folder: Path, given: str, told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        read(written(folder, BASE), [given])


def test_setting_a_weather_source_replaces_the_weather(folder: Path) -> None:
    text = "weather: {tmy3: data/x.csv, shift: 2 K}"
    document = read(written(folder, text), ["weather.epw=my/y.epw"])
    assert document.tree["weather"] == {"epw": str(folder / "my" / "y.epw")}
    assert document.folder_of(("weather", "epw")) == folder
    assert tree(folder, text, "weather.station=X") == {"weather": {"station": "X"}}
    assert tree(folder, text, "weather.shift=3 K")["weather"]["tmy3"] == "data/x.csv"
    assert tree(folder, "a: 1", "weather.csv=/w.csv")["weather"] == {"csv": "/w.csv"}


# --- figures -----------------------------------------------------------------------------------


def test_figures_become_values_and_a_register(folder: Path) -> None:
    text = f"chips:\n  - name: x\n    tdp: {SOURCED}\n    cf: {{value: [1, 2], source: s, "
    document = read(written(folder, f"{text}evidence: derived, note: n}}\n"))
    assert document.tree == {"chips": [{"name": "x", "tdp": "750 W", "cf": [1, 2]}]}
    tdp, curve = document.figures
    assert (tdp.path, tdp.text, tdp.source) == ("chips.x.tdp", "750 W", "datasheet")
    assert (tdp.evidence, tdp.range, tdp.note) == ("vendor", ("700 W", "800 W"), "")
    assert (Path(tdp.file).name, tdp.line) == ("main.yaml", 3)
    assert (curve.path, curve.text, curve.range, curve.note) == ("chips.x.cf", "[1, 2]", None, "n")
    assert document.place_of(("chips", 0, "tdp")).line == 3


def test_a_value_set_over_a_figure_drops_its_evidence(folder: Path) -> None:
    document = read(written(folder, f"tdp: {SOURCED}"), ["tdp=800 W"])
    assert (document.tree, document.figures) == ({"tdp": "800 W"}, ())
    assert document.place_of(("tdp",)).file == "--set"


def test_a_figure_over_a_figure_brings_its_own_evidence(folder: Path) -> None:
    text = f"tdp: {SOURCED}\noverrides:\n  o: {{tdp: {{value: 1 W, source: s, evidence: assumed}}}}"
    document = read(written(folder, f"{text}\nscenarios: {{x: o}}"), scenario="x")
    assert document.figures[0].range is None
    assert document.figures[0].evidence == "assumed"


@pytest.mark.parametrize(
    ("figure", "told"),
    [
        ("{value: 1 W}", "main.yaml:1:1: a: a figure needs its 'source'"),
        ("{value: 1 W, source: s}", "a figure needs its 'evidence'; one of measured, vendor"),
        (
            "{value: 1 W, source: s, evidence: vendr}",
            r"'vendr' is no evidence .did you mean 'vendor",
        ),
        (
            "{value: 1 W, source: s, evidence: vendor, range: 5 W}",
            r"a 'range' is \[lowest, highest",
        ),
        ("{value: {b: 1}, source: s, evidence: vendor}", "one value or a list"),
        ("{value: , source: s, evidence: vendor}", "one value or a list"),
    ],
)
def test_bad_figures(folder: Path, figure: str, told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        read(written(folder, f"a: {figure}"))


def test_figures_are_single_values_to_set(folder: Path) -> None:
    assert "is a single value" in refused(folder, f"tdp: {SOURCED}", "tdp.value=5 W")


def test_a_mapping_with_other_keys_is_no_figure(folder: Path) -> None:
    assert tree(folder, "a: {value: 1, unit: W}") == {"a": {"value": 1, "unit": "W"}}
