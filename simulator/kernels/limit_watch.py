"""How near the elements of a site are to their limits, minute by minute: what a study of single
failures asks of every minute of every case."""

from numba import njit


@njit(cache=True, error_model="numpy")
def loadings(out, minute_w, tree, share, supply_limit_w, blocks, chips_c, loops, halls, plant_w):
    """Write into `out` import and draw over their limits: of the interconnection, of all nodes, of
    the branches of a medium-voltage network one by one, and of blocks; how far the chips of each
    block have come from what cools them to where they throttle; and heat over the capacity of the
    plant units in service. What is dead has none.

    Parameters
    ----------
    out : (1 + nodes + branches + 2 blocks + loops,)
    minute_w : (import, fed in on site below the main transformers, demand, stages that do not carry
        what is fed in)
    share : (nodes,) of its rating that a node carries for ever
    chips_c : (what cools them, where they throttle), each (blocks,)
    """
    import_w, relief_w, demand_w, above = minute_w
    cool_c, throttle_c = chips_c
    nodes, count = tree.rating_w.size, blocks.it_w.size
    out[0] = _over(import_w, supply_limit_w[0])
    for i in range(nodes):
        carried_w = tree.output_w[i] - relief_w if i < above else tree.output_w[i]
        out[1 + i] = _over(carried_w, tree.rating_w[i] * tree.in_service[i] * share[i])
    mesh, imported = tree.mesh, 1.0 - _over(relief_w, demand_w)
    for j in range(mesh.rating_w.size):
        part = imported if mesh.stage[j] < above else 1.0
        out[1 + nodes + j] = _over(abs(mesh.flow_w[j]) * part, mesh.rating_w[j])
    nodes += mesh.rating_w.size
    for b in range(count):
        rise = (blocks.hottest_c[b] - cool_c[b]) / (throttle_c[b] - cool_c[b])
        out[1 + nodes + b] = _over(blocks.it_w[b], blocks.limit_w[b])
        out[1 + nodes + count + b] = rise if blocks.it_w[b] > 0.0 else 0.0
    first = 1 + nodes + 2 * count
    for h in range(halls.house_w.size):
        out[first + halls.liquid_loop[h]] = plant_w[h, 2]
    for h in range(halls.house_w.size):
        out[first + halls.air_loop[h]] = plant_w[h, 3]
    for i in range(loops.units_up.size):
        out[first + i] = _over(out[first + i], loops.units_up[i] * loops.unit_w[i])


@njit(cache=True)
def follow(loading, limit, most, minutes_over):
    """Keep the largest loading of each element, and count the minutes above `limit`."""
    for i in range(loading.size):
        most[i] = max(most[i], loading[i])
        minutes_over[i] += loading[i] > limit


@njit(cache=True)
def changed(columns, kept):
    """Return whether any column differs from what was kept of it; keep what there is now."""
    found = False
    for k in range(len(columns)):
        column, before = columns[k], kept[k]
        for i in range(column.size):
            if column[i] != before[i]:
                found = True
                before[i] = column[i]
    return found


@njit(cache=True, inline="always")
def _over(draw, limit):
    return draw / limit if limit > 0.0 else 0.0
