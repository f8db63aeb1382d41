"""`make_env.py EXAMPLE ENV`: copies the example, with a random password wherever one is empty.

Only its owner can read the new file. Runs on the system's Python: nothing is installed yet when `make up` calls it.
"""

from __future__ import annotations

import os
import re
import secrets
import sys
from pathlib import Path


def filled(example: str) -> str:
    """The example with its empty passwords filled in, by characters that need no quoting in a URL or a shell."""
    return re.sub(r"(?m)^\w+_PASSWORD=$", lambda empty: empty[0] + secrets.token_hex(16), example)


def main(example: Path, env: Path) -> None:
    """Raises FileExistsError where there is a file already: its passwords are those of existing volumes."""
    descriptor = os.open(env, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(filled(example.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
