"""What parsing costs Airflow's DAG processor: specs of 10 tables and 5 marts, loaded, checked and made DAGs.

In a process of its own, as the DAG processor forks one for each parse. Airflow's own serialization is told apart.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.result import Result
from benchmarks.scenario import Scenario, Size
from tests.services import Server

TABLES = 10
MARTS = 5
JUDGED = 50
MOST_MILLISECONDS = 100
"""CPU time a spec may take, for so many specs."""

SCRIPT = """
import json, sys, time
from pathlib import Path
from airflow.serialization.serialized_objects import DagSerialization
from framework.airflow import load_dags

begun = time.process_time()
dags = load_dags(Path(sys.argv[1]))
parsed = time.process_time()
for dag in dags.values():
    DagSerialization.to_dict(dag)
serialized = time.process_time()
print(json.dumps({"dags": len(dags), "parse": parsed - begun, "serialize": serialized - parsed}))
"""


def run(_: Server, __: Server, specs: int, rounds: int) -> Iterator[Result]:
    """Milliseconds of CPU a spec; no database is asked."""
    found = [measure(specs) for _ in range(rounds)]
    parse, serialize = (tuple(1000 * taken[key] / specs for taken in found) for key in ("parse", "serialize"))
    what, most = f"DAG of a spec among {specs:,}, CPU", MOST_MILLISECONDS if specs == JUDGED else None
    yield Result(what, parse, unit="ms", at_most=most)
    yield Result(f"{what} of Airflow", serialize, unit="ms", note="its serialization")


def measure(count: int) -> dict[str, Any]:
    """CPU seconds of a parse. Raises RuntimeError if a spec became no DAG."""
    with tempfile.TemporaryDirectory() as home:
        specs = Path(home) / "specs"
        specs.mkdir()
        for number in range(count):
            (specs / f"s{number}.yaml").write_text(spec(f"s{number}"))
        environ = {"AIRFLOW_HOME": home, "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "PATH": "/usr/bin:/bin"}
        command, root = [sys.executable, "-c", SCRIPT, str(specs)], Path(__file__).parents[1]
        done = subprocess.run(command, env=environ, cwd=root, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if found["dags"] != count:
        raise RuntimeError(f"{found['dags']} of {count} specs became DAGs")
    return found


def spec(name: str) -> str:
    """A spec of 10 generated tables, their copies, and 5 marts."""
    lines = [f"version: 1\npipeline: {name}\nsource: pg\ntarget: my\nschedule: '@hourly'"]
    lines.append("defaults: {replicate: {mode: incremental, cursor: updated_at}}\nentities:")
    for table in range(TABLES):
        lines.append(f"  t{table}:\n    rows: 1000\n    columns:")
        lines.append("      id: {type: bigint, primary_key: true, fake: sequence}")
        lines.append("      email: {type: varchar(120), unique: true, fake: email}")
        lines.append("      name: {type: varchar(120), nulls: 5%, fake: name}")
        lines.append("      amount: {type: 'numeric(12,2)', fake: {lognormal: {mean: 3, sigma: 1, min: 1}}}")
        lines.append("      state: {type: varchar(9), fake: {choice: {new: 1, paid: 5}}}")
        lines.append("      updated_at: {type: timestamptz, index: true, fake: {datetime: {from: -1y, to: now}}}")
    lines.append("replicate:")
    lines += [f"  t{table}: {{checks: [{{not_null: [email]}}]}}" for table in range(TABLES)]
    lines.append("marts:")
    for mart in range(MARTS):
        lines.append(
            f"  m{mart}:\n    query: SELECT a.state, COUNT(*) AS n, SUM(b.amount) AS amount FROM t{mart} a "
            f"JOIN t{mart + 5} b ON a.id = b.id GROUP BY a.state\n    checks: [{{unique: [state]}}]"
        )
    return "\n".join(lines) + "\n"


SCENARIO = Scenario(run, full=(Size(1, 3), Size(JUDGED, 3), Size(500)), quick=Size(2), unit="specs")
