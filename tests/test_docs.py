"""The documentation is executed: names exist, links resolve, commands parse, code and YAML run."""

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
import yaml
from numba import config
from numba.core.caching import UserProvidedCacheLocator
from pydantic import BaseModel

from simulator import documents
from simulator.cli import app
from simulator.components import from_catalog
from simulator.engine import drought, physics, warm_coolant
from simulator.scenario import ScenarioSpec, load
from simulator.site import compile_site
from simulator.studies import designs, inverse
from simulator.studies.calibrate.spec import CalibrationSpec

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / name for name in ("README.md", "CHANGELOG.md", "reports/README.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
CAMPUS = ("scenarios", "topologies", "workloads")
FILES = tuple(f"{folder}/" for folder in CAMPUS)
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_DOTTED = re.compile(r"(?:[A-Za-z_]\w*)(?:\.[A-Za-z_]\w*)+")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FILE = re.compile(r"[\w./*-]+\.(?:py|yaml|yml|md|typ|ipynb)")


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of a language; a first line `# path` says which file a block is."""
    return [text for name, text in _FENCE.findall(page.read_text()) if name == language]


def file_of(block: str) -> str | None:
    found = re.match(r"# ((?:simulator|scenarios)/\S+\.(?:py|yaml))\n", block)
    return found.group(1) if found else None


def prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text())


# Events

NAMED_ELSEWHERE = {"cap", "cap_lifted", "maintenance", drought.KIND, warm_coolant.KIND, *physics.INTAKES}
"""Kinds that the engine tells by a variable."""
BY_VARIABLE = {"capping.py", "tree_caps.py", "drought.py", "physics.py", "warm_coolant.py", "effects.py"}
"""Where it does."""


def told_kinds() -> tuple[set[str], set[str]]:
    """Return the kinds of events that the code tells by name, and the files that tell some by variable."""
    kinds, by_variable = set(), set()
    for path in sorted((ROOT / "simulator").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and ast.unparse(node.func).endswith("world.log") and node.args):
                continue
            kind = node.args[0]
            for each in (kind.body, kind.orelse) if isinstance(kind, ast.IfExp) else (kind,):
                if isinstance(each, ast.Constant):
                    kinds.add(str(each.value))
                else:
                    by_variable.add(path.name)
    return kinds, by_variable


def test_every_kind_of_event_is_in_the_table_and_no_other():
    page = (ROOT / "docs" / "models" / "engine.md").read_text()
    table = page.partition("## Events")[2].partition("## Limits")[0]
    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    kinds, by_variable = told_kinds()
    assert by_variable == BY_VARIABLE
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == kinds | NAMED_ELSEWHERE


# Names


@every_page
def test_every_dotted_name_exists(page):
    names = [n for n in _CODE.findall(prose(page)) if _DOTTED.fullmatch(n.removesuffix("()"))]
    unknown = [n for n in dict.fromkeys(names) if not is_known(n.removesuffix("()"))]
    assert not unknown


@every_page
def test_every_named_file_exists(page):
    named = [n for n in _CODE.findall(prose(page)) if _FILE.fullmatch(n)]
    assert not [n for n in dict.fromkeys(named) if not is_file(n)]


def is_known(name: str) -> bool:
    """Return whether a name is code, an indicator, a key of a scenario, or a file."""
    return bool(
        is_file(name)
        or indicators().fullmatch(name)
        or is_key(ScenarioSpec, name.split("."))
        or is_code(name)
    )


def is_file(name: str) -> bool:
    in_a_run = ("summary.json", "manifest.json", "scenario.resolved.yaml", "report.pdf", "kpis.csv")
    in_a_comparison = ("comparison.csv", "comparison.json", "inputs.csv", "forest.png")
    in_a_calibration = ("calibrated.yaml", "calibration.json", "calibration.png", "scores.csv")
    if name in (*in_a_run, *in_a_comparison, *in_a_calibration) or name.endswith(".parquet"):
        return True
    last = name.split("/")[-1]
    return any(ROOT.glob(name)) or any(any((ROOT / f).rglob(last)) for f in ("simulator", "docs"))


@cache
def indicators() -> re.Pattern[str]:
    """Return what matches the glossary's indicators; `<job>` there stands for any name."""
    text = (ROOT / "docs" / "glossary.md").read_text()
    names = re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)
    return re.compile(
        "|".join(re.sub(r"<\w+>", "[^.]+", name).replace(".", r"\.") for name in names)
    )


