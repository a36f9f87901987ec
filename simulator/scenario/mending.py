"""A topology with what is wrong in it left out, so that a slip in one place hides no other: what is checked between
several pieces of equipment is then told in the same breath, with what was left out."""

import copy
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from simulator.components.topology import Topology
from simulator.documents import TreePath
from simulator.scenario import provision
from simulator.scenario.parts import Parts

ROUNDS = 8
"""Leaving one key out may leave another without sense: so often at the most."""


def mended(parts: Parts) -> tuple[Parts, tuple[TreePath, ...]]:
    """Return the parts with a topology whose wrong keys are at their defaults, and which these are; none where the
    topology is valid, or where something that is wrong in it has no default."""
    if parts.topology is not None or not isinstance(parts.tree.get("topology"), dict):
        return parts, ()
    tree: dict[str, Any] = copy.deepcopy(parts.tree["topology"])
    left_out: list[TreePath] = []
    for _ in range(ROUNDS):
        try:
            topology = provision.counted_or_guessed(Topology.model_validate(tree))
        except ValidationError as error:
            found = [_stands(tree, detail["loc"], detail["type"]) for detail in error.errors(include_url=False)]
            wrong = [path for path in found if not any(_below(other, [path]) for other in found)]
            if not all(_left_out(tree, path) for path in wrong):
                return parts, ()
            left_out += wrong
            continue
        whole = replace(
            parts, tree=parts.tree | {"topology": tree}, topology=topology,
            racks=dict(enumerate(topology.racks)), halls=dict(enumerate(topology.halls)),
        )  # fmt: skip
        whole_keys = [path for path in dict.fromkeys(left_out) if not _below(path, left_out)]
        return whole, tuple(("topology", *path) for path in whole_keys)
    return parts, ()


def _below(path: TreePath, others: list[TreePath]) -> bool:
    """Return whether a path leads to something inside one of the others."""
    return any(len(other) < len(path) and path[: len(other)] == other for other in others)


def _stands(tree: Any, loc: tuple[int | str, ...], kind: str) -> TreePath:
    """Return where an error stands in a tree: without the tags of choices, and one up for a key that is missing."""
    path: TreePath = ()
    for part in loc[:-1] if kind in ("missing", "union_tag_not_found") else loc:
        there = isinstance(tree, dict) and part in tree
        if there or (isinstance(tree, list) and isinstance(part, int) and part < len(tree)):
            tree, path = tree[part], (*path, part)
    return path


def _left_out(tree: Any, path: TreePath) -> bool:
    """Take a key out of a tree unless it is gone already; return whether it could be: an item of a list cannot."""
    if not path or isinstance(path[-1], int):
        return False
    for part in path[:-1]:
        if isinstance(tree, dict) and part not in tree:
            return True
        tree = tree[part]
    tree.pop(path[-1], None)
    return True
