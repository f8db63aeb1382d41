"""YAML read with positions: structure and text only; `framework.spec.values` gives scalars their meaning.

Refused here, each with its place: bad syntax, bytes that are not UTF-8, tags, keys that are not text, keys written
twice, several documents, and documents that grow beyond bounds through their aliases.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yaml import MappingNode, ScalarNode, SequenceNode
from yaml import Node as YamlNode
from yaml.composer import Composer
from yaml.error import Mark, MarkedYAMLError
from yaml.events import StreamEndEvent
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.scanner import Scanner

from framework.diagnostics import Position, Problem, lines_of, position_of
from framework.spec.nodes import Entry, Mapping, Node, Scalar, Sequence, Span

MAX_BYTES = 1_000_000
MAX_DEPTH = 64
MAX_VALUES = 100_000
"""Values of a document, those of an alias counted at each of its uses."""

MERGE = "<<"


@dataclass(frozen=True)
class Document:
    """A file as nodes. ``root`` is None if it could not be read; then ``problems`` says why."""

    path: Path
    lines: tuple[str, ...]
    root: Mapping | None
    problems: tuple[Problem, ...]

    def problem(self, span: Span, rule: str, message: str, suggestion: str = "") -> Problem:
        """A problem of this file."""
        return Problem(self.path, span.position, rule, message, suggestion, span.length)


def read_document(path: Path) -> Document:
    """Read a file. Raises OSError if it cannot be opened."""
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    return decode_document(data, path)


def decode_document(data: bytes, path: Path) -> Document:
    """Read the bytes of a file."""
    if len(data) > MAX_BYTES:
        return _refused(path, "", Span(), "too-large", f"the file has more than {MAX_BYTES:,} bytes", "split it")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        where = Span(position_of(before, len(before)))
        return _refused(
            path,
            data.decode("utf-8", "replace"),
            where,
            "not-utf8",
            "the file is not UTF-8 text from here on",
            "save it as UTF-8",
        )
    return parse_document(text, path)


def parse_document(text: str, path: Path) -> Document:
    """Read the text of a file."""
    text = text.removeprefix("\ufeff")
    try:
        raw = _compose(text)
        if raw is None:
            return _refused(path, text, Span(), "empty-file", "the file holds nothing", "begin with `version: 1`")
        builder = _Builder(path, lines_of(text))
        root = builder.build(raw)
    except _Refusal as refusal:
        return _refused(path, text, refusal.span, refusal.rule, str(refusal), refusal.suggestion)
    if not isinstance(root, Mapping):
        builder.report(root.span, "wrong-type", "a file is a mapping of keys to values", "begin with `version: 1`")
        return Document(path, builder.lines, None, tuple(builder.problems))
    return Document(path, builder.lines, root, tuple(builder.problems))


def _refused(path: Path, text: str, span: Span, rule: str, message: str, suggestion: str) -> Document:
    return Document(path, lines_of(text), None, (Problem(path, span.position, rule, message, suggestion, span.length),))


class _Refusal(Exception):
    """The document cannot be read any further."""

    def __init__(self, span: Span, rule: str, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        self.span = span
        self.rule = rule
        self.suggestion = suggestion


class _Loader(Reader, Scanner, Parser, Composer):
    """PyYAML up to its nodes, without its notion of what scalars mean: a tag is there only if it is written."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        self._depth = 0

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:  # noqa: ARG002 - the composer's protocol
        return ""

    def descend_resolver(self, parent: YamlNode | None, index: Any) -> None:  # noqa: ARG002
        self._depth += 1
        if self._depth > MAX_DEPTH:
            where = Span() if parent is None else Span(_position(parent.start_mark))
            raise _Refusal(where, "too-deep", f"values are nested more than {MAX_DEPTH} levels deep")

    def ascend_resolver(self) -> None:
        self._depth -= 1


