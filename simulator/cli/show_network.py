"""The network part of `gigawatt show`: fabrics by kind, what they count, draw and carry."""

from simulator.cli.text import number, table
from simulator.components.fabric.laid import Laid
from simulator.components.sizing import network_rack_w
from simulator.site import Site

WATTS_PER_MW = 1e6
BYTES_PER_GB, BYTES_PER_TB = 1e9, 1e12


def network(site: Site) -> list[str]:
    """Return what every fabric counts and draws, what its tiers carry, and the links between."""
    return [*_counts(site), "", *_tiers(site), *_wans(site)]


def _counts(site: Site) -> list[str]:
    header = ["fabric", "kind", "endpoints", "switches", "optics", "copper", "MW",
              "network racks", "racks MW", "cards MW"]  # fmt: skip
    return table(header, [_row(site, f) for f in site.fabrics], right=(2, 4, 5, 6, 7, 8, 9))


def _row(site: Site, fabric: Laid) -> list[str]:
    """Return one fabric; power of switches and their optics against its racks', losses included."""
    counts, spec, ends = fabric.counts, fabric.spec, fabric.ends
    switches = ", ".join(f"{n} {tier}" for tier, n in counts.switches.items() if n)
    hall = next(h for h in site.topology.halls if h.name == fabric.name)
    racks = sum(s.count for s in site.support if s.rack.fabric and s.hall in fabric.halls)
    return [
        fabric.name, spec.kind, str(ends.ports), switches, str(counts.optics),  # type: ignore[attr-defined]
        str(counts.copper_links), _mw(spec.draw_w(ends)), str(racks),
        _mw(racks * network_rack_w(site.topology, hall)),
        _mw(ends.ports * spec.nic_power + counts.end_optics * spec.optic_power),
    ]  # fmt: skip


def _tiers(site: Site) -> list[str]:
    header = ["tier", "reach", "GB/s each", "latency us", "bisection TB/s"]
    rows = []
    for fabric in site.fabrics:
        last = len(fabric.tiers) - 1
        bisection = fabric.spec.bisection_bytes_s(fabric.ends) / BYTES_PER_TB
        for i, tier in enumerate(fabric.tiers):
            rows.append([
                f"{fabric.name}/{tier.name}", str(tier.reach), number(tier.bytes_s / BYTES_PER_GB, 4),
                number(tier.latency_s * 1e6, 3), number(bisection, 4) if i == last else "",
            ])  # fmt: skip
    return table(header, rows, right=range(1, len(header)))


def _wans(site: Site) -> list[str]:
    if not site.topology.wan:
        return []
    header = ["long haul", "joins", "km", "links", "TB/s a pair", "latency ms", "MW"]
    rows = [
        [wan.name, ", ".join(wan.joins), number(wan.distance / 1e3, 4),
         str(wan.links * wan.bundles), number(wan.bandwidth / BYTES_PER_TB, 4),
         number(wan.latency_s * 1e3, 4), _mw(wan.draw_w)]
        for wan in site.topology.wan
    ]  # fmt: skip
    return ["", *table(header, rows, right=range(2, len(header)))]


def _mw(watts: float) -> str:
    return number(watts / WATTS_PER_MW, 4)
