"""How long every single failure of the gigawatt campus takes: wall time on all cores, and the CPU time
of parent and children, which is what remains comparable on a machine that does other things too."""

import os
import resource

import pytest
from campus import CAMPUS

from simulator import scenario
from simulator.studies import contingency

CORES = 2


def cpu_s():
    """Return user and system seconds of this process and of all children that have ended."""
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(s.ru_utime + s.ru_stime for s in spent)


@pytest.mark.parametrize("order", [1, 2])
def test_failures_of_the_campus(benchmark, order):
    given = scenario.load(CAMPUS)
    contingency.study(given, contingency.Asked(wanted=contingency.Wanted(("lines/*",))), CORES)
    before_s, found = cpu_s(), []

    def study():
        found.append(contingency.study(given, contingency.Asked(order), min(CORES, os.cpu_count())))

    benchmark.pedantic(study, rounds=1, iterations=1)
    table = found[0].table
    assert not (table["error"] != "").any()
    benchmark.extra_info["elements"] = int(found[0].told["elements"])
    benchmark.extra_info["rows"] = len(table)
    benchmark.extra_info["cpu_s"] = cpu_s() - before_s
