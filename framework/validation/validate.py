"""Specs and connections files checked as a whole, without a database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as Environment
from dataclasses import dataclass
from pathlib import Path

from framework.diagnostics import Problem, only_errors
from framework.errors import SpecInvalid
from framework.spec import connections
from framework.spec.load import Loaded, load_spec
from framework.spec.models import Spec
from framework.validation.across import problems_across
from framework.validation.beside import Beside
from framework.validation.check import check
from framework.validation.files import spec_files
from framework.validation.rules import RULES
from framework.validation.secrets import secrets
from framework.validation.switches import Switches


@dataclass(frozen=True)
class Report:
    """What was found in some files.

    Attributes:
        files: the files that were read.
        problems: in the order of files and lines.
        switched_off: how many more problems there are that the authors chose not to hear of.
    """

    files: tuple[Path, ...]
    problems: tuple[Problem, ...]
    switched_off: int = 0


MoreProblems = Callable[[Loaded], Iterable[Problem]]
"""Asks somebody else about a spec without errors."""


def validate(
    paths: Sequence[Path], environ: Environment[str, str] = os.environ, more: MoreProblems | None = None
) -> Report:
    """Check files, and all YAML files of directories. ``more`` is asked about specs that could run.

    Raises:
        UsageError: a path does not exist, or a directory holds no spec.
    """
    files = spec_files(paths)
    beside, switches = Beside(environ), Switches()
    problems: list[Problem] = []
    specs: list[Loaded] = []
    for file in files:
        if file.name == connections.FILE:
            problems += beside.problems_of_file(file)
            switches.read(beside.document(file))
            continue
        loaded = load_spec(file, environ)
        found = _problems_of(loaded, beside, connections_elsewhere=False)
        problems += found
        if more is not None and loaded.spec is not None and not only_errors(found):
            problems += more(loaded)
        switches.read(loaded.document)
        specs.append(loaded)
    problems += problems_across(specs)
    kept = switches.applied(problems)
    switched_off = len(problems) - len(kept)
    if more is not None:  # the database has declared what the spec does not
        kept = tuple(problem for problem in kept if problem.rule != "undeclared-table")
    left = [*kept, *switches.problems(files)]
    return Report(tuple(files), _ordered(left, files), switched_off)


def load_sound(path: Path, environ: Environment[str, str] = os.environ, *, connections_elsewhere: bool = False) -> Spec:
    """A spec that can run.

    With ``connections_elsewhere``, connections may be known to others than the connections file.

    Raises:
        SpecInvalid: it has errors.
        UsageError: the file cannot be opened.
    """
    loaded = load_spec(path, environ)
    switches = Switches()
    problems = only_errors(_problems_of(loaded, Beside(environ), connections_elsewhere=connections_elsewhere))
    if problems:
        switches.read(loaded.document)
        problems = switches.applied(problems)
    if problems or loaded.spec is None:
        raise SpecInvalid(problems)
    return loaded.spec


def _problems_of(loaded: Loaded, beside: Beside, *, connections_elsewhere: bool) -> list[Problem]:
    found = [*loaded.problems, *check(loaded, RULES), *secrets(loaded.document)]
    if loaded.spec is not None:
        found += beside.problems_of_spec(loaded.spec, loaded.document, connections_elsewhere=connections_elsewhere)
    return sorted(found, key=lambda problem: problem.position)


def _ordered(problems: Iterable[Problem], files: Sequence[Path]) -> tuple[Problem, ...]:
    """In the order of files and lines; other files, such as pyproject.toml, come last."""
    order = {file: place for place, file in enumerate(files)}
    return tuple(sorted(problems, key=lambda found: (order.get(found.path, len(order)), found.position)))
