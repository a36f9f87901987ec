"""Kernels at hand: whether a machine has any."""

from numba import config

from simulator.studies import warm


def test_a_machine_is_cold_until_a_kernel_lies_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "none"))
    assert warm.cold()
    (tmp_path / "none" / "engine").mkdir(parents=True)
    assert warm.cold()
    (tmp_path / "none" / "engine" / "step.1.nbc").touch()
    assert not warm.cold()
