"""Draw our run beside logs of MLPerf's: `python benchmarks/measured_power.py LOG.parquet... FIGURE.png`."""

import sys
from pathlib import Path

from matplotlib import rc_context

from simulator.reports import measured_power as report
from simulator.reports.style import STYLE
from simulator.studies import measured_power as study


def main(logs: list[Path], png: Path) -> None:
    """Print the figures of both and write the drawing."""
    print(study.compared(logs).to_string(index=False, float_format="%.6g"))
    readings = [*map(study.of_log, logs), study.of_run()]
    names = [f"log {n}" for n in range(1, len(logs) + 1)] + ["simulated"]
    servers = {name: one.node_w for name, one in zip(names, readings, strict=True)}
    with rc_context(STYLE):
        drawn = report.figure(servers, study.METER_S)
        drawn.fig.savefig(png, dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    *given, target = map(Path, sys.argv[1:])
    main(given, target)
