"""Times as a command line gives them: of the calendar, or from the start of a run."""

from datetime import datetime, timedelta

from simulator.scenario.spec import ScenarioSpec
from simulator.studies import StudyError
from simulator.units import parse


def time_of(text: str, spec: ScenarioSpec, option: str) -> datetime:
    """Return a time: ISO with or without an offset (then the campus's), or a duration into the run."""
    start = spec.period.start
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        try:
            return start + timedelta(seconds=parse(text, "s"))
        except ValueError as error:
            told = f"{option} '{text}' is neither a time nor a duration into the run ({error})"
            raise StudyError(told) from None
    return at if at.tzinfo else at.replace(tzinfo=start.tzinfo)
