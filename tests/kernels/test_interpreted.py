"""The same tests of the kernels without compilation: what Numba runs is what Python reads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from numba import config


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="these are the tests it starts")
def test_kernels_do_the_same_interpreted():
    folder = Path(__file__).parent
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, cwd=folder.parents[1], text=True,
        capture_output=True, timeout=600,
    )
    assert run.returncode == 0, run.stdout[-3000:]
    assert "passed" in run.stdout
    assert "1 skipped" in run.stdout
