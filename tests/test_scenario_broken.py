"""Every broken scenario in `tests/broken` gives exactly the messages it states, and exit code 2."""

import shlex
import sys
from pathlib import Path

import pytest

from simulator.cli import main

FOLDER = Path(__file__).parent / "broken"
CASES = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_says_what_it_must(
    file: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    command, *rest = file.read_bytes().decode(errors="replace").splitlines()
    expected = [line.removeprefix("#> ") for line in rest if line.startswith("#> ")]
    assert expected
    code, told = _run(shlex.split(command.removeprefix("# ")), monkeypatch, capfd)
    assert told == expected
    assert code == 2


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 40


def test_the_pod_they_start_from_is_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    sound = tmp_path / "sound.yaml"
    sound.write_text(f"import: {FOLDER / 'base' / 'pod.yaml'}\ntemplate: pod\n")
    assert _run(["gigawatt", "check", str(sound)], monkeypatch, capfd)[0] == 0


def test_a_scenario_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    code, told = _run(["gigawatt", "check", "unknwon-key.yaml"], monkeypatch, capfd)
    assert code == 2
    assert "there is no file 'unknwon-key.yaml' (did you mean 'unknown-key.yaml'" in told[0]


def _run(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> tuple[int, list[str]]:
    """Return the exit code and the lines on stderr of a command given in the folder."""
    monkeypatch.chdir(FOLDER)
    monkeypatch.setattr(sys, "argv", command)
    try:
        main()
    except SystemExit as left:
        return int(left.code or 0), capfd.readouterr().err.splitlines()
    return 0, capfd.readouterr().err.splitlines()
