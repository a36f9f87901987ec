"""What stops a joint search, and what the next unit of each input and of each limit is worth."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from simulator.studies.joint import Joint
from simulator.studies.joint_point import around, beside, gain, slopes
from simulator.studies.requirements import Requirement, chance_at_least, mean


def stops(answer: Joint) -> dict[str, list[str]]:
    """Return what stops the search, a requirement or a problem that the scenario's checks name, each
    with the neighbours one step away that would be better, or could not be run, and meet it."""
    found: dict[str, list[str]] = {}
    for point in around(answer.points, answer.nearest) if answer.best else ():
        if math.isnan(point.objective) or gain(point, answer.nearest, _sign(answer)) > 0.0:
            for told in point.candidate.broken or (point.candidate.refused,):
                found.setdefault(told, []).append(point.candidate.value)
    return {told: points for told, points in found.items() if told}


def next_units(answer: Joint, requirements: Sequence[Requirement]) -> pd.DataFrame:
    """Return one row for each input and way, one step from the best.

    Columns: input, value, keeps (whether every limit is kept), stopped_by, objective, gain (how much
    better the objective is, over the replicates of both), gain_per_unit (of the input), and the mean of
    each requirement's indicator. At an end of the range: `stopped_by` says so, the rest is NaN.
    """
    rows = []
    for i, axis in enumerate(answer.axes):
        for way in (-1, 1):
            row: dict[str, object] = {"input": axis.key, "way": way, "value": None, "keeps": False}
            row["stopped_by"] = "end of the range"
            point = beside(answer.points, answer.nearest, i, way)
            if point is not None:
                gained = gain(point, answer.nearest, _sign(answer))
                row |= {
                    "value": point.values[axis.key], "keeps": point.candidate.feasible,
                    "stopped_by": point.candidate.refused or "; ".join(point.candidate.broken),
                    "objective": point.objective, "gain": gained, "gain_per_unit": gained / axis.step,
                }  # fmt: skip
                row |= {str(r): mean(point.candidate.found.get(str(r), [])) for r in requirements}
            rows.append(row)
    columns = ["input", "way", "value", "keeps", "stopped_by", "objective", "gain", "gain_per_unit"]
    return pd.DataFrame(rows, columns=[*columns, *(str(r) for r in requirements)])


def limit_prices(answer: Joint, requirements: Sequence[Requirement]) -> tuple[pd.DataFrame, float]:
    """Return what each requirement costs, and the share of the objective's slope that they explain.

    Columns: requirement, binding, limit, at_best, shadow_price (how much better the objective would be
    for one unit more of the limit), share_kept, share_shown (with 95 % confidence). Prices are the
    multipliers of Karush, Kuhn and Tucker: the objective's slope along the inputs as a sum, none
    negative, of the slopes of the binding indicators and of the ends of ranges, by least squares over
    steps of one. Steps are not infinitely small: the share tells how far that holds.
    """
    binding = [str(r) for r in requirements if str(r) in stops(answer)]
    slope, limits, ends = slopes(
        answer.points, answer.nearest, _sign(answer), [r for r in requirements if str(r) in binding]
    )
    columns = np.hstack([limits, ends])
    prices, left = nnls(columns, slope) if columns.size else (np.zeros(0), float(np.linalg.norm(slope)))
    norm = float(np.linalg.norm(slope))
    told = dict(zip(binding, prices, strict=False))
    rows = []
    for required in requirements:
        pairs = answer.nearest.candidate.found.get(str(required), [])
        kept = sum(required.keeps(pair) for pair in pairs)
        rows.append({
            "requirement": str(required), "binding": str(required) in binding,
            "limit": pairs[0][1] if pairs else math.nan, "at_best": mean(pairs),
            "shadow_price": float(told.get(str(required), 0.0)),
            "share_kept": kept / len(pairs) if pairs else math.nan,
            "share_shown": chance_at_least(kept, len(pairs)) if pairs else math.nan,
        })  # fmt: skip
    return pd.DataFrame(rows), 1.0 - left / norm if norm else math.nan


def _sign(answer: Joint) -> float:
    return 1.0 if answer.direction == "max" else -1.0
