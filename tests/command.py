"""The command as its user runs it: a process of its own, with the connections of a test's databases."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
Done = subprocess.CompletedProcess[str]


class Command:
    """Runs ``vitrina`` and demands an exit code (None: any); a traceback fails any test."""

    def __init__(self, cwd: Path = ROOT, **environ: str) -> None:
        self.cwd = cwd
        self.environ = {**os.environ, "COLUMNS": "200", **environ}

    def __call__(self, *arguments: str, code: int | None = 0, **environ: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "framework", *arguments],
            cwd=self.cwd,
            env={**self.environ, "PYTHONPATH": str(ROOT), **environ},
            capture_output=True,
            text=True,
            timeout=300,
        )
        said = f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, said
        assert code is None or done.returncode == code, said
        return done
