"""Specs and connections files checked as a whole, without a database."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as Environment
from dataclasses import dataclass
from pathlib import Path

from framework.diagnostics import Problem, did_you_mean, render, source_lines
from framework.errors import UsageError
from framework.spec import connections
from framework.spec.checks import RULES, Finding, Rule
from framework.spec.document import Document
from framework.spec.load import Loaded, load_spec
from framework.spec.models import Spec
from framework.spec.nodes import Place, Scalar, Span, find, span_within

SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Report:
    """What was found in some files.

    Attributes:
        files: how many files were read.
        problems: in the order of files and lines.
    """

    files: int
    problems: tuple[Problem, ...]

    def rendered(self) -> list[str]:
        """The problems as text, each with its source line."""
        return render_all(self.problems)


def validate(paths: Sequence[Path], environ: Environment[str, str] = os.environ, more: Sequence[Rule] = ()) -> Report:
    """Check files, and all YAML files of directories. ``more`` are rules beside `RULES`.

    Raises:
        UsageError: a path does not exist, or a directory holds no spec.
    """
    files = list(_files(paths))
    problems: list[Problem] = []
    pipelines: dict[str, Path] = {}
    sound: list[Loaded] = []
    ordered = _with_connections(files)
    for file in ordered:
        if file.name == connections.FILE:
            problems += connections.check_connections(connections.load_connections(file), environ)
            continue
        loaded = load_spec(file, environ)
        problems += _all_problems(loaded, environ, more)
        problems += _same_pipeline(loaded, pipelines)
        sound.append(loaded)
    problems += _after_circles(sound)
    order = {file: place for place, file in enumerate(ordered)}
    return Report(len(files), tuple(sorted(problems, key=lambda problem: (order[problem.path], problem.position))))


def load_checked(
    path: Path,
    environ: Environment[str, str] = os.environ,
    more: Sequence[Rule] = (),
    *,
    connections_elsewhere: bool = False,
) -> tuple[Spec | None, tuple[Problem, ...]]:
    """One spec with all its problems; the spec is None if its structure is wrong.

    With ``connections_elsewhere``, connections may be known to others than the connections file.

    Raises:
        UsageError: the file cannot be opened.
    """
    loaded = load_spec(path, environ)
    return loaded.spec, tuple(_all_problems(loaded, environ, more, connections_elsewhere=connections_elsewhere))


def check(loaded: Loaded, rules: Iterable[Rule] = RULES) -> tuple[Problem, ...]:
    """What the rules find in a spec whose structure is right, each at its place."""
    document = loaded.document
    if loaded.spec is None or document.root is None:
        return ()
    problems = []
    for rule in rules:
        for finding in rule.find(loaded.spec):
            place = find(document.root, finding.loc)
            span = _span_of(place, finding, loaded.lines)
            problems.append(document.problem(span, finding.rule or rule.id, finding.message, finding.suggestion))
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: problem.position))


def render_all(problems: Iterable[Problem]) -> list[str]:
    """Problems as text, each with its source line read from its file."""
    lines: dict[Path, tuple[str, ...]] = {}
    rendered = []
    for problem in problems:
        if problem.path not in lines:
            lines[problem.path] = source_lines(problem.path)
        rendered.append(render(problem, lines[problem.path]))
    return rendered


def _all_problems(
    loaded: Loaded, environ: Environment[str, str], more: Sequence[Rule], *, connections_elsewhere: bool = False
) -> list[Problem]:
    if loaded.spec is None:
        return list(loaded.problems)
    found = [*check(loaded, (*RULES, *more))]
    beside = loaded.document.path.parent / connections.FILE
    if beside.is_file():
        file = connections.load_connections(beside)
        found += _unknown_notify(loaded.spec, loaded.document, file)
        if not connections_elsewhere:
            found += _unknown_connections(loaded.spec, loaded.document, file, environ)
    return sorted(found, key=lambda problem: problem.position)


def _unknown_connections(
    spec: Spec, document: Document, file: connections.ConnectionsFile, environ: Environment[str, str]
) -> Iterator[Problem]:
    """Names that neither the connections file beside the spec nor the environment knows."""
    names = file.names
    for key, name in (("source", spec.source), ("target", spec.target)):
        if names and name not in names and connections.variable_of(name) not in environ:
            message = f"{connections.FILE} has no connection {name!r}"
            yield document.problem(
                _span(document, key), "unknown-connection", message, did_you_mean(name, sorted(names))
            )


def _unknown_notify(spec: Spec, document: Document, file: connections.ConnectionsFile) -> Iterator[Problem]:
    """Who is to be told of failures must be known to the connections file beside the spec."""
    content = file.content
    if spec.on_failure is None or content is None or spec.on_failure.notify in content.notify:
        return
    name = spec.on_failure.notify
    assert document.root is not None
    span = find(document.root, ("on_failure", "notify")).node.span
    advice = did_you_mean(name, sorted(content.notify)) or f"add `notify: {{{name}: {{webhook: ...}}}}` to it"
    yield document.problem(span, "unknown-notify", f"{connections.FILE} does not know {name!r}", advice)


def _same_pipeline(loaded: Loaded, pipelines: dict[str, Path]) -> Iterator[Problem]:
    if loaded.spec is None:
        return
    first = pipelines.setdefault(loaded.spec.pipeline, loaded.document.path)
    if first != loaded.document.path:
        message = f"the pipeline {loaded.spec.pipeline!r} is in {first} already"
        span = _span(loaded.document, "pipeline")
        yield loaded.document.problem(span, "same-pipeline", message, "give it another name")


def _after_circles(files: Sequence[Loaded]) -> Iterator[Problem]:
    """Pipelines that wait for each other: none of them would ever run. What is not among the files is not judged."""
    waits = {loaded.spec.pipeline: loaded for loaded in files if loaded.spec is not None and loaded.spec.after}
    for name, loaded in waits.items():
        assert loaded.spec is not None
        for place, first in enumerate(loaded.spec.after or ()):
            # A pipeline that waits for itself is told by a rule.
            if first != name and (path := _path_back(name, first, waits)) is not None:
                assert loaded.document.root is not None
                span = find(loaded.document.root, ("after", place)).node.span
                message = f"these pipelines wait for each other: {' -> '.join((name, *path))}"
                yield loaded.document.problem(span, "after-circle", message, "give one of them a `schedule`")


def _path_back(name: str, first: str, waits: dict[str, Loaded]) -> tuple[str, ...] | None:
    """From ``first`` along what is waited for to ``name``; None if it is not reached."""
    seen: set[str] = set()
    ways: list[tuple[str, ...]] = [(first,)]
    while ways:
        way = ways.pop()
        if way[-1] == name:
            return way
        spec = waits[way[-1]].spec if way[-1] in waits and way[-1] not in seen else None
        seen.add(way[-1])
        ways += [(*way, after) for after in reversed(spec.after or ())] if spec else []
    return None


def _span_of(place: Place, finding: Finding, lines: Sequence[str]) -> Span:
    """The key, where the finding is about it or about what is not written; else the value, or a part of it."""
    if finding.within is not None and place.ended and isinstance(place.node, Scalar):
        return span_within(place.node, lines, *finding.within)
    unwritten = not place.ended and not isinstance(place.node, Scalar)
    return place.key if place.key and (finding.on_key or unwritten) else place.node.span


def _span(document: Document, key: str) -> Span:
    assert document.root is not None
    return find(document.root, (key,)).node.span


def _with_connections(files: Sequence[Path]) -> list[Path]:
    """The files, and before them the connections files of their directories that were not named."""
    beside = dict.fromkeys(file.parent / connections.FILE for file in files)
    known = {file.resolve() for file in files}
    return [*(path for path in beside if path.is_file() and path.resolve() not in known), *files]


def _files(paths: Sequence[Path]) -> Iterator[Path]:
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


def specs_below(directory: Path) -> list[Path]:
    """All YAML files of a directory, hidden ones apart."""
    return sorted(
        path
        for path in directory.rglob("*")
        if path.suffix in SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(directory).parts)
    )
