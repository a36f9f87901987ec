"""Every accelerator of one hall through a window of a run: junctions, memory, clocks, power."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from simulator import scenario as documents
from simulator.engine.hall_probe import HallProbe
from simulator.errors import nearest
from simulator.kernels import zoom as kernel
from simulator.kernels.site_step import STEP_S
from simulator.scenario import Scenario
from simulator.simulation import Run, build
from simulator.studies import StudyError
from simulator.studies.moments import time_of
from simulator.studies.run import load
from simulator.studies.waveform import RESOLVED
from simulator.studies.zoom_hall import chip_of_hall, demand, resistances
from simulator.studies.zoom_tables import BIN_K, BINS, FIRST_C, tables
from simulator.units import parse

MOST_MINUTES = 31 * 1440
"""A month; longer windows are many windows."""


@dataclass(frozen=True)
class Asked:
    """What the command line asks for; None: the whole period from its start, the first hall."""

    hall: str | None = None
    start: str | None = None
    duration: str | None = None
    by: str = "accelerator"
    top: int = 20
    replicate: int = 0


@dataclass(frozen=True)
class Found:
    """One hall in one window."""

    name: str
    hall: str
    by: str
    tables: dict[str, pd.DataFrame]
    """zoom_hall (one row), zoom_racks, zoom_hottest, zoom_distribution."""


def study(place: Path, asked: Asked, sets: tuple[str, ...] = (), chosen: str | None = None) -> Found:
    """Return a hall of a scenario or of a run folder, simulated again up to the end of the window."""
    folder = place if place.is_dir() else None
    if folder:
        load(folder)  # says what is wrong with a folder that holds no run
    given = documents.load(folder / RESOLVED if folder else place, sets, chosen)
    start_s, minutes = _window(given, asked)
    run = build(given, asked.replicate)
    hall = _hall(run, asked.hall)
    probe = HallProbe(run.world, hall, start_s, minutes)
    run.world.env.process(probe.watch())
    run.advance(start_s + minutes * STEP_S)
    return zoomed(run, hall, probe, asked)


def zoomed(run: Run, hall: int, probe: HallProbe, asked: Asked) -> Found:
    """Return what the accelerators of a hall do under what the plan's run saw of its racks."""
    site, seen = run.world.site, probe.seen()
    rack = site.rack_types[site.rack_type[seen.racks[0]]]
    chip = chip_of_hall(site, rack)
    own = resistances(run.world, rack, chip, seen.racks)
    shape, bins = own.shape, np.zeros(BINS)
    flat = np.zeros((probe.minutes, seen.racks.size))
    found = kernel.Found(
        power_w=flat, hot_c=flat.copy(), peak_c=np.full(shape, -273.15), peak_minute=np.zeros(shape),
        hbm_peak_c=np.full(shape, -273.15), slowed_s=np.zeros(shape), lost_s=np.zeros(shape),
        counts=bins,
    )  # fmt: skip
    kernel.run(demand(seen, rack, chip), chip, own, found, FIRST_C, BIN_K, STEP_S)
    start = run.scenario.spec.period.start + timedelta(seconds=probe.start_s)
    made = tables(run.world, rack, seen, found, start, asked.by, asked.top)
    return Found(run.scenario.spec.name, site.hall_names[hall], asked.by, made)


def _window(given: Scenario, asked: Asked) -> tuple[float, int]:
    """Return start, in seconds from the start of the run, and whole minutes of the window."""
    period = given.spec.period
    start_s = 0.0
    if asked.start is not None:
        at = time_of(asked.start, given.spec, "--from")
        start_s = (at - period.start).total_seconds()
    left_s = period.duration - start_s
    if start_s < 0.0 or left_s < STEP_S:
        raise StudyError(f"--from {asked.start} is not inside the period of the run")
    if start_s % STEP_S:
        raise StudyError(f"--from {asked.start} is no whole minute of the run")
    try:
        wanted_s = left_s if asked.duration is None else parse(asked.duration, "s")
    except ValueError as error:
        raise StudyError(f"--duration '{asked.duration}': {error}") from None
    if not STEP_S <= wanted_s <= left_s:
        raise StudyError(
            f"--duration {asked.duration} must be a minute or more and end with the run, "
            f"{left_s / 3600.0:,.6g} h after the start of the window"
        )
    minutes = int(wanted_s // STEP_S)
    if minutes > MOST_MINUTES:
        raise StudyError(f"a window of {minutes / 1440.0:,.0f} days is too long: at most 31 days")
    return start_s, minutes


def _hall(run: Run, name: str | None) -> int:
    """Return the index of a hall by its name; of the first hall if none is named."""
    names = run.world.site.hall_names
    if name is None:
        return 0
    if name not in names:
        raise StudyError(f"no hall '{name}'{nearest(name, names)}; halls are {', '.join(names[:8])}"
                         + (", ..." if len(names) > 8 else ""))  # fmt: skip
    return names.index(name)
