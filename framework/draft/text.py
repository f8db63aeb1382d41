"""YAML as a person would write it: quoted where that must be, mappings in braces, comments on lines of their own."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from framework.connections import mask

WIDTH = 120
"""Columns that comments are wrapped to."""
ALIGNED = 24
"""Characters of names behind which values stand below each other; longer ones stand out."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[ ./()+-]+[A-Za-z0-9_()]+)*", re.ASCII)
"""Texts that mean themselves to every reader of YAML, within braces, too."""
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""Words that YAML 1.1 or 1.2 takes for something else than a text."""
_SWITCH = re.compile(r"#(?=\s*vitrina\s*:)")
"""The beginning of a comment that switches a rule off."""
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def scalar(text: str) -> str:
    """A text as a YAML scalar, plain if every reader takes it for that text. Variables in it are none."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return '"' + "".join(map(_escaped, text.replace("${", "$${"))) + '"'


def key(text: str) -> str:
    """A name as a key, in which variables are not looked for."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def flow(value: Any) -> str:
    """Plain data within a line: ``{type: text, nullable: true}``."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key(name)}: {flow(each)}" for name, each in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return scalar(value) if isinstance(value, str) and not isinstance(value, Bare) else str(value)


class Bare(str):
    """A text that is written as it stands, such as ``-2y``: the reader of specs takes it for a text."""

    __slots__ = ()


def shown(text: str) -> str:
    """A text of the database within a comment: one line, without passwords, nothing that editors stumble over."""
    text = mask(text) if "://" in text else text
    return _SWITCH.sub("", "".join(char if char.isprintable() else _escaped(char) for char in text))


def comment(text: str, indent: int = 0) -> Iterator[str]:
    """Lines of a comment. Words are not broken: a line with a long name is a long line."""
    lead = " " * indent + "# "
    lines = textwrap.wrap(
        shown(text), WIDTH - len(lead), break_long_words=False, break_on_hyphens=False, subsequent_indent="  "
    )
    for line in lines:
        yield lead + line


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    number = ord(char)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
