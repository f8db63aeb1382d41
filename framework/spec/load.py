"""A spec file becomes a `Spec`, or problems that say where and why not."""

from __future__ import annotations

import os
from collections.abc import Mapping as Environment
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from framework.diagnostics import Problem
from framework.errors import UsageError
from framework.spec.document import Document, parse_document, read_document
from framework.spec.explained import explain
from framework.spec.models import Spec
from framework.spec.nodes import Mapping
from framework.spec.partial import Partial, salvage
from framework.spec.values import Values

EXTENSION = "x-"
"""Top-level keys that begin with this are ignored: a home for anchors."""


@dataclass(frozen=True)
class Loaded:
    """What a file gave: ``spec`` if its structure is right, else ``problems``. Meaning is not checked yet.

    Attributes:
        partial: what can be judged of a spec whose structure is wrong.
    """

    spec: Spec | None
    problems: tuple[Problem, ...]
    document: Document
    partial: Partial | None = None

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of the file, for `framework.diagnostics.render`."""
        return self.document.lines


def load_spec(path: Path, environ: Environment[str, str] = os.environ) -> Loaded:
    """Read a spec file.

    Raises:
        UsageError: the file cannot be opened.
    """
    return _load(open_document(path), environ)


def parse_spec(text: str, path: Path, environ: Environment[str, str] = os.environ) -> Loaded:
    """Read the text of a spec; ``path`` names it in problems."""
    return _load(parse_document(text, path), environ)


def open_document(path: Path) -> Document:
    """Read a YAML file.

    Raises:
        UsageError: the file cannot be opened.
    """
    try:
        return read_document(path)
    except FileNotFoundError:
        raise UsageError(f"there is no file {str(path)!r}", "check the path") from None
    except IsADirectoryError:
        raise UsageError(f"{str(path)!r} is a directory", "name one spec file") from None
    except OSError as error:
        raise UsageError(f"{str(path)!r} cannot be read: {error.strerror}", "check its permissions") from None


def _load(document: Document, environ: Environment[str, str]) -> Loaded:
    if document.root is None:
        return Loaded(None, document.problems, document)
    values = Values(document, environ)
    data = values.of(_without_extensions(document.root))
    try:
        spec, found = Spec.model_validate(data), []
    except ValidationError as error:
        spec, found = None, explain(error, document, Spec, (*document.problems, *values.problems))
    found = [problem for problem in found if not _missing_in_a_hole(problem, document)]
    problems = sorted([*document.problems, *values.problems, *found], key=lambda problem: problem.position)
    if not problems:
        return Loaded(spec, (), document)
    return Loaded(None, tuple(problems), document, salvage(data, document, (*document.problems, *values.problems)))


def _missing_in_a_hole(problem: Problem, document: Document) -> bool:
    """Whether something is missing only because it stood where the text is no YAML."""
    if problem.rule not in ("missing-key", "empty", "nothing-chosen", "wrong-type"):
        return False
    return any(
        problem.position.line in hole.above or (hole.indent == 0 and problem.rule == "missing-key")
        for hole in document.holes
    )


def _without_extensions(root: Mapping) -> Mapping:
    kept = {key: entry for key, entry in root.entries.items() if not key.startswith(EXTENSION)}
    return Mapping(kept, root.span)
