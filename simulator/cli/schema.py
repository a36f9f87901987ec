"""`gigawatt schema`: the JSON Schema (draft 7) of a kind of document, for editors.

Every scalar may also be written as a figure with its evidence, and a scenario may leave out what
its imports bring; both are said in the schema.
"""

import json
from typing import Any, cast

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import ModelSchema

from simulator.cli.exits import usage
from simulator.components.accelerator import Accelerator
from simulator.components.failure_class import FailureClass
from simulator.components.kinds import Evidence, Spec, told
from simulator.components.language_model import LanguageModel
from simulator.components.power.mask import Mask
from simulator.components.rack import Rack
from simulator.components.topology import Topology
from simulator.errors import nearest
from simulator.scenario import ScenarioSpec
from simulator.studies.calibrate.spec import CalibrationSpec
from simulator.studies.designs import SweepSpec
from simulator.weather import WeatherSource
from simulator.workloads import (
    BatchWork,
    DataPreparation,
    Distillation,
    Evaluation,
    FineTuning,
    RlPostTraining,
    SafetyTest,
    ServedDiffusion,
    ServedModel,
    Traffic,
    TrainingJob,
)

KINDS: dict[str, type[Spec]] = {
    "scenario": ScenarioSpec,
    "topology": Topology,
    "training": TrainingJob,
    "fine_tuning": FineTuning,
    "rl_post_training": RlPostTraining,
    "distillation": Distillation,
    "evaluation": Evaluation,
    "safety_test": SafetyTest,
    "data_preparation": DataPreparation,
    "inference": ServedModel,
    "diffusion": ServedDiffusion,
    "traffic": Traffic,
    "batch": BatchWork,
    "weather": WeatherSource,
    "sweep": SweepSpec,
    "calibration": CalibrationSpec,
    "accelerator": Accelerator,
    "rack": Rack,
    "model": LanguageModel,
    "failure": FailureClass,
    "mask": Mask,
}
CATALOG = ("accelerator", "rack", "model", "failure", "mask")
"""Kinds that the catalog's files hold; these know no templates."""
DRAFT = "http://json-schema.org/draft-07/schema#"
LITERAL = ("default", "examples", "const", "enum")
RENAMED = {"prefixItems": "items", "oneOf": "anyOf"}
SCALARS = ("string", "number", "integer", "boolean")
FIGURE: dict[str, Any] = {
    "type": "object",
    "description": "A value with its evidence; it ends in the run's assumption register.",
    "properties": {
        "value": {},
        "source": {"type": "string"},
        "evidence": {"enum": list(Evidence.__args__)},  # type: ignore[attr-defined]
        "range": {"type": "array", "minItems": 2, "maxItems": 2},
        "note": {"type": "string"},
    },
    "required": ["value", "source", "evidence"],
    "additionalProperties": False,
}
ABOUT_THE_TEXT: dict[str, Any] = {
    "import": {"type": ["string", "array"], "description": "Files united with this one."},
    "templates": {"type": "object", "description": "Named trees that other parts start from."},
    "overrides": {"type": "object", "description": "Named partial trees laid over the document."},
    "scenarios": {"type": "object", "description": "Named lists of overrides."},
}


class Manual(GenerateJsonSchema):
    """A schema in which every field says what its docstring does."""

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        """Return the schema of a spec, its fields described."""
        made, kind = super().model_schema(schema), cast("type[Spec]", schema["cls"])
        for name, text in told(kind).items():
            if name in made.get("properties", ()):
                made["properties"][name].setdefault("description", text)
        return made


def schema(kind: str) -> None:
    """Carry out the command."""
    if kind not in KINDS:
        raise usage(f"no kind '{kind}'{nearest(kind, KINDS)}; one of {', '.join(KINDS)}")
    print(json.dumps(document(kind), indent=1))


def document(kind: str) -> dict[str, Any]:
    """Return the schema of a kind."""
    told_of = TypeAdapter(KINDS[kind]).json_schema(mode="validation", schema_generator=Manual)
    made: dict[str, Any] = _draft_7(told_of)
    made = {"$schema": DRAFT, **made}
    made.setdefault("definitions", {})["figure"] = FIGURE
    if kind not in CATALOG:
        for part in (made, *made["definitions"].values()):
            _open_to_templates(part)
    if kind in ("scenario", "sweep"):
        made["properties"] = ABOUT_THE_TEXT | made["properties"]
        made.pop("anyOf", None)  # imports may bring what this file leaves out
    return made


def _open_to_templates(part: dict[str, Any]) -> None:
    """Let a mapping start from a template, which may bring what the mapping leaves out."""
    if part is FIGURE or "properties" not in part:
        return
    part["properties"] = {"template": {"type": ["string", "array"]}} | part["properties"]
    if "required" in part:
        part["anyOf"] = [{"required": ["template"]}, {"required": part.pop("required")}]


def _draft_7(node: Any, named: bool = False) -> Any:
    """Return a schema in the words of draft 7; `named` says the keys are names, not words."""
    if isinstance(node, list):
        return [_draft_7(item) for item in node]
    if not isinstance(node, dict):
        return node
    if named:
        return {key: _evidenced(_draft_7(child)) for key, child in node.items()}
    made = dict(_word(key, child) for key, child in node.items() if key not in _left_out(node))
    if "$ref" in made and len(made) > 1:  # draft 7 ignores what stands beside a reference
        made["allOf"] = [{"$ref": made.pop("$ref")}]
    return made


def _word(key: str, child: Any) -> tuple[str, Any]:
    """Return a word of the schema and what it says, as draft 7 has it."""
    if key == "$ref":
        return key, child.replace("#/$defs/", "#/definitions/")
    if key == "$defs":
        return "definitions", {name: _draft_7(part) for name, part in child.items()}
    if key in LITERAL:
        return key, child
    return RENAMED.get(key, key), _draft_7(child, named=key == "properties")


def _left_out(node: dict[str, Any]) -> set[str]:
    return {"discriminator", "items"} if "prefixItems" in node else {"discriminator"}


def _evidenced(node: Any) -> Any:
    """Let a scalar also be a figure; `kind` decides which schema applies and stays plain."""
    if _optional_scalar(node):
        return {**node, "anyOf": [*node["anyOf"], {"$ref": "#/definitions/figure"}]}
    kind = node.get("type") if isinstance(node, dict) else None
    if not _is_scalar(kind) or "const" in node or "enum" in node:
        return node
    told = {k: v for k, v in node.items() if k in ("description", "title", "default")}
    rest = {k: v for k, v in node.items() if k not in told}
    if kind == "string" and not isinstance(told.get("default"), str):
        told.pop("default", None)  # an SI float, which no document may hold without its unit
    return {**told, "anyOf": [rest, {"$ref": "#/definitions/figure"}]}


def _optional_scalar(node: Any) -> bool:
    """Tell whether a schema is a number or text that may be left blank."""
    options = node.get("anyOf", []) if isinstance(node, dict) else []
    if len(options) != 2 or options[1].get("type") != "null" or "enum" in options[0]:
        return False
    return _is_scalar(options[0].get("type"))


def _is_scalar(kind: Any) -> bool:
    return kind in SCALARS or (isinstance(kind, list) and set(kind) <= set(SCALARS))
