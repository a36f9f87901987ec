"""How long every single failure of the gigawatt campus takes, as a user starts it: wall time on two
cores, and the CPU time of all processes, which stays comparable on a machine that does other things too."""

import json
import os
import resource
import subprocess
import sys

import pytest
from campus import CAMPUS

CORES = 2


def cpu_s():
    """Return user and system seconds of all children that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


@pytest.mark.parametrize("order", [1, 2])
def test_failures_of_the_campus(benchmark, order):
    words = ["contingency", str(CAMPUS), "--order", str(order), "--json", "-j", str(CORES)]

    def command(*more):
        run = [sys.executable, "-m", "simulator", *words, *more]
        done = subprocess.run(run, check=True, capture_output=True, env=os.environ)
        return json.loads(done.stdout)["summary"]

    command("--filter", "lines/*")  # has the machine code in the cache
    before_s, found = cpu_s(), []
    benchmark.pedantic(lambda: found.append(command()), rounds=1, iterations=1)
    kpis = found[0]["kpis"]
    assert kpis["errors"]["value"] == 0
    benchmark.extra_info["elements"] = kpis["elements"]["value"]
    benchmark.extra_info["simulations"] = found[0]["simulations"]
    benchmark.extra_info["cpu_s"] = cpu_s() - before_s
