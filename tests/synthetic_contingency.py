"""A pod on which single failures are worked out by hand, and a study of it."""

from small import pod_tree

from simulator.studies import contingency
from simulator.studies.contingency_cases import Wanted


def tree(**topology):
    """Return the pod with batch work only, for three hours, without draws."""
    given = pod_tree()
    given["workloads"] = [w for w in given["workloads"] if w["kind"] == "batch"]
    given["period"]["duration"] = "3 h"
    given["reliability"] = {"rate_scale": 0}
    given["topology"] |= {"generators": None} | topology
    given["topology"]["ups"]["ride_through"] = "1 s"
    return given


def study(given, workers=2, order=1, maintenance=(), minutes=60, **wanted):
    asked = contingency.Asked(order, "2 h", minutes, Wanted(**wanted), maintenance)
    return contingency.study(given, asked, workers)


def row(found, name, cause=None):
    mine = found.table[found.table["case"] == name]
    return mine[mine["class"] == cause].iloc[0] if cause else mine.iloc[0]
