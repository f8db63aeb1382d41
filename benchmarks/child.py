"""Work in a process of its own, so that its memory can be told from the benchmark's."""

from __future__ import annotations

import importlib
import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Measured:
    """What some work took. `seconds` is without the start of Python; `cpu` is Python's; `peak_memory` is in bytes."""

    rows: int
    seconds: float
    cpu: float
    peak_memory: int


def measured(work: Callable[..., int], **arguments: Any) -> Measured:
    """Calls a function of a module, which returns the rows it wrote. Raises CalledProcessError if it failed."""
    order = json.dumps([work.__module__, work.__name__, arguments])
    child = subprocess.run(
        [sys.executable, "-m", "benchmarks.child"], input=order, stdout=subprocess.PIPE, text=True, check=True
    )
    return Measured(**json.loads(child.stdout))


def peak_memory() -> int:
    """Of this process, since its start."""
    status = Path("/proc/self/status")
    if status.exists():
        # getrusage() also counts the process that started this one, as it was before exec().
        return int(re.findall(r"^VmHWM:\s+(\d+) kB", status.read_text(), re.MULTILINE)[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def _main() -> None:
    module, name, arguments = json.load(sys.stdin)
    work = getattr(importlib.import_module(module), name)
    begun, cpu = time.perf_counter(), time.process_time()
    rows = work(**arguments)
    seconds, spent = time.perf_counter() - begun, time.process_time() - cpu
    print(json.dumps(asdict(Measured(rows, seconds, spent, peak_memory()))))


if __name__ == "__main__":
    _main()
