"""`gigawatt show`: the compiled plant in a page."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from simulator import scenario as documents
from simulator.cli.show_network import network
from simulator.cli.show_power import one_line
from simulator.cli.show_weather import air
from simulator.cli.text import number, table
from simulator.scenario import Scenario
from simulator.site import Site, compile_site
from simulator.studies import StudyError, pandapower_net, power_flow
from simulator.studies.progress import say
from simulator.units import text
from simulator.workloads import BatchWork, DataPreparation, ModelTest, ServedModel, SynchronousJob

WATTS_PER_MW = 1e6
MISSING = (
    "pandapower is not installed beside this program (it pins an older pandas: extra 'powerflow'); write "
    "plain tables with --network, and make the network of them with an interpreter that has it: "
    "python simulator/studies/pandapower_net.py TABLES.json NET.json"
)


def show(path: Path, sets: tuple[str, ...], chosen: str | None, resolved: bool) -> None:
    """Carry out the command."""
    scenario = documents.load(path, sets, chosen)
    if resolved:
        print(documents.resolved(scenario), end="")
    else:
        print("\n".join(page(scenario)))


def export(
    path: Path, sets: tuple[str, ...], chosen: str | None, tables: Path | None, pandapower: Path | None
) -> None:
    """Write the one-line at design load as plain tables, as a pandapower network, or both."""
    scenario = documents.load(path, sets, chosen)
    net = power_flow.tables(power_flow.network(compile_site(scenario.spec.topology)))
    if tables is not None:
        tables.write_text(json.dumps(net, indent=1) + "\n")
        say(f"tables: {tables}")
    if pandapower is not None:
        try:
            pandapower_net.save(net, pandapower)
        except ImportError as error:
            raise StudyError(MISSING) from error
        say(f"pandapower network: {pandapower}")


def page(scenario: Scenario) -> list[str]:
    """Return the lines of the page."""
    site = compile_site(scenario.spec.topology)
    plant = (one_line(site), _halls(site), _loops(site), air(scenario), network(site))
    parts = (_top(scenario, site), *plant, _work(scenario))
    lines: list[str] = []
    for part in parts:
        lines += [*part, ""]
    return lines[:-1]


def _top(scenario: Scenario, site: Site) -> list[str]:
    spec = scenario.spec
    return [
        spec.name,
        f"{site.accelerators} accelerators in {site.rack_hall.size} racks, "
        f"{sum(s.count for s in site.support)} support racks, "
        f"{len(site.block_names)} blocks, {len(site.hall_names)} halls; "
        f"firm import {_mw(site.firm_w)} MW ({site.firm_limit})",
        f"period {spec.period.start.isoformat()} for {text(spec.period.duration, 's')}, "
        f"seed {spec.seed}, replicates {spec.replicates}",
    ]


def _rack_w(site: Site) -> np.ndarray:
    """Return the nameplate of every accelerator rack."""
    return np.array([rack.nameplate for rack in site.rack_types])[site.rack_type]


def _halls(site: Site) -> list[str]:
    """Return the hall table; equal halls share a row."""
    header = ["hall", "halls", "rack", "blocks", "racks", "accelerators", "nameplate MW",
              "support racks", "firm feeder MW"]  # fmt: skip
    rack_w = _rack_w(site)
    rows = []
    for hall in dict.fromkeys(site.hall_spec):
        members = [h for h, spec in enumerate(site.hall_spec) if spec is hall]
        racks = np.isin(site.rack_hall, members)
        support = sum(s.count for s in site.support if s.hall in members)
        feeders = [site.nodes[int(site.halls.feeder_node[h])] for h in members]
        rows.append([
            hall.name, str(len(members)), hall.rack, str(hall.blocks * len(members)),
            str(int(racks.sum())), str(int(site.rack_accelerators[racks].sum())),
            _mw(float(rack_w[racks].sum())), str(support), _mw(sum(f.firm_w for f in feeders)),
        ])  # fmt: skip
    return table(header, rows, right=(1, 3, 4, 5, 6, 7, 8))


def _loops(site: Site) -> list[str]:
    """Return the loops; those of equal halls share a row."""
    header = ["loop", "loops", "plant", "supply", "units", "duty", "unit MW", "design heat MW"]
    cooling = site.topology.cooling
    plants = {"warm": (cooling.warm, cooling.supply),
              "chilled": (cooling.chilled, cooling.chilled_supply)}  # fmt: skip
    groups: dict[tuple[str, str], list[int]] = {}
    for i, loop in enumerate(site.loops):
        if loop.design_heat_w <= 1.0:  # a hall without cold plates
            continue
        groups.setdefault((site.hall_spec[i // 2].name, loop.kind), []).append(i)
    rows = []
    for (hall, kind), members in groups.items():
        plant, supply_c = plants[kind]
        loop = site.loops[members[0]]
        rows.append([
            f"{hall}/{kind}", str(len(members)), plant.kind, f"{number(supply_c, 4)} degC",
            str(sum(site.loops[i].units for i in members)),
            str(sum(site.loops[i].duty_units for i in members)), _mw(loop.unit_w),
            _mw(sum(site.loops[i].design_heat_w for i in members)),
        ])  # fmt: skip
    return table(header, rows, right=(1, 4, 5, 6, 7))


def _work(scenario: Scenario) -> list[str]:
    """Return what runs: kind, model, chips and how many of them."""
    header = ["workload", "kind", "model", "chip", "accelerators"]
    return table(header, [list(row) for row in _workloads(scenario)], right=(4,))


def _workloads(scenario: Scenario) -> Iterator[tuple[str, str, str, str, str]]:
    for work in scenario.spec.workloads:
        if isinstance(work, SynchronousJob):
            yield work.name, work.kind, work.model, work.accelerator, str(work.accelerators)
        elif isinstance(work, ServedModel):
            most = f"{work.least_accelerators} to {work.most_accelerators}"
            yield work.name, work.kind, work.model, work.accelerator, most
        elif isinstance(work, BatchWork):
            yield work.name, work.kind, "", "", "what is left"
        elif isinstance(work, ModelTest):
            yield work.name, work.kind, work.job, "", str(work.accelerators or "the job's")
        elif isinstance(work, DataPreparation):
            yield work.name, work.kind, "", work.rack, ""


def _mw(watts: float) -> str:
    return number(watts / WATTS_PER_MW, 5)
