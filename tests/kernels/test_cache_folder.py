"""Where machine code is kept, by the kernels' own hash, and that it is made of vectors: whatever Numba's
environment does."""

import os

import pytest
from numba import config

from simulator import kernels
from simulator.kernels import compiled


@pytest.fixture
def environment(monkeypatch):
    """Numba's environment and folder, to be left as they were."""
    monkeypatch.setattr(config, "CACHE_DIR", config.CACHE_DIR)
    monkeypatch.setenv("NUMBA_CACHE_DIR", config.CACHE_DIR)
    return monkeypatch


def test_the_folder_stays_when_numba_reads_its_environment_anew(environment):
    kept = config.CACHE_DIR
    assert kept
    with environment.context() as changed:
        changed.setenv("NUMBA_WARNINGS", "0" if os.environ.get("NUMBA_WARNINGS") else "1")
        config.reload_config()
        assert kept == config.CACHE_DIR
    config.reload_config()


def test_vectors_are_made_of_kernels_when_numba_reads_its_environment_anew(environment):
    assert compiled.entry
    with environment.context() as changed:
        changed.setenv("NUMBA_WARNINGS", "0" if os.environ.get("NUMBA_WARNINGS") else "1")
        config.reload_config()
        assert config.SLP_VECTORIZE == 1
    config.reload_config()


@pytest.mark.parametrize("told", ["", "kernels-of-another-version"])
def test_kernels_of_another_version_have_their_own_folder(environment, tmp_path, told):
    environment.setenv("NUMBA_CACHE_DIR", str(tmp_path / told) if told else "")
    kernels._keep_in(tmp_path / "kernels-of-this-one")
    assert str(tmp_path / "kernels-of-this-one") == config.CACHE_DIR == os.environ["NUMBA_CACHE_DIR"]


def test_a_folder_that_somebody_names_is_used(environment, tmp_path):
    environment.setenv("NUMBA_CACHE_DIR", str(tmp_path / "elsewhere" / "mine"))
    before = config.CACHE_DIR
    kernels._keep_in(tmp_path / "kernels-of-this-one")
    assert (os.environ["NUMBA_CACHE_DIR"], config.CACHE_DIR) == (str(tmp_path / "elsewhere" / "mine"), before)
