"""The fixture specs, and the problems each is expected to have, written in a `.txt` beside it.

`VITRINA_UPDATE_GOLDEN=1 pytest tests/spec` writes these anew; read the difference before you keep it.
"""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).parent / "fixtures"
VALID = sorted((HERE / "valid").glob("*.yaml"))
INVALID = sorted((HERE / "invalid").glob("*.yaml"))
SEMANTIC = sorted((HERE / "semantic").glob("*.yaml"))


def name(path: Path) -> str:
    return path.stem


def assert_golden(path: Path, rendered: list[str]) -> None:
    """The problems of a fixture are those in its golden file."""
    golden = path.with_suffix(".txt")
    found = "\n\n".join(rendered).replace(str(path), path.name) + "\n"
    if os.environ.get("VITRINA_UPDATE_GOLDEN"):
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")