def is_key(kind: Any, parts: list[str]) -> bool:
    """Return whether dotted parts lead through the fields of specs; lists pass names through."""
    if not parts:
        return True
    for spec in specs(kind):
        field = spec.model_fields.get(parts[0])
        if field is None:
            continue
        rest = parts[1:]
        if is_key(field.annotation, rest) or (rest and is_key(field.annotation, rest[1:])):
            return True
    return False


def specs(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for part in get_args(kind):
        yield from specs(part)


def is_code(name: str) -> bool:
    """Return whether `room.module.thing` exists under `simulator`; `gw` is the notebook's name."""
    parts = name.split(".")
    parts = parts[1:] if parts[0] in ("simulator", "gw") else parts
    for cut in range(len(parts), 0, -1):
        try:
            thing: Any = import_module(".".join(["simulator", *parts[:cut]]))
        except ImportError:
            continue
        return has(thing, parts[cut:])
    return has(import_module("simulator"), parts)


def has(thing: Any, parts: list[str]) -> bool:
    for part in parts:
        declared = {**getattr(thing, "__annotations__", {}), **getattr(thing, "model_fields", {})}
        if not hasattr(thing, part):
            return part in declared
        thing = getattr(thing, part)
    return True


# Links


@every_page
def test_every_relative_link_resolves(page):
    targets = [t for t in _LINK.findall(prose(page)) if not t.startswith(("http", "mailto:"))]
    broken = []
    for target in targets:
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert not broken


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", t.lower()).replace(" ", "-") for t in titles}


# Commands


def commands(page: Path) -> list[list[str]]:
    lines = [line for block in blocks(page, "bash") for line in block.splitlines()]
    return [shlex.split(line, comments=True) for line in lines if line and not line.startswith("#")]


@every_page
def test_every_command_parses(page):
    root: Any = typer.main.get_command(app)
    for words in commands(page):
        if words[0] == "make":
            targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
            assert set(words[1:]) <= set(targets), words
        elif words[0] == "gigawatt":
            command = root.commands[words[1]]
            with command.make_context(words[1], words[2:]):
                assert not [w for w in words if w.startswith(FILES) and not is_written(w)], words


def is_written(name: str) -> bool:
    """Return whether a file exists or a page of the documentation writes it."""
    return (ROOT / name).exists() or any(
        file_of(block) == name for page in PAGES for block in blocks(page, "yaml")
    )


@pytest.mark.parametrize("command", ["check", "show", "catalog", "schema"])
def test_cheap_commands_of_the_readme_run(command, gigawatt_in_root):
    mine = [w for w in commands(ROOT / "README.md") if w[:2] == ["gigawatt", command]]
    assert mine
    for words in mine:
        assert gigawatt_in_root(words[1:]) == 0, words


@pytest.fixture
def gigawatt_in_root(monkeypatch, capfd):
    monkeypatch.chdir(ROOT)

    def run(words: list[str]) -> int:
        try:
            app(args=words, standalone_mode=False)
        except SystemExit as left:
            return int(left.code or 0)
        return 0

    return run


# Python and YAML


def runnable(page: Path) -> list[str]:
    return [block for block in blocks(page, "python") if file_of(block) is None]


@pytest.mark.parametrize("page", [p for p in PAGES if runnable(p)], ids=lambda p: p.stem)
def test_python_blocks_run(page, tmp_path, monkeypatch):
    for folder in CAMPUS:
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    space: dict[str, Any] = {}
    for block in runnable(page):
        exec(compile(block, str(page), "exec"), space)


@every_page
def test_yaml_blocks_are_what_they_claim(page, tmp_path):
    for folder in CAMPUS:
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for number, block in enumerate(blocks(page, "yaml")):
        tree = yaml.safe_load(block)
        if isinstance(tree, dict) and {"period", "economics"} <= tree.keys():
            file = tmp_path / "scenarios" / f"block-{number}.yaml"
            file.write_text(block)
            assert load(file).spec.name


# What the how-to pages promise: one file, and everything else picks it up


@pytest.fixture
def workshop(tmp_path):
    """Return a copy of the simulator that a page's files can be dropped into. Its kernels are those of the
    original, and so is their machine code: to compile it anew takes a minute per page."""
    for folder in ("simulator", "tests", *CAMPUS):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    original, copied = (compiled_of(folder / "simulator" / "kernels") for folder in (ROOT, tmp_path))
    original.mkdir(parents=True, exist_ok=True)
    copied.symlink_to(original)

    def drop(page: str) -> None:
        for language in ("python", "yaml"):
            for block in blocks(ROOT / "docs" / "how-to" / page, language):
                if name := file_of(block):
                    (tmp_path / name).write_text(block)

    def python(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    yield drop, python
    copied.unlink()


def compiled_of(kernels: Path) -> Path:
    """Return where Numba keeps the machine code of a folder of kernels."""
    return Path(config.CACHE_DIR) / UserProvidedCacheLocator.get_suitable_cache_subpath(kernels / "any.py")


RIVER = "{_REPLACE_: true, kind: river_water, unit: 1 MW, range: 10 K, tank: 5 min, pump: 1 %}"
CONTRACT = ("pytest", "-q", "-p", "no:cacheprovider")


def test_a_cooler_is_one_file(workshop):
    drop, python = workshop
    drop("add-a-cooler.md")
    assert "river_water" in python("simulator", "schema", "topology")
    chosen = f"topology.cooling.warm={RIVER}"
    python("simulator", "check", "scenarios/pod.yaml", "--set", chosen)
    told = python(*CONTRACT, "tests/components/cooling/test_plants.py", "-k", "RiverWater")
    assert "passed" in told and "failed" not in told


HYPERX = "{_REPLACE_: true, kind: hyperx, port_bandwidth: 800 Gb/s, hop_latency: 600 ns, "
HYPERX += "switch_power: 2.5 kW, optic_power: 15 W}"


def test_a_fabric_is_one_file(workshop):
    drop, python = workshop
    drop("add-a-fabric.md")
    assert "hyperx" in python("simulator", "schema", "topology")
    chosen = f"topology.fabric={HYPERX}"
    assert "96 switch" in python("simulator", "show", "scenarios/pod.yaml", "--set", chosen)
    told = python(*CONTRACT, "tests/components/fabric/test_fabrics.py", "-k", "HyperX")
    assert "passed" in told and "failed" not in told


def test_a_chip_is_one_file(workshop):
    drop, python = workshop
    drop("add-a-chip.md")
    assert "Example-1" in python("simulator", "catalog", "accelerators")
    told = python("simulator", "check", "scenarios/pod-example.yaml", "--scenario", "example")
    assert "valid" in told
    told = python(*CONTRACT, "tests/catalog", "-k", "Example")
    assert "passed" in told and "failed" not in told


def test_a_checkpoint_policy_is_one_file(workshop):
    drop, python = workshop
    drop("add-a-policy.md")
    assert '"tenth"' in python("simulator", "schema", "training")
    chosen = "workloads.pretrain.checkpoint.policy=tenth"
    python("simulator", "check", "scenarios/hall.yaml", "--set", chosen)


def test_sweep_files_of_the_page_are_valid(tmp_path):
    for folder in CAMPUS:
        shutil.copytree(ROOT / folder, tmp_path / folder)
    counts = []
    for block in blocks(ROOT / "docs" / "how-to" / "run-a-sweep.md", "yaml"):
        file = tmp_path / str(file_of(block))
        file.write_text(block)
        counts.append(len(designs.from_file(file).tasks))
    assert counts == [12, 32]


def test_the_calibration_file_of_the_page_is_valid(tmp_path):
    (block,) = blocks(ROOT / "docs" / "how-to" / "calibrate.md", "yaml")
    (tmp_path / "page.yaml").write_text(block)
    spec = CalibrationSpec.model_validate(documents.read(tmp_path / "page.yaml").tree)
    given = load(ROOT / "scenarios" / "calibrations" / spec.scenario)
    assert all(inverse.present(given, key) is not None for key in spec.parameters)


# Numbers that pages repeat


def test_failure_table_agrees_with_the_catalog():
    page = (ROOT / "docs" / "models" / "failures.md").read_text()
    told = re.findall(r"^\| (\w+) \| (\w+) \| ([\d.]+) \|.*\| `(\w+)` \|$", page, re.MULTILINE)
    classes = from_catalog.failure_classes("hyperscale")
    year_s = 365.25 * 86_400.0
    known = {(c.name, c.per, f"{c.rate * year_s:.4g}", c.effect) for c in classes}
    assert set(told) == known


def test_the_readme_counts_the_campus():
    campus = load(ROOT / "scenarios" / "gigawatt-campus.yaml").spec.topology
    assert f"{compile_site(campus).accelerators:,} accelerators" in (ROOT / "README.md").read_text()
