"""The command as its user runs it: a process of its own, with the connections of a test's databases."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import forked

ROOT = Path(__file__).parent.parent
SECONDS = 300
Done = subprocess.CompletedProcess[str]


class Command:
    """Runs ``vitrina`` and demands an exit code (None: any); a traceback fails any test."""

    def __init__(self, cwd: Path = ROOT, **environ: str) -> None:
        self.cwd = cwd
        self.environ = {**os.environ, "COLUMNS": "200", **environ}

    def __call__(self, *arguments: str, code: int | None = 0, **environ: str) -> Done:
        with tempfile.TemporaryDirectory() as name:
            out, err = Path(name, "out"), Path(name, "err")
            variables = {**self.environ, "PYTHONPATH": str(ROOT), **environ}
            process = forked.start(_vitrina, arguments, variables, self.cwd, out, err)
            process.join(SECONDS)
            if process.exitcode is None:
                process.kill()
                process.join()
            done = Done(("vitrina", *arguments), process.exitcode or 0, out.read_text(), err.read_text())
        said = f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, said
        assert code is None or done.returncode == code, said
        return done


def _vitrina(arguments: tuple[str, ...], environ: dict[str, str], cwd: Path, out: Path, err: Path) -> None:
    """What `python -m framework` does in a new process."""
    for number, path in ((1, out), (2, err)):
        file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(cwd)
    sys.argv = ["vitrina", *arguments]
    from framework.cli import main

    main()
