"""How long every accelerator of a 50 MW hall takes over a heat-wave week, as a user starts it."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

HALL = Path(__file__).parents[1] / "scenarios" / "hall.yaml"
SIZE = ("topology.halls.hall.blocks=21", "topology.halls.hall.feeders.rating=80 MVA",
        "topology.grid.lines.rating=80 MVA", "topology.grid.transformers.rating=80 MVA",
        "topology.generators.count=6", "topology.halls.hall.support.network.count=240",
        "topology.cooling.supply=50 degC", "period.duration=7 d")  # fmt: skip


def test_a_week_of_a_hall_of_50_mw(benchmark):
    words = ["zoom", str(HALL), "--json", *(word for key in SIZE for word in ("--set", key))]

    def command(*more):
        run = [sys.executable, "-m", "simulator", *words, *more]
        done = subprocess.run(run, check=True, capture_output=True, env=os.environ)
        return json.loads(done.stdout)

    command("--duration", "1 h")  # has the machine code in the cache
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = []
    benchmark.pedantic(lambda: found.append(command()), rounds=1, iterations=1)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    benchmark.extra_info["accelerators"] = found[0]["accelerators"]
    benchmark.extra_info["mw"] = found[0]["power_w"] / 1e6
    benchmark.extra_info["cpu_s"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert found[0]["accelerators"] >= 30_000 and found[0]["minutes"] == 7 * 1440
