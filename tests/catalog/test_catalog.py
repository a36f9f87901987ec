"""The catalog: every entry becomes a spec, every figure says where it comes from."""

import csv
import math
from pathlib import Path

import pytest

from simulator import catalog
from simulator.cli.catalog import catalog as listed
from simulator.components import from_catalog

ENTRIES = [(kind, name) for kind in catalog.kinds() for name in catalog.names(kind)]
EVIDENCE = {"measured", "vendor", "derived", "assumed"}
MAKERS = {
    "accelerators": from_catalog.accelerator,
    "demand": from_catalog.request_profile,
    "diffusion": from_catalog.diffusion_model,
    "failures": from_catalog.failure_classes,
    "grid_rules": from_catalog.grid_rule,
    "masks": from_catalog.mask,
    "models": from_catalog.language_model,
    "operations": from_catalog.operations,
    "power_paths": from_catalog.power_path,
    "racks": from_catalog.rack,
}


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_every_figure_has_source_and_evidence(kind: str, name: str) -> None:
    figures = catalog.figures(kind, name)
    assert figures
    for path, value, source, evidence, limits in figures:
        assert path and value is not None and len(source) > 10
        assert evidence in EVIDENCE
        assert limits is None or len(limits) == 2


@pytest.mark.parametrize(("kind", "name"), [e for e in ENTRIES if e[0] in MAKERS])
def test_every_entry_is_a_valid_spec(kind: str, name: str) -> None:
    assert MAKERS[kind](name)


def test_bare_numbers_only_where_there_is_nothing_to_source() -> None:
    bare = {"liquid_fraction"}  # an air-cooled rack has no cold plates: not a figure but a choice
    for kind, name in ENTRIES:
        for key, value in catalog.load(kind, name).items():
            plain_number = isinstance(value, int | float) and not isinstance(value, bool)
            assert not plain_number or key in bare, (kind, name, key)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("H100-SXM-80GB", "H100-SXM-80GB"),
        ("nvidia/h100_sxm_80gb", "H100-SXM-80GB"),
        ("h100", "H100-SXM-80GB"),
        ("gb300", "GB300"),
        ("TPUv5p", "TPU-v5p"),
        ("Maia 200", "Maia-200"),
    ],
)
def test_names_match_however_they_are_spelled(given: str, found: str) -> None:
    assert from_catalog.accelerator(given).name == found


@pytest.mark.parametrize("given", ["llama2-70b", "meta-llama/Llama-2-70b-hf", "LLAMA-2-70B"])
def test_one_model_has_many_spellings(given: str) -> None:
    assert from_catalog.language_model(given).name == "llama-2-70b"


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("Nemotron_3_Super", "nemotron-3-super"),
        ("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", "nemotron-3-nano"),
        ("Nemotron_3_5_Lightning", "nemotron-3.5-lightning"),
        ("DeepSeekV4 Flash", "deepseek-v4-flash"),
        ("GPT 1008.0B", "gpt-1008b"),
        ("gpt h3072 L30 (3.6B)", "gpt-3.6b"),
        ("Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8", "qwen3-coder-480b-a35b"),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "mixtral-8x7b"),
        ("zhipuai/GLM-5", "glm-5"),
        ("Llama-2-13b-chat-hf", "llama-2-13b"),
        ("Kimi-K2-Instruct-0905", "kimi-k2"),
    ],
)
def test_release_words_and_dates_do_not_make_another_model(given: str, found: str) -> None:
    assert from_catalog.language_model(given).name == found


def test_release_words_are_dropped_of_models_only() -> None:
    with pytest.raises(KeyError):
        from_catalog.language_model("instruct-fp8")
    with pytest.raises(KeyError):
        from_catalog.accelerator("H100-SXM-80GB-FP8")


@pytest.mark.parametrize("table", ["training", "serving_batch", "serving_load", "serving_phase"])
def test_every_model_of_the_published_tables_is_known(table: str) -> None:
    file = Path(__file__).parents[3] / "shared" / "validation" / f"{table}.csv"
    if not file.exists():
        pytest.skip("the published tables are not beside the project")
    with file.open(newline="") as rows:
        named = {row["model"].split(" (")[0] for row in csv.DictReader(rows)}
    assert not [name for name in named if not from_catalog.language_model(name).layers]


def test_unknown_name_brings_the_nearest() -> None:
    with pytest.raises(KeyError, match="GB300"):
        catalog.load("accelerators", "GB-330")
    with pytest.raises(KeyError, match="racks"):
        catalog.load("rack", "GB300-NVL72")


@pytest.mark.parametrize("name", catalog.names("racks"))
def test_rack_at_full_work_stays_within_its_nameplate(name: str) -> None:
    rack = from_catalog.rack(name)
    work_w = rack.host_max
    if rack.accelerator:
        work_w += rack.accelerators * from_catalog.accelerator(rack.accelerator).tdp
    input_w = work_w + rack.power_shelf.loss_w(work_w, rack.power_shelf_rating)
    assert 0.9 * rack.nameplate < input_w <= rack.nameplate
    assert rack.accelerators % rack.servers == 0 or rack.accelerator is None


@pytest.mark.parametrize("name", [n for n in catalog.names("racks") if "NVL" in n or "MAIA" in n])
def test_liquid_leaves_about_ten_kelvin_warmer(name: str) -> None:
    rack = from_catalog.rack(name)
    heat_w = rack.liquid_fraction * rack.nameplate
    assert heat_w / (rack.coolant_flow * 3968.6) == pytest.approx(10.0, abs=1.0)


