"""How often a job is to be interrupted, against the rates of its classes."""

import math

import numpy as np
import pytest
from small import pod_site

from simulator.components.failure_class import FailureClass
from simulator.engine import hazards
from simulator.workloads.exposure import Exposure, exposure_of

YEAR_S = 31_557_600.0
RACKS = np.arange(8)


def of(per, effect, rate=1.0, **more):
    return FailureClass(
        name=f"{per} {effect}", per=per, effect=effect, rate=f"{rate} /year", repair="1 h", **more)


def exposure(*classes, wanted=4, racks=RACKS):
    site = pod_site()
    return exposure_of(site, classes, hazards.build(site, classes), racks, wanted)


def test_a_job_bears_its_share_of_what_strikes_racks():
    found = exposure(of("accelerator", "server", 0.1), of("rack", "interrupt", 2.0), of("rack", "rack", 0.5))
    assert found.single * YEAR_S == pytest.approx(4 * (72 * 0.1 + 0.5))
    assert found.sparing * YEAR_S == pytest.approx(4 * 2.0)
    assert found.several == 0.0
    assert found.mttf_s == pytest.approx(YEAR_S / (4 * (72 * 0.1 + 2.5)))


@pytest.mark.parametrize(("wanted", "blocks"), [(2, 1), (4, 1), (5, 2), (8, 2)])
def test_a_job_bears_the_blocks_that_its_racks_fill(wanted, blocks):
    found = exposure(of("block", "block", 3.0), wanted=wanted)
    assert found.several * YEAR_S == pytest.approx(3.0 * blocks)


def test_what_stops_no_job_is_not_counted():
    found = exposure(of("line", "line"), of("spine_switch", "switch"), of("uplink", "uplink"))
    assert found.mttf_s == math.inf


def test_each_tier_leaves_what_it_does_not_survive_to_the_next():
    found = Exposure(sparing=4.0, single=2.0, several=1.0)
    assert [found.mttf_beyond_s(tier) for tier in (None, "local", "peer", "remote")] == [
        pytest.approx(1 / 7), pytest.approx(1 / 3), 1.0, math.inf]
