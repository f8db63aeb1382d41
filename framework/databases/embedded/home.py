"""Where the embedded databases keep their data."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "VITRINA_HOME"
DIRECTORY = ".vitrina"


def home() -> Path:
    """The directory that ``VITRINA_HOME`` names, else ``.vitrina`` in the current directory. It need not exist."""
    return Path(os.environ.get(VARIABLE) or DIRECTORY).absolute()
