"""From text to PyYAML's nodes: syntax only, by libyaml where it is sure to read as PyYAML does.

Mistakes are always told by PyYAML's own parser, so that their words and places are the same on every machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from yaml import Node as YamlNode
from yaml import ScalarNode
from yaml.composer import Composer
from yaml.error import Mark, MarkedYAMLError, YAMLError
from yaml.events import StreamEndEvent
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.scanner import Scanner

from framework.diagnostics import Position, lines_of, position_of
from framework.spec.nodes import Span

try:
    from yaml._yaml import CParser
except ImportError:  # PyYAML was built without libyaml
    CParser = None  # type: ignore[assignment, misc]

MAX_DEPTH = 64


class Refusal(Exception):
    """The document cannot be read any further; without the line ``broken`` (from 1) perhaps it can."""

    def __init__(self, span: Span, rule: str, message: str, suggestion: str = "", broken: int | None = None) -> None:
        super().__init__(message)
        self.span = span
        self.rule = rule
        self.suggestion = suggestion
        self.broken = broken


class _Untagged:
    """The composer's protocol without a notion of what scalars mean: a tag is there only if it is written."""

    _depth = 0

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:  # noqa: ARG002 - the composer's protocol
        return ""

    def descend_resolver(self, parent: YamlNode | None, index: Any) -> None:  # noqa: ARG002
        self._depth += 1
        if self._depth > MAX_DEPTH:
            where = Span() if parent is None else Span(position_at(parent.start_mark))
            raise Refusal(where, "too-deep", f"values are nested more than {MAX_DEPTH} levels deep")

    def ascend_resolver(self) -> None:
        self._depth -= 1


