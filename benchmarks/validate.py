"""What checking specs costs: CPU a spec, among few files and among ten times as many."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.parse import MARTS, TABLES, spec
from benchmarks.result import Result
from benchmarks.rounds import alternately
from benchmarks.scenario import Scenario, Size
from tests.services import Server

MOST_MILLISECONDS = 60
"""CPU a spec, on one core: a minute for 1,000."""
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


def run(_: Server, __: Server, specs: int, rounds: int) -> Iterator[Result]:
    """Milliseconds of CPU a spec; no database is asked."""
    few, many = specs // 10, specs
    took = alternately({"few": partial(_milliseconds, few), "many": partial(_milliseconds, many)}, rounds)
    what, note = f"check of a spec among {many:,}, CPU", f"{TABLES} tables and {MARTS} marts each"
    yield Result(what, took["many"], unit="ms", at_most=MOST_MILLISECONDS, note=note)
    yield Result(what, took["many"], "ms", against=f"among {few:,}", theirs=took["few"], at_least=1 / MOST_GROWTH)


def _milliseconds(count: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            text = spec(f"s{number}").replace("target: my", f"target: my{number}")
            (Path(folder) / f"s{number}.yaml").write_text(text)
        done = subprocess.run([sys.executable, "-c", SCRIPT, folder], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    if found["files"] != count or found["problems"]:
        raise RuntimeError(f"{found} of {count} specs that are right")
    return 1000 * float(found["cpu"]) / count


SCENARIO = Scenario(run, full=(Size(1_000, 2),), quick=Size(20), unit="specs")