@pytest.mark.parametrize("name", catalog.names("accelerators"))
def test_chip_runs_below_its_throttle_at_rated_coolant(name: str) -> None:
    chip = from_catalog.accelerator(name)
    coolant_c = 40.0 if chip.heat_capacity < 700 else 27.0  # cold plate or heat sink
    junction_c = coolant_c + chip.tdp * chip.thermal_resistance
    assert 55 < junction_c < chip.throttle_start < chip.throttle_full < chip.shutdown
    assert chip.idle < chip.tdp


def test_failure_rates_add_up_to_the_published_stops() -> None:
    classes = {c.name: c for c in from_catalog.failure_classes("hyperscale")}
    year_s, gpus, days = 31_557_600.0, 16_384, 54
    on_gpus = ("accelerator", "hbm", "silent_corruption", "nic", "software")
    per_gpu = sum(classes[n].rate for n in on_gpus) * year_s
    per_server = sum(classes[n].rate for n in ("host", "host_maintenance", "psu")) * year_s
    optics = 5 * classes["optic"].rate * year_s
    stops = (per_gpu + per_server / 8 + optics) * gpus * days / 365.25
    assert stops == pytest.approx(419, rel=0.03)


FLEETS = [n for n in catalog.names("failures") if "includes" in catalog.load("failures", n)]
DAY_S = 86_400.0


def on_accelerators(fleet: str) -> float:
    """Return the failures of a fleet per accelerator and second, of a server of eight."""
    each = {"accelerator": 1.0, "server": 1.0 / 8.0}
    return sum(c.rate * each.get(c.per, 0.0) for c in from_catalog.failure_classes(fleet))


@pytest.mark.parametrize(("fleet", "per_1000_node_days"), [("rsc-1", 6.50), ("rsc-2", 2.34), ("hyperscale", 3.79)])
def test_nodes_of_eight_fail_as_published(fleet: str, per_1000_node_days: float) -> None:
    """Llama 3's 3.79 contain its switches and cables, 35 of 419."""
    own = on_accelerators(fleet) * 8 * DAY_S * 1000
    switches = 35 / 419 if fleet == "hyperscale" else 0.0
    assert own == pytest.approx(per_1000_node_days * (1 - switches), rel=0.03)


def test_silent_corruption_is_as_frequent_as_two_fleets_found() -> None:
    classes = {c.name: c for c in from_catalog.failure_classes("hyperscale")}
    per_gpu_h = classes["silent_corruption"].rate * 3600.0
    assert per_gpu_h == pytest.approx(6 / (16_384 * 54 * 24), rel=0.02)
    assert 0.5 < per_gpu_h / (13 / 35e6) < 2.0


def test_crusoes_faults_add_up() -> None:
    """205 in four months on what may have been 1,600 accelerators."""
    assert on_accelerators("crusoe-h200") * 1600 * 365.25 * DAY_S / 3 == pytest.approx(205, rel=0.01)


def test_deltas_errors_come_every_two_hours() -> None:
    assert 1.0 / (on_accelerators("delta") * 608) == pytest.approx(1.9 * 3600, rel=0.01)


@pytest.mark.parametrize("fleet", FLEETS)
def test_every_fleet_has_its_plant_and_its_network(fleet: str) -> None:
    classes = from_catalog.failure_classes(fleet)
    names = [c.name for c in classes]
    assert len(set(names)) == len(names)
    assert {"chiller_unit", "transformer", "leaf_switch", "support_server"} <= set(names)
    assert from_catalog.failure_entries(fleet)[1:] == ["network", "plant"]


@pytest.mark.parametrize("fleet", catalog.names("failures"))
def test_a_range_gives_a_class_its_spread_between_fleets(fleet: str) -> None:
    for entry in (catalog.load("failures", name) for name in from_catalog.failure_entries(fleet)):
        for figures in entry["classes"]:
            made = next(c for c in from_catalog.failure_classes(fleet) if c.name == figures["name"])
            if "range" not in figures["rate"]:
                assert made.spread == 0.0
                continue
            low, high = (float(text.split()[0]) for text in figures["rate"]["range"])
            assert low < made.rate * 365.25 * DAY_S < high
            assert high / low == pytest.approx(math.exp(2 * 1.645 * made.spread), rel=1e-3)


@pytest.mark.parametrize("fleet", catalog.names("failures"))
def test_every_class_says_who_repairs_it(fleet: str) -> None:
    electrical = {"line", "transformer", "feeder", "ups", "block"}
    mechanical = {"flow", "pump", "plant_unit", "plant_fan"}
    for cls in from_catalog.failure_classes(fleet):
        wanted = "electrical" if cls.effect in electrical else "mechanical" if cls.effect in mechanical else None
        assert wanted is None or cls.crew == wanted, cls.name
        assert cls.hands_on is None or cls.hands_on <= cls.repair


@pytest.mark.parametrize(
    ("word", "told"), [("H100", "it is among the accelerators"), ("raks", "did you mean 'racks'"), ("zzz", "one of a")]
)
def test_what_is_no_kind_is_told_where_it_is(word, told, capsys):
    with pytest.raises(SystemExit) as left:
        listed(word)
    assert left.value.code == 2 and told in capsys.readouterr().err
