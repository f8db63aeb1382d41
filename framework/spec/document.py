"""YAML read with positions: structure and text only; `framework.spec.values` gives scalars their meaning.

Refused here, each with its place: bad syntax, bytes that are not UTF-8, tags, keys that are not text, keys written
twice, several documents, and documents that grow beyond bounds through their aliases.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from yaml import MappingNode, ScalarNode, SequenceNode
from yaml import Node as YamlNode

from framework.diagnostics import Problem, Related, lines_of, position_of
from framework.spec.compose import MAX_DEPTH, Refusal, compose, position_at
from framework.spec.nodes import Entry, Mapping, Node, Scalar, Sequence, Span
from framework.spec.recovery import Hole, without

MAX_BYTES = 4_000_000
MAX_VALUES = 100_000
"""Values of a document, those of an alias counted at each of its uses."""

MERGE = "<<"
_MOST_HOLES = 10


@dataclass(frozen=True)
class Document:
    """A file as nodes. ``root`` is None if it could not be read; then ``problems`` says why.

    Attributes:
        holes: parts that were left out because they are no YAML; the rest was read without them.
    """

    path: Path
    lines: tuple[str, ...]
    root: Mapping | None
    problems: tuple[Problem, ...]
    holes: tuple[Hole, ...] = ()

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
    """Read the text of a file. Where something is no YAML, the rest is read without it if that can be."""
    text = text.removeprefix("\ufeff")
    document, broken = _parse(text, path)
    holes: list[Hole] = []
    problems: list[Problem] = []
    rest = document
    while broken is not None and len(holes) < _MOST_HOLES:
        rest_text, hole = without(text, broken)
        text, holes, problems = rest_text, [*holes, hole], [*problems, *rest.problems]
        rest, broken = _parse(text, path)
    if not holes or rest.root is None:
        return document
    return Document(path, document.lines, rest.root, (*problems, *rest.problems), tuple(holes))


def _parse(text: str, path: Path) -> tuple[Document, int | None]:
    """The document, and the line that keeps it from being YAML."""
    try:
        raw = compose(text)
        if raw is None:
            refused = _refused(path, text, Span(), "empty-file", "the file holds nothing", "begin with `version: 1`")
            return refused, None
        builder = _Builder(path, lines_of(text))
        root = builder.build(raw)
    except Refusal as refusal:
        return _refused(path, text, refusal.span, refusal.rule, str(refusal), refusal.suggestion), refusal.broken
    if not isinstance(root, Mapping):
        builder.report(root.span, "wrong-type", "a file is a mapping of keys to values", "begin with `version: 1`")
        return Document(path, builder.lines, None, tuple(builder.problems)), None
    return Document(path, builder.lines, root, tuple(builder.problems)), None


def _refused(path: Path, text: str, span: Span, rule: str, message: str, suggestion: str) -> Document:
    return Document(path, lines_of(text), None, (Problem(path, span.position, rule, message, suggestion, span.length),))


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
            raise Refusal(self._span(raw), "recursive-alias", "this value contains itself", "remove the alias")
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
            span = self._span(raw)
            return Sequence(tuple(self._value(item, span) for item in raw.value), span)
        assert isinstance(raw, ScalarNode)
        return Scalar(raw.value, bool(raw.style), self._span(raw))

    def _entries(self, raw: MappingNode) -> dict[str, Entry]:
        merged: dict[str, Entry] = {}
        own: dict[str, Entry] = {}
        merge_key: Span | None = None
        for key, value in raw.value:
            if not isinstance(key, ScalarNode):
                self.report(
                    self._span(key),
                    "bad-key",
                    "a key is a text, not a list or a mapping",
                    "write one key; quote a text in braces",
                )
                continue
            span = self._span(key)
            if key.value == MERGE and not key.style:
                if merge_key is not None:
                    self._report_duplicate(MERGE, span, merge_key)
                merge_key = span
                merged |= self._merge(value)
            elif key.value in own:
                self._report_duplicate(key.value, span, own[key.value].key)
            else:
                own[key.value] = Entry(span, self._value(value, span))
        return merged | own

    def _value(self, raw: YamlNode, owner: Span) -> Node:
        """A value; one that is not written stands where its owner does."""
        if isinstance(raw, ScalarNode) and not raw.style and raw.value == "" and not raw.tag:
            return Scalar("", quoted=False, span=owner)
        return self.build(raw)

    def _report_duplicate(self, key: str, span: Span, first: Span) -> None:
        advice = "merge several with `<<: [*a, *b]`" if key == MERGE else "remove one of the two"
        message = f"the key {key!r} is here a second time"
        related = Related(self.path, first.position, "the first time", first.length)
        self.problems.append(
            Problem(self.path, span.position, "duplicate-key", message, advice, span.length, related=(related,))
        )

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
            raise Refusal(self._span(raw), "too-large", f"merges copy more than {MAX_VALUES:,} values", "merge less")
        return merged

    def _refuse_tag(self, raw: YamlNode) -> None:
        tag = raw.tag.replace("tag:yaml.org,2002:", "!!")
        advice = "remove the tag; quote a value to make it text"
        self.report(self._span(raw), "tag", f"the tag {tag!r} has no meaning here", advice)

    def _measure(self, node: Node) -> None:
        children = _children(node)
        sizes = [self._extent.get(id(child), (1, 1)) for child in children]
        size, depth = 1 + sum(size for size, _ in sizes), 1 + max((depth for _, depth in sizes), default=0)
        if size > MAX_VALUES:
            raise Refusal(node.span, "too-large", f"this is more than {MAX_VALUES:,} values", "use fewer aliases")
        if depth > MAX_DEPTH:
            raise Refusal(node.span, "too-deep", f"values are nested more than {MAX_DEPTH} levels deep")
        self._extent[id(node)] = (size, depth)

    def _span(self, raw: YamlNode) -> Span:
        start, end = raw.start_mark, raw.end_mark
        if isinstance(raw, (MappingNode, SequenceNode)) and not raw.flow_style:
            return Span(position_at(start))
        line = self.lines[start.line] if start.line < len(self.lines) else ""
        stop = end.column if end.line == start.line else len(line.rstrip())
        return Span(position_at(start), max(1, stop - start.column))

    def _mapping_span(self, raw: MappingNode) -> Span:
        """Of a mapping in block style, its first key."""
        return self._span(raw) if raw.flow_style or not raw.value else self._span(raw.value[0][0])


def _children(node: Node) -> tuple[Node, ...]:
    if isinstance(node, Mapping):
        return tuple(entry.value for entry in node.entries.values())
    return node.items if isinstance(node, Sequence) else ()
