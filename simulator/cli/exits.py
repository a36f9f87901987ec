"""What went wrong, as a message on stderr and an exit code."""

import os
import traceback
from pathlib import Path

from simulator.errors import ScenarioError
from simulator.studies import StudyError
from simulator.studies.progress import say

INVALID = 2
INFEASIBLE = 3
FAILED_ASSERT = 4
FAILED_RUNS = 5
INTERRUPTED = 130
DEBUG = "GIGAWATT_DEBUG"


def usage(message: str) -> SystemExit:
    """Return the exit for a command that cannot be understood, its reason said."""
    say(f"gigawatt: {message}")
    return SystemExit(INVALID)


def exit_code(error: Exception) -> int:
    """Say what is wrong and return the code to leave with."""
    told = problems(error)
    if told is None:
        _say_bug(error)
        return 1
    for line in told:
        say(line)
    return INVALID


def problems(error: Exception) -> list[str] | None:
    """Return the lines that tell what is wrong with the input; None for a bug."""
    if isinstance(error, ScenarioError):
        return [str(problem) for problem in error.problems]
    if isinstance(error, StudyError):
        return [f"gigawatt: {line}" for line in str(error).splitlines()]
    if type(error).__name__ == "WeatherError":  # its module costs a second to import
        return [f"weather: {problem}" for problem in str(error).splitlines()]
    if type(error).__name__ == "MarketError":
        return [f"economics: {problem}" for problem in str(error).splitlines()]
    if isinstance(error, OSError):
        name = f"{error.filename}: " if error.filename else ""
        return [f"gigawatt: {name}{error.strerror or error}"]
    return None


def _say_bug(error: Exception) -> None:
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
        return
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    say(f"gigawatt: this is a defect, not your input: {type(error).__name__}: {error}{place}")
    say(f"gigawatt: {DEBUG}=1 in the environment shows the whole trace")
