"""What checking specs costs: CPU a spec for few and for many files, and the start of the command."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.parse import MARTS, TABLES, spec

COUNTS = (100, 1000)
QUICK = (20, 200)
MOST_SECONDS = 60
"""CPU that 1,000 specs may take, on one core."""
MOST_START = 0.7
"""Seconds from the command to its end, for one spec."""
MOST_GROWTH = 1.25
"""How much dearer a spec may be among ten times as many."""

SCRIPT = """
import json, sys, time
from pathlib import Path
from framework.validation.validate import validate

begun = time.process_time()
report = validate([Path(sys.argv[1])])
print(json.dumps({"files": len(report.files), "problems": len(report.problems), "cpu": time.process_time() - begun}))
"""


def run(counts: tuple[int, int], rounds: int) -> None:
    """Measures and prints."""
    few, many = (_cpu(count) for count in counts)
    for count, seconds in zip(counts, (few, many), strict=True):
        each = 1000 * seconds / count
        print(
            f"  {count:>5} specs of {TABLES} tables and {MARTS} marts: {seconds:6.2f} s of CPU, {each:5.1f} ms a spec"
        )
    start = median(_start() for _ in range(rounds))
    print(f"  one spec, from the command to its end: {start:.2f} s (median of {rounds})")
    growth = (many / counts[1]) / (few / counts[0])
    print(f"required: {MOST_SECONDS} s for 1,000 specs: {_held(1000 * many / counts[1] <= MOST_SECONDS)}")
    print(f"required: {MOST_START} s to start: {_held(start <= MOST_START)}")
    print(f"required: linear within {MOST_GROWTH}: {growth:.2f} times as much a spec: {_held(growth <= MOST_GROWTH)}")


def _held(holds: bool) -> str:
    return "holds" if holds else "DOES NOT HOLD"


def _cpu(count: int) -> float:
    with tempfile.TemporaryDirectory() as directory:
        _write(Path(directory), count)
        done = subprocess.run([sys.executable, "-c", SCRIPT, directory], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    if found["files"] != count or found["problems"]:
        raise RuntimeError(f"{found} of {count} specs that are right")
    return float(found["cpu"])


def _write(directory: Path, count: int) -> None:
    for number in range(count):
        text = spec(f"s{number}").replace("target: my", f"target: my{number}")
        (directory / f"s{number}.yaml").write_text(text)


def _start() -> float:
    with tempfile.TemporaryDirectory() as directory:
        _write(Path(directory), 1)
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-m", "framework", "validate", directory], capture_output=True, check=True)
        return time.perf_counter() - begun
