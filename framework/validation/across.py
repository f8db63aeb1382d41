"""What only several specs together can have wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from framework.diagnostics import Problem, Severity, closest, source_lines
from framework.spec.document import Document
from framework.spec.load import Loaded
from framework.spec.models import Spec
from framework.validation.files import specs_below
from framework.validation.places import problem_at, related_at

_PIPELINE = re.compile(r"^pipeline:\s*['\"]?(?P<name>\w+)", re.MULTILINE)


def problems_across(files: Sequence[Loaded]) -> Iterator[Problem]:
    """The problems of files that are each right by itself."""
    sound = [(loaded.spec, loaded.document) for loaded in files if loaded.spec is not None]
    yield from _same_pipeline(sound)
    yield from _same_table(sound)
    yield from _circles(sound)
    yield from _unknown_after(sound)


def _same_pipeline(specs: Sequence[tuple[Spec, Document]]) -> Iterator[Problem]:
    first: dict[str, Document] = {}
    for spec, document in specs:
        other = first.setdefault(spec.pipeline, document)
        if other is not document:
            message = f"a pipeline is called {spec.pipeline!r} in {other.path} already"
            related = related_at(other, ("pipeline",), "declared here")
            yield problem_at(document, ("pipeline",), "same-pipeline", message, "give it another name", related=related)


def _same_table(specs: Sequence[tuple[Spec, Document]]) -> Iterator[Problem]:
    """Two pipelines that write one table would undo each other's work."""
    first: dict[tuple[str, str], tuple[Document, tuple[str, str]]] = {}
    for spec, document in specs:
        for section, tables in (("replicate", spec.replicate), ("marts", spec.marts)):
            for table in tables:
                other, loc = first.setdefault((spec.target, table), (document, (section, table)))
                if other is not document:
                    message = f"the table {table!r} of {spec.target!r} is made by {other.path} already"
                    related = related_at(other, loc, "made here")
                    advice = "give one of them another name, or another target"
                    yield problem_at(
                        document, (section, table), "same-table", message, advice, on_key=True, related=related
                    )


def _circles(specs: Sequence[tuple[Spec, Document]]) -> Iterator[Problem]:
    """Pipelines that wait for each other: none of them would ever run."""
    waits = {spec.pipeline: spec.after or () for spec, _ in specs}
    for spec, document in specs:
        for place, first in enumerate(spec.after or ()):
            # A pipeline that waits for itself is told by a rule.
            if first != spec.pipeline and (path := _path_back(spec.pipeline, first, waits)) is not None:
                message = f"these pipelines wait for each other: {' -> '.join((spec.pipeline, *path))}"
                yield problem_at(document, ("after", place), "after-circle", message, "give one of them a `schedule`")


def _path_back(name: str, first: str, waits: dict[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    """From ``first`` along what is waited for to ``name``; None if it is not reached."""
    seen: set[str] = set()
    ways: list[tuple[str, ...]] = [(first,)]
    while ways:
        way = ways.pop()
        if way[-1] == name:
            return way
        behind = waits.get(way[-1], ()) if way[-1] not in seen else ()
        seen.add(way[-1])
        ways += [(*way, after) for after in reversed(behind)]
    return None


def _unknown_after(specs: Sequence[tuple[Spec, Document]]) -> Iterator[Problem]:
    """What a pipeline waits for is among the specs, or in a file beside it."""
    known = {spec.pipeline for spec, _ in specs}

    @cache
    def beside(directory: Path) -> frozenset[str]:
        texts = ("\n".join(source_lines(path)) for path in specs_below(directory))
        return frozenset(match["name"] for text in texts if (match := _PIPELINE.search(text)))

    for spec, document in specs:
        for place, name in enumerate(spec.after or ()):
            if name not in known and name not in (others := beside(document.path.parent)):
                message = f"no spec here is the pipeline {name!r}; without it, this one never runs"
                near = closest(name, sorted((known | others) - {spec.pipeline}))
                advice = (
                    f"did you mean {near!r}?" if near else "correct the name; if it is elsewhere, switch the rule off"
                )
                yield problem_at(
                    document, ("after", place), "unknown-after", message, advice, severity=Severity.WARNING
                )
