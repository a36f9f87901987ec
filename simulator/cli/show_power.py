"""The power part of `gigawatt show`: the one-line by level, and the redundancy of the halls."""

import numpy as np

from simulator.cli.text import number, table
from simulator.components.power.equipment import WORDS
from simulator.components.power.loading import current
from simulator.components.power.node import UPS
from simulator.engine import design_flow
from simulator.site import Site

WATTS_PER_MW = 1e6
OTHERS = ("racks: nameplate. others: plants, pumps and lights on the design day, and losses below. headroom: what "
          "usable leaves beyond both")  # fmt: skip


def one_line(site: Site) -> list[str]:
    """Return the levels of the power tree, the halls that have a scheme, and the medium-voltage
    network."""
    return [*_levels(site), *_schemes(site), *_network(site)]


def _levels(site: Site) -> list[str]:
    """Return counts and ratings by level, what of them is usable with one unit out of each group
    that has one to spare, what is reserve, and against it the racks' nameplate and what else is drawn on the
    design day: plants, pumps, lights, and losses below."""
    below_w, others_w = nameplate_below_w(site), others_below_w(site)
    header = ["level", "serves", "elements", "units", "rating MW", "usable MW", "reserve MW",
              "racks MW", "others MW", "headroom MW"]  # fmt: skip
    usable_w = _usable_w(site)
    lost_w = design_flow.input_w(site.nodes[0], float(below_w[0] + others_w[0])) - float(below_w[0] + others_w[0])
    all_w, more_w = float(below_w[0]), float(others_w[0]) + lost_w
    values = (site.firm_w, site.firm_w, 0.0, all_w, more_w, site.firm_w - all_w - more_w)
    rows = [["connection", "", "1", "1", *map(_mw, values)]]
    for kind, serves in dict.fromkeys((node.kind, node.serves) for node in site.nodes):
        nodes = [i for i, n in enumerate(site.nodes) if (n.kind, n.serves) == (kind, serves)]
        rating_w = sum(site.nodes[i].rating_w for i in nodes)
        can_w, racks_w, more_w = (float(w[nodes].sum()) for w in (usable_w, below_w, others_w))
        units = sum(site.nodes[i].count for i in nodes)
        values = (rating_w, can_w, rating_w - can_w, racks_w, more_w, can_w - racks_w - more_w)
        rows.append([WORDS[kind], serves, str(len(nodes)), str(units), *map(_mw, values)])
    return [*table(header, rows, right=range(2, len(header))), "", OTHERS]


def _usable_w(site: Site) -> np.ndarray:
    """Return what each node carries with its reserve kept: banks with one unit out; what feeds racks,
    the limits of its blocks by their shares; the rest, its rating."""
    usable_w = np.array([node.firm_w or node.rating_w for node in site.nodes])
    racks_w = np.zeros(len(site.nodes))
    for feed, block in enumerate(_block_of_feed(site)):
        for node in site.feed_paths[feed]:
            racks_w[node] += site.feed_share[feed] * site.block_limit_w[block]
    return np.where(site.node_of_racks, racks_w, usable_w)


def nameplate_below_w(site: Site) -> np.ndarray:
    """Return the nameplate of the racks below each node; cooling and losses come on top."""
    return _below_w(site, site.block_nameplate_w)


def others_below_w(site: Site) -> np.ndarray:
    """Return what each node delivers on the design day beyond racks: plants, pumps and lights below it, and
    the losses between; racks draw their nameplate, or what their blocks feed."""
    design_w = np.array([node.design_w for node in site.nodes])
    output_w = design_flow.outputs_w(site, design_w)
    pumps = np.array([node.serves == "mechanical" and node.stage == UPS for node in site.nodes])
    return np.where(pumps, design_w, output_w - _below_w(site, design_flow.racks_w(site)))


def _below_w(site: Site, block_w: np.ndarray) -> np.ndarray:
    """Return what the blocks below each node draw."""
    below_w = np.zeros(len(site.nodes))
    for feed, block in enumerate(_block_of_feed(site)):
        path = site.feed_paths[feed]
        for node in (*path, *_above(site, path[-1])):
            below_w[node] += site.feed_share[feed] * block_w[block]
    return below_w


def _block_of_feed(site: Site) -> np.ndarray:
    return np.repeat(np.arange(len(site.block_names)), np.diff(site.feed_first))


def _above(site: Site, node: int) -> list[int]:
    parent = site.nodes[node].parent
    return [] if parent < 0 else [parent, *_above(site, parent)]


def _schemes(site: Site) -> list[str]:
    """Return what each group of halls with a scheme makes of its lineups."""
    header = ["hall", "scheme", "lineups", "blocks", "usable share", "usable MW", "reserve MW",
              "change of feed", "UPS"]  # fmt: skip
    rows = []
    for hall in site.topology.halls:
        plan = hall.distribution
        if plan is None:
            continue
        halls = [h for h, spec in enumerate(site.hall_spec) if spec == hall]
        racks = np.isin(site.block_hall, halls) & (site.block_support_w == 0.0)
        lineups = hall.count * plan.lineups(hall.blocks)
        built_w = lineups * hall.block.rating * site.topology.grid.power_factor
        usable_w = float(site.block_limit_w[racks].sum())
        rows.append([
            hall.name, plan.scheme, str(lineups), str(int(racks.sum())),
            f"{plan.group.usable_frac:.1%}", _mw(usable_w), _mw(built_w - usable_w),
            plan.switch, "yes" if plan.ups else "no",
        ])  # fmt: skip
    return ["", *table(header, rows, right=range(2, 7))] if rows else []


def _network(site: Site) -> list[str]:
    """Return the branches of the medium-voltage network, and what the racks' nameplate puts on them
    with everything in service."""
    if site.mesh is None:
        return []
    net, mesh = site.mesh.net, site.mesh
    closed = mesh.closed(np.zeros(len(net.name), np.bool_))
    flow_w = mesh.factors(closed) @ nameplate_below_w(site)[site.halls.feeder_node]
    rating_w, sag, *_ = design_flow.laws(site).branches
    loading = current(np.abs(flow_w) / rating_w, sag)
    header = ["branch", "between", "rating MW", "racks MW", "loading", "state"]
    rows = [
        [name, " and ".join(net.bus_name[bus] for bus in ends), _mw(rating_w[k]), _mw(abs(flow_w[k])),
         f"{loading[k]:.1%}", "closed" if closed[k] else "open"]
        for k, (name, ends) in enumerate(zip(net.name, net.ends, strict=True))
    ]  # fmt: skip
    return ["", *table(header, rows, right=(2, 3, 4))]


def _mw(watts: float) -> str:
    return number(watts / WATTS_PER_MW, 5)
