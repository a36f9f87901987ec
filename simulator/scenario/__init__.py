"""The document: scenario.yaml to a frozen Scenario, or every problem with its file and line.

`load` reads the text (`simulator.documents`), validates it against the specs (`spec`, messages in
`wording`) and checks what no single field can know (`checks`). `resolved` writes the whole document
back, `assumptions` lists every figure behind it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from simulator.documents import Document, gather, of_another_kind
from simulator.errors import Problem, ScenarioError
from simulator.scenario import checks, provision, wording
from simulator.scenario.evidence import Assumption, assumptions
from simulator.scenario.kinds import carried
from simulator.scenario.parts import Parts
from simulator.scenario.resolving import resolved
from simulator.scenario.spec import Economics, Period, Reliability, Scenario, ScenarioSpec

__all__ = [
    "Assumption",
    "Economics",
    "Period",
    "Reliability",
    "Scenario",
    "ScenarioSpec",
    "assumptions",
    "load",
    "resolved",
]


def load(
    path: str | Path, sets: Iterable[str | tuple[str, Any]] = (), scenario: str | None = None
) -> Scenario:
    """Return the scenario of a file; ScenarioError lists every problem of text, keys and sense.

    Parameters
    ----------
    path : the file to start from
    sets : `a.b=3 MW` texts as on the command line, or (dotted key, plain value) pairs
    scenario : a name under `scenarios:` whose overrides are laid on
    """
    document, problems = gather(path, sets, scenario, carried)
    if document is None:
        raise ScenarioError(problems)
    other = of_another_kind(document, "scenario")
    if other:
        raise ScenarioError(other)
    spec, wrong = _validated(document, whole=not problems)
    problems += wrong
    parts = Parts.of_spec(spec, document.tree) if spec else Parts.of_tree(document.tree)
    problems += [document.problem(*found) for found in checks.run(parts, document)]
    if problems or spec is None:
        raise ScenarioError(problems)
    return Scenario(spec, document)


def _validated(document: Document, whole: bool) -> tuple[ScenarioSpec | None, list[Problem]]:
    """Return the spec, or what is wrong with the document's keys and values.

    When the text itself has problems, keys may be missing because of them: those stay unsaid.
    """
    try:
        return provision.of_spec(ScenarioSpec.model_validate(document.tree)), []
    except ValidationError as error:
        found = wording.problems(ScenarioSpec, error, whole)
        return None, [document.problem(path, message) for path, message in found]
