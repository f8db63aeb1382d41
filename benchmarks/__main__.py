"""`python -m benchmarks [--quick] [--rounds N] [SCENARIO...]`."""

from __future__ import annotations

import argparse
from contextlib import ExitStack

from benchmarks import load, machine
from tests.services import Kind, Server, launch

SCENARIOS = {"load": load.run}


def main() -> None:
    """Measures the chosen scenarios on real servers: those that the environment names, else its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"{', '.join(SCENARIOS)}; default: all")
    parser.add_argument(
        "--quick", action="store_true", help="100,000 rows and one round instead of 1,000,000 and three"
    )
    parser.add_argument("--rounds", type=int, help="how often each way is measured")
    options = parser.parse_args()
    if unknown := set(options.scenarios) - set(SCENARIOS):
        parser.error(f"unknown scenario {unknown.pop()}; known are {', '.join(SCENARIOS)}")
    rows = 100_000 if options.quick else 1_000_000
    rounds = options.rounds or (1 if options.quick else 3)
    with ExitStack() as stack:
        source, target = (_started(kind, stack) for kind in ("postgres", "mysql"))
        print(machine.describe(source, target))
        for name in options.scenarios or SCENARIOS:
            print(f"\n{name}: {rows:,} rows, {rounds} round{'s' * (rounds > 1)}")
            SCENARIOS[name](source, target, rows, rounds)


def _started(kind: Kind, stack: ExitStack) -> Server:
    handle = launch(kind)
    stack.callback(handle.stop)
    return handle.wait()


if __name__ == "__main__":
    main()
