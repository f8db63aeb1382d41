"""Rules that a project switches off for some of its files, in pyproject.toml."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import Field, Strict, ValidationError

from framework.diagnostics import Position, Problem, Severity
from framework.errors import UsageError
from framework.spec.shapes import Model, Name
from framework.validation.stories import closest_rule, rule_ids

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # the same library, before it came with Python

FILE = "pyproject.toml"
_HEADER = re.compile(r"^[ \t]*\[\[[ \t]*tool\.vitrina\.ignore[ \t]*\]\]", re.MULTILINE)


class Ignore(Model):
    """A rule that some files need not follow."""

    rule: Name
    files: Annotated[tuple[Name, ...], Strict(False), Field(min_length=1)]
    reason: Name


class Settings(Model):
    """The table ``tool.vitrina``."""

    ignore: Annotated[tuple[Ignore, ...], Strict(False)] = ()


@dataclass
class Project:
    """A pyproject.toml with switches."""

    path: Path
    text: str
    ignored: tuple[Ignore, ...]
    used: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)

    @cached_property
    def files(self) -> list[frozenset[Path]]:
        """The files that each switch is for."""
        directory = self.path.parent
        return [
            frozenset(found.resolve() for pattern in ignored.files for found in directory.glob(pattern))
            for ignored in self.ignored
        ]

    def problem(self, number: int, rule: str, message: str, suggestion: str) -> Problem:
        """A problem with the switch of that number."""
        headers = list(_HEADER.finditer(self.text))
        line = self.text[: headers[number].start()].count("\n") + 1 if number < len(headers) else 1
        return Problem(self.path, Position(line, 1), rule, message, suggestion, 1, Severity.WARNING)


@dataclass
class Projects:
    """The projects of some files: of each file, the nearest pyproject.toml above it."""

    _of_directory: dict[Path, Project | None] = field(default_factory=dict)

    def switch_off(self, problem: Problem, *, allowed: bool) -> bool:
        """Whether the file's project does not want to hear of a problem, and may. Raises UsageError."""
        path = problem.path.resolve()
        found = self._of(path.parent)
        for number, ignored in enumerate(found.ignored if found else ()):
            if found is not None and ignored.rule == problem.rule and path in found.files[number]:
                found.used.add(number)
                if not allowed:
                    found.refused.add(number)
                return allowed
        return False

    def unused(self, files: Sequence[Path]) -> Iterator[Problem]:
        """Switches that nothing needs, as far as ``files`` are all they are for. Raises UsageError."""
        checked = {file.resolve() for file in files}
        projects = {found.path: found for file in checked if (found := self._of(file.parent)) is not None}
        for found in projects.values():
            for number, ignored in enumerate(found.ignored):
                if ignored.rule not in rule_ids():
                    message = f"there is no rule {ignored.rule!r}"
                    yield found.problem(number, "bad-switch", message, closest_rule(ignored.rule))
                elif number in found.refused:
                    message = f"{ignored.rule!r} is an error and stays one: the spec cannot run as it is"
                    yield found.problem(number, "switch-for-error", message, "correct the specs")
                elif not found.files[number]:
                    advice = f"paths begin at {found.path.parent}"
                    message = f"no file matches {' or '.join(ignored.files)}"
                    yield found.problem(number, "unused-switch", message, advice)
                elif number not in found.used and found.files[number] <= checked:
                    message = f"nothing breaks {ignored.rule!r} in {' or '.join(ignored.files)}"
                    yield found.problem(number, "unused-switch", message, "remove the entry")

    def _of(self, directory: Path) -> Project | None:
        if directory not in self._of_directory:
            file = directory / FILE
            found = _read(file) if file.is_file() else None
            above = directory.parent
            self._of_directory[directory] = found or (self._of(above) if above != directory else None)
        return self._of_directory[directory]


def _read(path: Path) -> Project | None:
    """The switches of a pyproject.toml; None if it has no table ``tool.vitrina``."""
    try:
        text = path.read_text(encoding="utf-8")
        tables = tomllib.loads(text).get("tool", {}).get("vitrina")
    except (OSError, ValueError) as error:
        raise UsageError(f"{str(path)!r} cannot be read: {error}", "correct it") from None
    if tables is None:
        return None
    try:
        return Project(path, text, Settings.model_validate(tables).ignore)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(["tool.vitrina", *map(str, first["loc"])])
        advice = 'write [[tool.vitrina.ignore]] with rule = "...", files = ["specs/*.yaml"] and reason = "..."'
        raise UsageError(f"{str(path)!r} is not right at {place}: {first['msg']}", advice) from None
