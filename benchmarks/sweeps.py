"""How long sweeps take: `python benchmarks/sweeps.py [RUNS]` prints the figures of the README.

1,000 days of the pod on one and two processes, what a run costs beyond its simulation, what being killed
and going on costs. Times on the clock, and of the processors: those hold on a machine with other work.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from simulator import scenario
from simulator.simulation import outcome
from simulator.studies import designs, sweep

ROOT = Path(__file__).parents[1]
POD = ROOT / "scenarios" / "pod.yaml"
SWEEP = """\
scenario: {pod}
axes:
  topology.cooling.supply: [{values}]
replicates: {replicates}
"""
DESIGNS = 20
LOST = 4
"""Runs under way, or handed out, when a sweep on two processes is killed."""


def main() -> None:
    """Print every figure as JSON."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        file = folder / "sweep.yaml"
        values = ", ".join(f"{36 + 0.2 * k:.1f} degC" for k in range(DESIGNS))
        file.write_text(SWEEP.format(pod=POD, values=values, replicates=runs // DESIGNS))
        per_run = beyond_simulation(file)
        two, one = (of_command(file, folder / f"on-{n}", "-j", str(n)) for n in (2, 1))
        again = of_command(file, folder / "on-2", "-j", "2", "--resume")
        for record in sorted((folder / "on-2" / "runs").glob("*.json"))[:LOST]:
            record.unlink()
        goes_on = of_command(file, folder / "on-2", "-j", "2", "--resume")
    told = {
        "runs": runs, **per_run, "two_processes": two, "one_process": one,
        "speed_up": round(one["wall_s"] / two["wall_s"], 3),
        "speed_up_if_alone": round(one["cpu_s"] / two["cpu_s"] * 2, 3),
        "nothing_left_to_do": again, f"{LOST}_runs_left_to_do": goes_on,
    }  # fmt: skip
    print(json.dumps(told, indent=1))


def of_command(file: Path, output: Path, *words: str) -> dict[str, float]:
    """Return seconds on the clock and of the processors of one `gigawatt sweep`."""
    before, began_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "simulator", "sweep", str(file), "-o", str(output), *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT,
                   env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    wall_s, after = time.perf_counter() - began_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_s": round(wall_s, 2), "cpu_s": round(cpu_s, 2)}


def beyond_simulation(file: Path, count: int = 40) -> dict[str, float]:
    """Return processor time of a run in ms: the simulation, and all that a sweep adds to it."""
    plan = designs.from_file(file)
    given = [scenario.load(POD, [("topology.cooling.supply", f"{36 + k / 10} degC")]) for k in range(count)]
    outcome(given[0])
    sweep.one("", given[0], 0)
    began_s = time.process_time()
    for k in range(1, count):
        outcome(given[k], 1)
    alone_s = time.process_time() - began_s
    began_s = time.process_time()
    for k in range(1, count):
        sweep.one("", given[k], 2)
    whole_s = time.process_time() - began_s
    each = 1e3 / (count - 1)
    return {
        "simulation_ms": round(each * alone_s, 1), "beyond_ms": round(each * (whole_s - alone_s), 1),
        "planned": len(plan.tasks),
    }  # fmt: skip


if __name__ == "__main__":
    main()
