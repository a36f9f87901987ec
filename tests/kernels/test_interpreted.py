"""The same tests of the kernels without compilation: what Numba runs is what Python reads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from numba import config

LONG = {
    "test_failure_kernel.py::test_the_first_failure_of_an_ageing_unit_is_weibull": 1,
    "test_goodput_kernel.py::test_a_job_that_cannot_reach_a_save_retains_little": 1,
    "test_goodput_kernel.py::test_useful_share_is_dalys[0.0": 3,
    "test_goodput_kernel.py::test_useful_share_is_dalys[30.0": 3,
}
"""Draw so much that they alone would take as long as half of the others, by how many tests that is; the
same lines of the same kernels are in others."""


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="these are the tests it starts")
def test_kernels_do_the_same_interpreted():
    folder = Path(__file__).parent
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder),
         *(f"--deselect=tests/kernels/{test}" for test in LONG)],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, cwd=folder.parents[1], text=True,
        capture_output=True, timeout=600,
    )
    assert run.returncode == 0, run.stdout[-3000:]
    assert "passed" in run.stdout
    assert f"1 skipped, {sum(LONG.values())} deselected" in run.stdout