class _Loader(_Untagged, Reader, Scanner, Parser, Composer):
    """PyYAML up to its nodes."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)


class _Unsure(Exception):
    """libyaml may not read a text as PyYAML does."""


if CParser is not None:

    class _FastLoader(_Untagged, CParser):
        """libyaml up to its nodes, twelve times as fast."""


_DISPUTED = "\t?!"
"""Characters that libyaml takes where PyYAML does not."""


def compose(text: str) -> YamlNode | None:
    """The root, or None if there is nothing. Raises Refusal."""
    try:
        return _composed_fast(text)
    except (_Unsure, Refusal, YAMLError, ValueError, OverflowError):
        return _composed(text)


def _composed_fast(text: str) -> YamlNode:
    if CParser is None or any(sign in text for sign in _DISPUTED):
        raise _Unsure
    loader = _FastLoader(text)
    root: YamlNode | None = loader.get_node() if loader.check_node() else None
    if root is None or loader.check_node() or isinstance(root, ScalarNode):
        raise _Unsure
    return root


def _composed(text: str) -> YamlNode | None:
    try:
        loader = _Loader(text)
    except ReaderError as error:
        where = Span(position_of(text, error.position))
        raise Refusal(
            where,
            "bad-character",
            f"the character U+{ord(text[error.position]):04X} must not stand in YAML",
            "remove it",
        ) from None
    try:
        next_event: Callable[[], Any] = loader.get_event
        next_event()
        if loader.check_event(StreamEndEvent):
            return None
        root = loader.compose_document()
        if not loader.check_event(StreamEndEvent):
            mark = next_event().start_mark
            raise Refusal(
                Span(position_at(mark), 3),
                "several-documents",
                "a file holds one document, and here a second begins",
                "put it into a file of its own",
            )
    except MarkedYAMLError as error:
        refusal = _syntax_refusal(error, text)
        is_open = str(refusal) == "this is never closed"
        refusal.broken = refusal.span.position.line if is_open else _broken_line(error)
        raise refusal from None
    except (ValueError, OverflowError):
        # Escapes such as "\UFFFFFFFF" go through PyYAML unchecked.
        where = _at(loader.get_mark(), text)
        raise Refusal(where, "yaml-syntax", "this stands for no character or number", "check the escape") from None
    # A file of nothing but comments is a document with an empty value.
    return None if isinstance(root, ScalarNode) and not root.style and root.value == "" else root


_SYNTAX = (
    ("'\\t'", "a tab stands here", "indent with spaces, not with tabs"),
    (
        "mapping values are not allowed",
        "a second `: ` in one value",
        "quote a text that contains `: `, or check the indentation",
    ),
    ("undefined alias", "this alias is not defined", "define it with `&` before; quote a text that begins with `*`"),
    ("cannot start any token", "no value begins with this character", "quote the text"),
    ("expected <block end>", "this does not fit what stands above", "begin the keys of one mapping in the same column"),
    ("could not find expected ':'", "a key without `:` stands above", "write `key: value`; check the indentation"),
    ("expected the node content", "a value is missing here", "write a value, or remove the comma"),
)
"""What PyYAML says, what is meant, and what to do."""


def _syntax_refusal(error: MarkedYAMLError, text: str) -> Refusal:
    problem = str(error.problem)
    mark = error.problem_mark or error.context_mark
    if mark is not None and (bracket := _open_bracket(text, mark.index)) is not None:
        return Refusal(Span(position_of(text, bracket)), "yaml-syntax", "this is never closed", "close the bracket")
    if "stream end" in problem or "end of stream" in problem:
        opened = error.context_mark or mark
        return Refusal(_at(opened, text), "yaml-syntax", "this is never closed", "close the quote or the bracket")
    if mark is not None and text[: mark.index].endswith("$") and text[mark.index : mark.index + 1] == "{":
        advice = 'quote it: "${NAME}"'
        return Refusal(_at(mark, text), "yaml-syntax", "a variable within braces or brackets needs quotes", advice)
    for needle, message, advice in _SYNTAX:
        if needle in problem:
            return Refusal(_at(mark, text), "yaml-syntax", message, advice)
    return Refusal(_at(mark, text), "yaml-syntax", f"this is not YAML: {problem}", "")


def _open_bracket(text: str, end: int) -> int | None:
    """The outermost bracket before ``end`` that is open, if keys stand below it that cannot belong into it."""
    opened: list[int] = []
    quote, before = "", "\n"
    for index, sign in enumerate(text[:end]):
        if quote:
            quote = "" if sign == quote or (quote == "#" and sign == "\n") else quote
        elif (sign in "'\"" and before in " \n[{,:") or (sign == "#" and before.isspace()):
            quote = sign
        elif sign in "[{":
            opened.append(index)
        elif sign in "]}" and opened:
            opened.pop()
        before = sign
    if not opened:
        return None
    start = text.rfind("\n", 0, opened[0]) + 1
    indent = len(text[start:]) - len(text[start:].lstrip(" "))
    below = text[opened[0] : text.find("\n", end) if "\n" in text[end:] else len(text)].split("\n")[1:]
    return opened[0] if any(_KEY.match(line) and len(line) - len(line.lstrip()) <= indent for line in below) else None


_KEY = re.compile(r"\s*[\w-]+:(\s|$)")


def _broken_line(error: MarkedYAMLError) -> int | None:
    """Where the broken part begins: what was being scanned, or what a list in brackets was; else the place itself."""
    began = error.context is not None and ("scanning" in error.context or "flow" in error.context)
    mark = (error.context_mark if began else None) or error.problem_mark or error.context_mark
    return None if mark is None else mark.line + 1


def _at(mark: Mark | None, text: str) -> Span:
    return Span() if mark is None else Span(_clamped(position_at(mark), lines_of(text)))


def position_at(mark: Mark) -> Position:
    return Position(mark.line + 1, mark.column + 1)


def _clamped(position: Position, lines: tuple[str, ...]) -> Position:
    """The end of the file, where a mark lies beyond it."""
    line = min(position.line, len(lines))
    return Position(line, position.column if line == position.line else len(lines[-1]) + 1)
