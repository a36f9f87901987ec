"""Elements above their continuous rating: for how long, and on which level. Those are the nodes of the
power tree, and the lines, main transformers and branches of a medium-voltage network one by one."""

from simulator.kernels.compiled import inlined, inner

SLACK = 1e-9
"""Relative; below it a load stands at its limit."""
MESH_LEVELS = 3
"""Lines, main transformers and branches: the last levels of `LimitState.level_over`."""


@inlined
def watch(tree, limits, relief_w, dt_s):
    """Add the step to the time that elements were above their limit; return 1 if any was.

    `relief_w` is what is fed in on site below the main transformers, so that lines and transformers
    (the first two stages) do not carry it.
    """
    over = 0
    for i in range(tree.parent.size):
        limit_w = tree.rating_w[i] * tree.in_service[i] * limits.share[i]
        over += tree.output_w[i] > limit_w
    for k in range(tree.mesh.rating_w.size):
        over += abs(tree.mesh.flow_w[k]) > tree.mesh.rating_w[k]
    return 1 if over > 0 and _account(tree, limits, relief_w, dt_s) else 0


@inner
def _account(tree, limits, relief_w, dt_s):
    found = False
    limits.level_over[:] = 0
    for i in range(tree.parent.size):
        limit_w = tree.rating_w[i] * tree.in_service[i] * limits.share[i]
        carried_w = tree.output_w[i] - (relief_w if tree.stage[i] < 2 else 0.0)
        if limit_w > 0.0 and carried_w > limit_w * (1.0 + SLACK):
            limits.over_s[i] += dt_s
            limits.level_over[tree.stage[i]] = 1
            found = True
    if tree.mesh.rating_w.size > 0:
        found = _account_mesh(tree, limits, relief_w, dt_s) or found
    for stage in range(limits.level_over.size):
        limits.level_over_s[stage] += limits.level_over[stage] * dt_s
    return found


@inlined
def _account_mesh(tree, limits, relief_w, dt_s):
    found, mesh = False, tree.mesh
    drawn = 1.0 - relief_w / tree.input_w[0] if tree.input_w[0] > 0.0 else 1.0
    for k in range(mesh.rating_w.size):
        carried_w = abs(mesh.flow_w[k]) * (drawn if mesh.stage[k] < 2 else 1.0)
        if carried_w > mesh.rating_w[k] * (1.0 + SLACK):
            mesh.over_s[k] += dt_s
            limits.level_over[limits.level_over.size - MESH_LEVELS + mesh.stage[k]] = 1
            found = True
    return found
