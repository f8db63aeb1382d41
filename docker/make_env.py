"""`make_env.py EXAMPLE ENV`: copies the example, with a random secret wherever one is empty.

A file that is there keeps what it says, since its passwords are those of existing volumes; what a newer example has
beside it is added. Only its owner can read the file. Runs on the system's Python: nothing is installed yet when
`make up` calls it.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import sys
from pathlib import Path

EMPTY = re.compile(r"(?m)^\w+_(?P<kind>PASSWORD|KEY|SECRET)=$")
NAME = re.compile(r"(?m)^(\w+)=")


def filled(example: str) -> str:
    """The example with its empty secrets filled in, by characters that need no quoting in a URL or a shell."""
    return EMPTY.sub(lambda empty: empty[0] + _secret(empty["kind"]), example)


def added(known: str, example: str) -> str:
    """The lines of the example whose names ``known`` does not have."""
    names = set(NAME.findall(known))
    missing = [line for line in example.splitlines() if (name := NAME.match(line)) and name[1] not in names]
    return "".join(f"{line}\n" for line in missing)


def _secret(kind: str) -> str:
    # A Fernet key (Airflow's encryption of connections) is 32 bytes in URL-safe base64.
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode() if kind == "KEY" else secrets.token_hex(32)


def main(example: Path, env: Path) -> None:
    """Make the file, or complete it."""
    text, mode = example.read_text(encoding="utf-8"), os.O_EXCL
    if env.exists():
        text, mode = added(env.read_text(encoding="utf-8"), text), os.O_APPEND
    descriptor = os.open(env, os.O_WRONLY | os.O_CREAT | mode, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        file.write(filled(text))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
