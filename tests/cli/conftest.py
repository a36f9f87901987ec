"""Commands as a user types them, in this process."""

import sys

import pytest

from simulator import cli


@pytest.fixture
def typed(monkeypatch, capfd):
    """Return what runs `gigawatt WORDS` and gives its exit code, stdout and stderr."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["gigawatt", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as left:
            code = int(left.code or 0)
        return code, *capfd.readouterr()

    return run
