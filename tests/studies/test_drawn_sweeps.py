"""Sweeps whose inputs are drawn: sampled designs, and what is uncertain in every replicate."""

from pathlib import Path

import pytest
import yaml

from simulator import scenario
from simulator.errors import ScenarioError
from simulator.studies import StudyError, designs, sweep

POD = Path(__file__).parent.parent.parent / "scenarios" / "pod.yaml"
SAMPLED = f"""\
scenario: {POD}
design: sobol
samples: 4
axes:
  topology.cooling.supply: {{uniform: [36 degC, 44 degC]}}
  weather.dry_bulb_shift: {{pert: [0 K, 2 K, 8 K]}}
correlation: [[topology.cooling.supply, weather.dry_bulb_shift, 0.5]]
"""
UNCERTAIN = f"""\
scenario: {POD}
axes:
  topology.cooling.supply: [36 degC, 40 degC]
  period.duration: [1 h]
uncertain:
  economics.energy_price: {{quantiles: {{10 %: 60 USD/MWh, 50 %: 80 USD/MWh, 90 %: 110 USD/MWh}}}}
  weather.dry_bulb_shift: {{uniform: [-2 K, 2 K]}}
replicates: 3
"""


def plan(folder, text):
    (folder / "sweep.yaml").write_text(text)
    return designs.from_file(folder / "sweep.yaml")


def test_a_sampled_design_has_as_many_designs_as_samples(tmp_path):
    made = plan(tmp_path, SAMPLED)
    assert len(made.designs) == len(made.tasks) == 4
    supplies = [d.scenario().spec.topology.cooling.supply for d in made.designs]
    assert sorted(int((s - 36.0) // 2.0) for s in supplies) == [0, 1, 2, 3]
    assert plan(tmp_path, SAMPLED).identity == made.identity
    assert plan(tmp_path, SAMPLED + "seed: 2\n").identity != made.identity


def test_what_is_uncertain_is_drawn_once_per_replicate_for_all_designs(tmp_path):
    made = plan(tmp_path, UNCERTAIN)
    prices = {
        (t.design, t.replicate): made.scenario(t).spec.economics.energy_price for t in made.tasks
    }
    assert len(prices) == 6 and len(set(prices.values())) == 3
    assert all(prices[0, k] == prices[1, k] for k in range(3))
    few = plan(tmp_path, UNCERTAIN.replace("replicates: 3", "replicates: 2"))
    assert few.drawn(1) == made.drawn(1)


def test_the_table_tells_what_was_drawn(tmp_path):
    made = plan(tmp_path, UNCERTAIN)
    records = dict(sweep.execute(made, made.tasks, 1))
    table = sweep.frame(made, records)
    assert (table["status"] == "done").all()
    shown = table["economics.energy_price"].map(lambda text: float(text.split()[0]))
    per_mwh = table["cost.energy"] / table["energy.poi"]
    assert per_mwh.to_numpy() == pytest.approx(shown.to_numpy(), rel=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("samples: 4", "samples: 5", "powers of two"),
        ("samples: 4\n", "", "samples"),
        ("{uniform: [36 degC, 44 degC]}", "[36 degC]", "needs a distribution"),
        ("design: sobol", "design: grid", "needs a list"),
        ("weather.dry_bulb_shift, 0.5", "weather.station, 0.5", "name two keys"),
        ("dry_bulb_shift: {pert", "dry_bulb_shift: {pret", "pret"),
        ("36 degC, 44 degC", "36 degC, 44 kW", "share one unit"),
        ("36 degC, 44 degC", "36 kW, 44 kW", ":5:"),
    ],
)
def test_a_sampled_sweep_is_strict(tmp_path, old, new, told):
    with pytest.raises((StudyError, ScenarioError), match=told):
        plan(tmp_path, SAMPLED.replace(old, new))


def test_fixed_values_are_laid_on_every_design(tmp_path):
    made = plan(tmp_path, "fixed: {period.duration: 3 h}\n" + SAMPLED)
    assert {d.scenario().spec.period.duration for d in made.designs} == {10_800.0}
    assert made.axes == ("topology.cooling.supply", "weather.dry_bulb_shift")
    with pytest.raises(ScenarioError, match="duration"):
        plan(tmp_path, "fixed: {period.duration: 3 K}\n" + SAMPLED)


def test_assumptions_are_axes_by_themselves(tmp_path):
    campus = POD.with_name("gigawatt-campus.yaml")
    made = plan(tmp_path, f"scenario: {campus}\ndesign: tornado\naxes: assumptions\n")
    assert len(made.designs) == 2 * len(made.axes) + 1
    assert made.evidence["economics.energy_price"] == "vendor"
    # One figure of a template, laid on wherever it stands.
    at = list(made.axes).index("topology.halls.train.block.rating")
    low = made.designs[1 + 2 * at].scenario().spec.topology.halls
    assert len({hall.block.rating for hall in low}) == 1
    with pytest.raises(StudyError, match="no figure"):
        plan(tmp_path, f"scenario: {bare(tmp_path)}\ndesign: tornado\naxes: assumptions\n")


def bare(folder):
    """Return the pod with every figure's evidence taken off."""
    tree = yaml.safe_load(scenario.resolved(scenario.load(POD)))
    (folder / "bare.yaml").write_text(yaml.safe_dump(plainly(tree)))
    return folder / "bare.yaml"


def plainly(tree):
    if isinstance(tree, dict):
        return plainly(tree["value"]) if "evidence" in tree else {k: plainly(v) for k, v in tree.items()}
    return [plainly(item) for item in tree] if isinstance(tree, list) else tree


def test_a_bad_draw_is_told_where_the_distribution_stands(tmp_path):
    with pytest.raises(ScenarioError, match=r":6:.*dry_bulb_shift|:7:.*dry_bulb_shift"):
        plan(tmp_path, UNCERTAIN.replace("[-2 K, 2 K]", "[-2 degC, 2 degC]"))
    with pytest.raises(StudyError, match="uncertain too"):
        plan(tmp_path, UNCERTAIN.replace("weather.dry_bulb_shift", "topology.cooling.supply"))
