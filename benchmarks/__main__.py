"""`python -m benchmarks [--quick] [--rounds N] [--json FILE] [SCENARIO...]`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import (
    generate,
    increment,
    load,
    machine,
    marts,
    movers,
    parse,
    resume,
    small,
    startup,
    table,
    ticks,
    validate,
    verify,
)
from benchmarks.result import Result
from tests.services import Kind, Server, launch

Measure = Callable[[Server, Server, int, int], Iterable[Result] | None]
"""Prints what it found, or returns it to be printed."""

SCENARIOS = (
    "load",
    "increment",
    "resume",
    "verify",
    "marts",
    "small",
    "startup",
    "movers",
    "generate",
    "parse",
    "validate",
)


def main() -> None:
    """Measures the chosen scenarios, where one needs servers on those that the environment names, or its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"{', '.join(SCENARIOS)}; default: all")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="100,000 rows and one round instead of 1,000,000 and three; 50 specs, not 500; 200, not 1,000",
    )
    parser.add_argument("--rounds", type=int, help="how often each way is measured")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the results are written, too")
    options = parser.parse_args()
    if unknown := set(options.scenarios) - set(SCENARIOS):
        parser.error(f"unknown scenario {unknown.pop()}; known are {', '.join(SCENARIOS)}")
    chosen = options.scenarios or SCENARIOS
    measures: dict[str, Measure] = {
        "load": load.run,
        "increment": increment.run,
        "resume": resume.run,
        "verify": verify.run,
        "marts": marts.run,
        "small": small.run,
        "startup": startup.run,
        "movers": movers.run,
    }
    kept: list[dict[str, Any]] = []
    for scenario, measure in measures.items():
        if scenario in chosen:
            rows, rounds = (100_000, 1) if options.quick else (1_000_000, 3)
            found = _with_servers(scenario, measure, rows, options.rounds or rounds)
            kept += ({"scenario": scenario, **result.as_json()} for result in found)
    if "generate" in chosen:
        _generate(options.rounds, quick=options.quick)
    if "parse" in chosen:
        print(f"\nparse: specs of {parse.TABLES} tables and {parse.MARTS} marts as Airflow DAGs")
        parse.run(parse.QUICK if options.quick else parse.COUNTS)
    if "validate" in chosen:
        print("\nvalidate: specs checked without a database")
        validate.run(
            validate.QUICK if options.quick else validate.COUNTS, options.rounds or (3 if options.quick else 9)
        )
    if options.json:
        options.json.write_text(json.dumps({"format": 1, "quick": options.quick, "results": kept}, indent=2) + "\n")


def _with_servers(scenario: str, measure: Measure, rows: int, rounds: int) -> list[Result]:
    with ExitStack() as stack:
        source, target = (_started(kind, stack) for kind in ("postgres", "mysql"))
        print(machine.describe(source, target))
        print(f"\n{scenario}: {rows:,} rows, {rounds} round{'s' * (rounds > 1)}")
        found = measure(source, target, rows, rounds) or ()
        return list(_shown(found, judged=rows >= 1_000_000))


def _shown(results: Iterable[Result], *, judged: bool) -> Iterable[Result]:
    """Prints each as it comes; in a short run fixed costs count, which no requirement means."""
    for number, result in enumerate(results):
        if number == 0:
            print(table.HEAD)
        shown = result if judged else replace(result, at_least=None, at_most=None)
        print(table.row(shown), flush=True)
        yield shown


def _generate(rounds: int | None, *, quick: bool) -> None:
    with ExitStack() as stack:
        source = _started("postgres", stack)
        print(machine.describe(source))
        for orders in (100_000,) if quick else (1_000_000, 10_000_000):
            times = 1 if quick or orders > 1_000_000 else rounds or 3
            print(f"\ngenerate: {orders:,} orders and their customers, {times} round{'s' * (times > 1)}")
            generate.run(source, orders, times)
        print("\ngenerate: a row of ours against a row of others")
        generate.run_peers(source, 20_000 if quick else 1_000_000, 1 if quick else rounds or 3)
        print("\ngenerate: ticks")
        ticks.run(source, 20_000 if quick else 1_000_000, 5 if quick else 21)


def _started(kind: Kind, stack: ExitStack) -> Server:
    handle = launch(kind)
    stack.callback(handle.stop)
    return handle.wait()


if __name__ == "__main__":
    main()
