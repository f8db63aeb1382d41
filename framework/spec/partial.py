"""What can be read of a spec whose structure is wrong, so that one mistake does not hide all others.

Wrong values are cut out until the rest is a spec. What is missing by that must not be reported as missing: `Partial`
says which parts of it no judgement can rely on.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from framework.diagnostics import Problem, closest
from framework.spec import expected
from framework.spec.document import Document
from framework.spec.models import Spec
from framework.spec.nodes import find
from framework.spec.recovery import Hole, without

Path = tuple[str | int, ...]
_ROUNDS = 30
"""Cutting one value out may show another mistake; so often is enough for all that people write."""
_SECTIONS = ("entities", "replicate", "marts", "defaults")
_TIMES = ("schedule", "after", "start", "catchup", "freshness")
_NEEDED_BY = {**dict.fromkeys(_TIMES, _TIMES), "now": ("entities",)}
"""Where the absence of a key at the top may be met."""
_OF_TABLE, _IN_COLUMN = 3, 4
"""Steps of the path to a setting of a table, and to one of its columns."""
_REQUIRED: dict[str, Any] = {"version": 1, "pipeline": "unnamed", "source": "source", "target": "target"}
"""What stands in for the keys that every spec must have."""


@dataclass(frozen=True)
class Partial:
    """A spec without what is wrong with it.

    Attributes:
        cuts: the paths of what was left out.
        names: the names that may have been left out with it.
    """

    spec: Spec
    cuts: tuple[Path, ...]
    names: frozenset[str]

    def covers(self, loc: Path, message: str) -> bool:
        """Whether what was left out may be the reason for a finding."""
        if ("locale",) in self.cuts and "Faker" in message:
            return True
        return any(self._reaches(cut, loc) for cut in self.cuts) or any(f"'{name}'" in message for name in self.names)

    def _reaches(self, cut: Path, loc: Path) -> bool:
        """Whether what was cut out bears on what is found at ``loc``."""
        if cut[:1] == ("defaults",) and loc[:1] == ("replicate",):
            return True
        if loc[: len(cut)] == cut or loc == cut[: len(loc)]:
            return True
        section = cut[0] if cut else ""
        if section not in _SECTIONS:
            return loc[:1] in [(each,) for each in _NEEDED_BY.get(str(section), ())]
        if section in ("entities", "replicate") and (loc[:1] == ("marts",) or len(cut) == 1):
            return True
        if len(cut) > _IN_COLUMN and loc[:_IN_COLUMN] == cut[:_IN_COLUMN]:
            return True
        if len(cut) == _IN_COLUMN or cut[_IN_COLUMN : _IN_COLUMN + 1] == ("references",):
            return loc[:2] in self._tables(cut)
        return len(loc) <= _OF_TABLE and loc[:2] in self._tables(cut)

    def _tables(self, cut: Path) -> set[Path]:
        """The table that something was cut out of, and its copies."""
        copies = {("replicate", name) for name, own in self.spec.replicate.items() if (own.from_ or name) in cut[1:2]}
        return {cut[:2], *(copies if cut[:1] == ("entities",) else ())}


def salvage(data: dict[str, Any], document: Document, problems: Iterable[Problem]) -> Partial | None:
    """What is left of ``data``, the plain data of ``document``; None if nothing can be.

    ``problems`` are those of the text itself: of what stands there no judgement is possible, either.
    """
    rest: Any = copy.deepcopy(data)
    text = "\n".join(document.lines)
    holes = [*document.holes, *(without(text, problem.position.line)[1] for problem in problems)]
    cuts: dict[Path, frozenset[str]] = {cut: hole.names for hole in holes for cut in _cut_by(hole, document)}
    for _ in range(_ROUNDS):
        try:
            spec = Spec.model_validate(rest)
        except ValidationError as error:
            errors = error.errors(include_url=False)
            found = {_cut_of(each["type"], each["loc"], document): each for each in errors}
            for cut in sorted(found, key=len):
                names = frozenset(_names(cut, _remove(rest, cut)))
                if (meant := _meant(cut, found[cut])) is not None:
                    cuts[meant] = names
        else:
            return Partial(spec, tuple(cuts), frozenset().union(*cuts.values()))
    return None


def _cut_of(kind: str, loc: Path, document: Document) -> Path:
    """What must go so that a mistake goes. Lists go as a whole, so that the places of their items stay right."""
    assert document.root is not None
    path = (*find(document.root, loc[:-1]).path, loc[-1]) if kind == "missing" and len(loc) == 1 else None
    if path is None:
        path = find(document.root, loc).path
    numbers = [place for place, step in enumerate(path) if isinstance(step, int)]
    return path[: numbers[0]] if numbers else path


def _meant(cut: Path, error: ErrorDetails) -> Path | None:
    """What is missing after a cut: of a key that is not known the one that it may be meant for, or nothing."""
    if error["type"] != "extra_forbidden":
        return cut
    known = expected.keys(Spec, error["loc"][:-1])
    nearest = closest(str(cut[-1]), known) if cut else None
    return (*cut[:-1], nearest) if nearest is not None else None


def _remove(data: dict[str, Any], path: Path) -> Any:
    *steps, last = path or ("",)
    inner: Any = data
    for step in steps:
        inner = inner.get(step) if isinstance(inner, dict) else None
    if not isinstance(inner, dict):
        return None
    removed = inner.pop(last, None)
    if not steps and last in _REQUIRED:
        inner[last] = _REQUIRED[str(last)]
    return removed


def _names(path: Path, removed: Any) -> Iterator[str]:
    """The name of what was left out, and all names within it."""
    if path:
        yield str(path[-1])
    if isinstance(removed, Mapping):
        for key, value in removed.items():
            yield from _names((key,), value)
    elif isinstance(removed, list):
        for value in removed:
            yield from _names((), value)
    elif isinstance(removed, str):
        yield removed


def _cut_by(hole: Hole, document: Document) -> Iterator[Path]:
    """What a hole in the text was part of; at the top, the keys that may have stood there."""
    path = _enclosing(hole, document)
    yield path
    if len(path) == 1:
        yield from ((name,) for name in hole.names if name in expected.keys(Spec, ()))


def _enclosing(hole: Hole, document: Document) -> Path:
    """The path of what a hole in the text was part of, and a step into it."""
    path: Path = ()
    node: Any = document.root
    while getattr(node, "entries", None):
        above = [
            (key, entry)
            for key, entry in node.entries.items()
            if entry.key.position.line < hole.line and entry.key.position.column - 1 < hole.indent
        ]
        if not above:
            break
        key, entry = max(above, key=lambda pair: pair[1].key.position)
        path, node = (*path, key), entry.value
    return (*path, "")
