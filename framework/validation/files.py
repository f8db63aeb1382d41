"""Which files are specs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from framework.errors import UsageError
from framework.spec import connections

SUFFIXES = (".yaml", ".yml")


def spec_files(paths: Sequence[Path]) -> list[Path]:
    """The files, and all YAML files of directories, each once; before them the connections files beside them.

    Raises:
        UsageError: a path does not exist, or a directory holds no spec.
    """
    return _with_connections(list(_named(paths)))


def specs_below(directory: Path) -> list[Path]:
    """All YAML files of a directory, hidden ones apart."""
    return sorted(
        path
        for path in directory.rglob("*")
        if path.suffix in SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(directory).parts)
    )


def _named(paths: Sequence[Path]) -> Iterator[Path]:
    seen: set[Path] = set()
    for path in paths:
        if path.is_dir():
            found = specs_below(path)
        elif path.exists():
            found = [path]
        else:
            raise UsageError(f"there is no file or directory {str(path)!r}", "check the path")
        if not found:
            raise UsageError(f"there is no spec in {str(path)!r}", "specs end in .yaml or .yml")
        for file in found:
            if file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def _with_connections(files: Sequence[Path]) -> list[Path]:
    """The files, and before them the connections files of their directories that were not named."""
    beside = dict.fromkeys(file.parent / connections.FILE for file in files)
    known = {file.resolve() for file in files}
    return [*(path for path in beside if path.is_file() and path.resolve() not in known), *files]
