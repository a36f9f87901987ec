"""How near the elements of a site are to their limits, minute by minute: what a study of single
failures asks of every minute of every case."""

from numba import njit

from simulator.kernels import columns as c
from simulator.kernels.serving import REJECTED, SHED, WORK


@njit(cache=True, error_model="numpy")
def minute(told, k, limit, grid, nodes, branches, law, blocks, plants, air, pools, hours, columns, kept):
    """Measure minute `k`; return whether any column differs from what was kept of it.

    Parameters
    ----------
    told : (loading, most, minutes over, first minute over), each (limits,), and of the minutes which pools
        are behind (minutes, pools) and useful accelerator-seconds (minutes, loads); written
    limit : loading above which an element is beyond its limit
    grid, nodes, branches, law, blocks, plants, air : as `_loadings` takes them
    pools : (queue, own work, share of it that may be left over, step)
    hours : (loads, causes)
    columns, kept : alike; what is there now is kept
    """
    loading, most, minutes_over, first_over, behind, useful = told
    _loadings(loading, grid, nodes, branches, law, blocks, plants, air)
    for i in range(loading.size):
        most[i] = max(most[i], loading[i])
        if loading[i] > limit:
            minutes_over[i] += 1.0
            if first_over[i] == 0:
                first_over[i] = k + 1
    queue, own_work, waits, step = pools
    for p in range(own_work.size):
        left = queue[p, WORK] > waits * own_work[p]
        behind[k, p] = left or step[p, SHED] > 0.0 or step[p, REJECTED] > 0.0
    for load in range(hours.shape[0]):
        useful[k, load] = hours[load, c.USEFUL]
    return _changed(columns, kept)


@njit(cache=True, error_model="numpy", inline="always")
def _loadings(out, grid, nodes, branches, law, blocks, plants, air):
    """Write into `out` current and draw over their limits: of the interconnection, of all nodes, of
    the branches of a medium-voltage network one by one, and of blocks; how far the chips of each
    block have come from what cools them to where they throttle; heat over the capacity of the
    plant units in service; and how far the air of each hall has come to where it slows something. What is
    dead has none.

    Parameters
    ----------
    out : (1 + nodes + branches + 2 blocks + loops + halls,)
    grid : (import, its limit (1,), fed in on site below the main transformers, demand, stages that do not
        carry what is fed in)
    nodes, branches : (what they carry, rating, its share in service, and continuously) of the tree, (flow,
        rating, stage) of the mesh
    law : (continuous loading, the share of the rating in real power that this is, sag), each (elements,)
    blocks : (draw, its limit, hottest chips, what cools them, where they throttle, hall), each (blocks,)
    plants : heat (halls, 4), loops that take it from a hall's liquid and its air, units in service, their capacity
    air : (temperature, what is supplied, how far above that the first limit lies), each (halls,)
    """
    import_w, import_limit_w, relief_w, demand_w, above = grid
    carried_w, rating_w, in_service, share = nodes
    flow_w, branch_w, stage = branches
    count, imported = rating_w.size, 1.0 - _over(relief_w, demand_w)
    out[0] = _over(import_w, import_limit_w[0])
    for i in range(count):
        left_w = carried_w[i] - relief_w if i < above else carried_w[i]
        out[1 + i] = _over(left_w, rating_w[i] * in_service[i] * share[i])
    for j in range(branch_w.size):
        part = imported if stage[j] < above else 1.0
        out[1 + count + j] = _over(abs(flow_w[j]) * part, branch_w[j])
    continuous, allowed, sag = law
    for i in range(continuous.size):
        power = out[1 + i] * allowed[i]
        out[1 + i] = power * (1.0 - sag[i] * (1.0 - power)) / continuous[i]
    _beyond_power(out[1 + continuous.size :], blocks, plants, air)


@njit(cache=True, error_model="numpy", inline="always")
def _beyond_power(out, blocks, plants, air):
    """Write blocks, chips, plants and halls' air, as `_loadings` does."""
    it_w, limit_w, hottest_c, cool_c, throttle_c, hall = blocks
    heat_w, liquid_loop, air_loop, units, unit_w = plants
    hall_c, supplied_c, span_k = air
    count, loops = it_w.size, units.size
    plant, hall_air = out[2 * count :], out[2 * count + loops :]
    hall_air[:] = 0.0
    for b in range(count):
        rise = (hottest_c[b] - cool_c[b]) / (throttle_c[b] - cool_c[b])
        out[b] = _over(it_w[b], limit_w[b])
        out[count + b] = rise if it_w[b] > 0.0 else 0.0
        if it_w[b] > 0.0:
            hall_air[hall[b]] = 1.0
    for h in range(hall_c.size):
        plant[liquid_loop[h]] = heat_w[h, 2]
    for h in range(hall_c.size):
        plant[air_loop[h]] = heat_w[h, 3]
        hall_air[h] *= (hall_c[h] - supplied_c[h]) / span_k[h]
    for i in range(loops):
        plant[i] = _over(plant[i], units[i] * unit_w[i])


@njit(cache=True, inline="always")
def _changed(columns, kept):
    found = False
    for n in range(len(columns)):
        column, before = columns[n], kept[n]
        differ = 0
        for i in range(column.size):
            differ += column[i] != before[i]
        if differ:
            found = True
            before[:] = column
    return found


@njit(cache=True, inline="always")
def _over(draw, limit):
    return draw / limit if limit > 0.0 else 0.0
