"""The fixture specs, and the problems each is expected to have, written in a `.txt` beside it.

`VITRINA_UPDATE_GOLDEN=1 pytest tests/spec` writes these anew; read the difference before you keep it.
"""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).parent / "fixtures"
VALID = sorted((HERE / "valid").glob("*.yaml"))
INVALID = sorted((HERE / "invalid").glob("*.yaml"))
STORIES = Path(__file__).parent / "stories"
SEMANTIC = sorted((HERE / "semantic").glob("*.yaml"))


def name(path: Path) -> str:
    return path.stem


def assert_golden(path: Path, rendered: list[str]) -> None:
    """The problems of a fixture are those in its golden file."""
    assert_golden_text(path.with_suffix(".txt"), "\n\n".join(rendered).replace(str(path), path.name))


def assert_golden_text(golden: Path, found: str) -> None:
    """A text is that of its golden file."""
    if os.environ.get("VITRINA_UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(found + "\n", encoding="utf-8")
    assert found + "\n" == golden.read_text(encoding="utf-8")
