"""`python -m benchmarks [--quick] [--rounds N] [--json FILE] [SCENARIO...]`."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks import machine, table
from benchmarks.report import Measured, Report
from benchmarks.scenarios import SCENARIOS
from tests.services import Kind, Server, launch


def main() -> int:
    """Measures the chosen scenarios on the servers that the environment names, or on its own; 1 if one failed."""
    options = _options()
    failed = []
    with ExitStack() as stack:
        source, target = (_started(kind, stack) for kind in ("postgres", "mysql"))
        report = Report(options.quick, machine.describe(source, target))
        print("\n".join(f"{name}: {text}" for name, text in report.machine.items()))
        if options.json and options.json.exists():
            report = report.with_others_of(Report.read(options.json))
        for name in options.scenarios or SCENARIOS:
            begun = time.monotonic()
            try:
                found = tuple(measured(name, source, target, quick=options.quick, rounds=options.rounds))
            except Exception:  # noqa: BLE001 - the others are measured all the same
                traceback.print_exc()
                failed.append(name)
                continue
            print(f"{name} took {time.monotonic() - begun:,.0f} s")
            report = report.with_results(name, found)
            if options.json:
                report.write(options.json)
    if failed:
        print(f"\nFailed: {', '.join(failed)}")
    return 1 if failed else 0


def measured(
    name: str, source: Server, target: Server, *, quick: bool, rounds: int | None = None
) -> Iterator[Measured]:
    """The results of a scenario in each of its sizes, printed as they come."""
    scenario, commit = SCENARIOS[name], machine.commit()
    for size in scenario.sizes(quick=quick):
        times = rounds or size.rounds
        print(f"\n{name}: {size.amount:,} {scenario.unit}, {times} round{'s' * (times > 1)}")
        for number, result in enumerate(scenario.measure(source, target, size.amount, times) or ()):
            if number == 0:
                print(table.HEAD)
            # In a short run fixed costs count, which no requirement means.
            print(table.row(result, judged=not quick), flush=True)
            yield Measured(name, commit, result)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"{', '.join(SCENARIOS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="small, in one round: shows only that all of it runs")
    parser.add_argument("--rounds", type=int, help="how often each way is measured")
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="where the results are written; those of other scenarios stay there if they are of the same machine",
    )
    options = parser.parse_args()
    if unknown := set(options.scenarios) - set(SCENARIOS):
        parser.error(f"unknown scenario {unknown.pop()}; known are {', '.join(SCENARIOS)}")
    return options


def _started(kind: Kind, stack: ExitStack) -> Server:
    handle = launch(kind)
    stack.callback(handle.stop)
    return handle.wait()


if __name__ == "__main__":
    sys.exit(main())