def _compose(text: str) -> YamlNode | None:
    try:
        loader = _Loader(text)
    except ReaderError as error:
        where = Span(position_of(text, error.position))
        raise _Refusal(
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
            raise _Refusal(
                Span(_position(mark), 3),
                "several-documents",
                "a file holds one document, and here a second begins",
                "put it into a file of its own",
            )
    except MarkedYAMLError as error:
        raise _syntax_refusal(error, text) from None
    except (ValueError, OverflowError):
        # Escapes such as "\UFFFFFFFF" go through PyYAML unchecked.
        where = _at(loader.get_mark(), text)
        raise _Refusal(where, "yaml-syntax", "this stands for no character or number", "check the escape") from None
    # A file of nothing but comments is a document with an empty value.
    return None if isinstance(root, ScalarNode) and root.style is None and root.value == "" else root


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


def _syntax_refusal(error: MarkedYAMLError, text: str) -> _Refusal:
    problem = str(error.problem)
    mark = error.problem_mark or error.context_mark
    if "stream end" in problem or "end of stream" in problem:
        opened = error.context_mark or mark
        return _Refusal(_at(opened, text), "yaml-syntax", "this is never closed", "close the quote or the bracket")
    if mark is not None and text[: mark.index].endswith("$") and text[mark.index : mark.index + 1] == "{":
        advice = 'quote it: "${NAME}"'
        return _Refusal(_at(mark, text), "yaml-syntax", "a variable within braces or brackets needs quotes", advice)
    for needle, message, advice in _SYNTAX:
        if needle in problem:
            return _Refusal(_at(mark, text), "yaml-syntax", message, advice)
    return _Refusal(_at(mark, text), "yaml-syntax", f"this is not YAML: {problem}", "")


def _at(mark: Mark | None, text: str) -> Span:
    return Span() if mark is None else Span(_clamped(_position(mark), lines_of(text)))


def _position(mark: Mark) -> Position:
    return Position(mark.line + 1, mark.column + 1)


def _clamped(position: Position, lines: tuple[str, ...]) -> Position:
    """The end of the file, where a mark lies beyond it."""
    line = min(position.line, len(lines))
    return Position(line, position.column if line == position.line else len(lines[-1]) + 1)


class _Builder:
    """Turns PyYAML's nodes into ours. An aliased node is built once and shared."""

    def __init__(self, path: Path, lines: tuple[str, ...]) -> None:
        self.path = path
        self.lines = lines
        self.problems: list[Problem] = []
        self._built: dict[int, Node] = {}
        self._extent: dict[int, tuple[int, int]] = {}
        self._open: set[int] = set()
        self._merged = 0

    def report(self, span: Span, rule: str, message: str, suggestion: str = "") -> None:
        self.problems.append(Problem(self.path, span.position, rule, message, suggestion, span.length))

    def build(self, raw: YamlNode) -> Node:
        """The node, with everything below it."""
        if id(raw) in self._built:
            return self._built[id(raw)]
        if id(raw) in self._open:
            raise _Refusal(self._span(raw), "recursive-alias", "this value contains itself", "remove the alias")
        if raw.tag:
            self._refuse_tag(raw)
        self._open.add(id(raw))
        node = self._built[id(raw)] = self._convert(raw)
        self._open.discard(id(raw))
        self._measure(node)
        return node

    def _convert(self, raw: YamlNode) -> Node:
        if isinstance(raw, MappingNode):
            entries = self._entries(raw)
            return Mapping(entries, self._mapping_span(raw))
        if isinstance(raw, SequenceNode):
            items = tuple(self.build(item) for item in raw.value)
            return Sequence(items, self._span(raw))
        assert isinstance(raw, ScalarNode)
        return Scalar(raw.value, raw.style is not None, self._span(raw))

    def _entries(self, raw: MappingNode) -> dict[str, Entry]:
        merged: dict[str, Entry] = {}
        own: dict[str, Entry] = {}
        merge_key: Span | None = None
        for key, value in raw.value:
            if not isinstance(key, ScalarNode):
                self.report(self._span(key), "bad-key", "a key is a text, not a list or a mapping", "quote it")
                continue
            span = self._span(key)
            if key.value == MERGE and key.style is None:
                if merge_key is not None:
                    self._report_duplicate(MERGE, span, merge_key)
                merge_key = span
                merged |= self._merge(value)
            elif key.value in own:
                self._report_duplicate(key.value, span, own[key.value].key)
            else:
                own[key.value] = Entry(span, self.build(value))
        return merged | own

    def _report_duplicate(self, key: str, span: Span, first: Span) -> None:
        advice = "merge several with `<<: [*a, *b]`" if key == MERGE else "remove one of the two"
        message = f"the key {key!r} is here a second time; it is first here: line {first.position.line}"
        self.report(span, "duplicate-key", message, advice)

    def _merge(self, raw: YamlNode) -> dict[str, Entry]:
        node = self.build(raw)
        sources = node.items if isinstance(node, Sequence) else (node,)
        merged: dict[str, Entry] = {}
        for source in reversed(sources):
            if isinstance(source, Mapping):
                merged |= source.entries
                self._merged += len(source.entries)
            else:
                self.report(source.span, "bad-merge", "`<<` takes a mapping or a list of mappings", "write `<<: *name`")
        if self._merged > MAX_VALUES:
            raise _Refusal(self._span(raw), "too-large", f"merges copy more than {MAX_VALUES:,} values", "merge less")
        return merged

    def _refuse_tag(self, raw: YamlNode) -> None:
        tag = raw.tag.replace("tag:yaml.org,2002:", "!!")
        advice = "remove the tag; quote a value to make it text"
        self.report(self._span(raw), "tag", f"the tag {tag!r} has no meaning here", advice)

    def _measure(self, node: Node) -> None:
        children = _children(node)
        sizes = [self._extent[id(child)] for child in children]
        size, depth = 1 + sum(size for size, _ in sizes), 1 + max((depth for _, depth in sizes), default=0)
        if size > MAX_VALUES:
            raise _Refusal(node.span, "too-large", f"this is more than {MAX_VALUES:,} values", "use fewer aliases")
        if depth > MAX_DEPTH:
            raise _Refusal(node.span, "too-deep", f"values are nested more than {MAX_DEPTH} levels deep")
        self._extent[id(node)] = (size, depth)

    def _span(self, raw: YamlNode) -> Span:
        start, end = raw.start_mark, raw.end_mark
        if isinstance(raw, (MappingNode, SequenceNode)) and not raw.flow_style:
            return Span(_position(start))
        line = self.lines[start.line] if start.line < len(self.lines) else ""
        stop = end.column if end.line == start.line else len(line.rstrip())
        return Span(_position(start), max(1, stop - start.column))

    def _mapping_span(self, raw: MappingNode) -> Span:
        """Of a mapping in block style, its first key."""
        return self._span(raw) if raw.flow_style or not raw.value else self._span(raw.value[0][0])


def _children(node: Node) -> tuple[Node, ...]:
    if isinstance(node, Mapping):
        return tuple(entry.value for entry in node.entries.values())
    return node.items if isinstance(node, Sequence) else ()
