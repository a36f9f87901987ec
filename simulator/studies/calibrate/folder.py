"""The folder of a calibration: the values to import, scores, both series, and where all came from."""

import hashlib
import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from simulator.errors import display_name
from simulator.studies import provenance
from simulator.studies.calibrate import Calibration
from simulator.studies.folders import FolderError

SCORES = "scores.csv"
OVERRIDES = "calibrated.yaml"
NAME = "calibrated"
"""Of the override, and of the scenario that takes it."""


def check(folder: Path) -> None:
    """Refuse a place that holds something other than a calibration."""
    if folder.is_file():
        raise FolderError(f"{folder} is a file; choose another folder with -o")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / OVERRIDES).is_file():
        told = f"{folder} is not empty and holds no calibration (no {OVERRIDES})"
        raise FolderError(f"{told}; choose another with -o, or empty it")


def write(found: Calibration, folder: Path) -> None:
    """Write tables, values and manifest into a folder; only the manifest varies between two runs."""
    found.scores.to_csv(folder / SCORES, index=False)
    found.table.drop(columns="scale").to_parquet(
        folder / "calibration.parquet", index=False, compression="zstd"
    )
    (folder / OVERRIDES).write_text(overrides(found), "utf-8")
    for name, told in (("calibration.json", document(found)), ("manifest.json", manifest(found))):
        (folder / name).write_text(json.dumps(told, indent=1, allow_nan=False) + "\n", "utf-8")


def overrides(found: Calibration) -> str:
    """Return YAML to `import:`: `--scenario calibrated` then lays on what was found."""
    files = ", ".join(found.fitted_files)
    figures: dict[str, Any] = {}
    for e in found.fit.estimates:
        figure: dict[str, Any] = {"value": _plain(e.text), "source": f"calibrated on {files}",
                                  "evidence": "measured"}  # fmt: skip
        if e.low is not None and e.high is not None and e.low < e.high:
            figure["range"] = [_with_unit(max(e.low, e.least), e.unit), _with_unit(min(e.high, e.most), e.unit)]
        figures[e.key] = figure
    tree = {"overrides": {NAME: figures}, "scenarios": {NAME: [NAME]}}
    head = "# Values found by `gigawatt calibrate`; import this file and choose `--scenario calibrated`.\n"
    return head + yaml.safe_dump(tree, sort_keys=False, width=100, allow_unicode=True)


def document(found: Calibration) -> dict[str, Any]:
    """Return what `--json` prints."""
    model: Any = found.spec.model
    kept = found.scores.assign(start=found.scores["start"].map(str), end=found.scores["end"].map(str))
    return {
        "name": found.name, "model": model.kind, "predicts": model.predicts, "unit": found.unit,
        "interval_s": found.spec.interval,
        "parameters": [
            {"key": e.key, "unit": e.unit, "start": _finite(e.start), "value": _finite(e.value),
             "low": _finite(e.low), "high": _finite(e.high), "bounds": [e.least, e.most]}
            for e in found.fit.estimates
        ],
        "condition": _finite(found.fit.condition), "effective_n": _finite(found.fit.effective),
        "correlation": [[_finite(v) for v in row] for row in found.fit.correlation.tolist()],
        "scores": [{k: _finite(v) for k, v in row.items()} for row in kept.to_dict("records")],
        "drift": {k: _finite(v) for k, v in found.drift.items()},
        "warnings": list(found.fit.warnings),
    }  # fmt: skip


def manifest(found: Calibration) -> dict[str, Any]:
    """Return the hashes of every input, and what varies."""
    own = [{"kind": "telemetry" if k else "calibration", **_file(p)} for k, p in enumerate(found.files)]
    return {
        "name": found.name, "version": provenance.code_version(),
        "config_sha256": found.scenario.config_hash,
        "inputs": [*own, *provenance.inputs(found.scenario)],
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "packages": provenance.packages(), **provenance.machine(),
    }  # fmt: skip


def _file(path: Path) -> dict[str, str]:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"path": display_name(str(path)), "sha256": digest}


def _plain(text: str) -> Any:
    """Return a value as YAML has it: text with a unit, or a number."""
    try:
        return float(text)
    except ValueError:
        return text


def _with_unit(number: float, unit: str) -> Any:
    rounded = float(f"{number:.6g}")
    return f"{rounded!r} {unit}" if unit else rounded


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
