"""What scalars mean: environment variables filled in, then YAML 1.2's core schema and nothing else.

So ``no``, ``on``, ``007``, ``20_000``, ``12:30:00`` and dates are the text they look like. Keys are always text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Environment
from dataclasses import dataclass, field
from typing import Any

from framework.diagnostics import Problem
from framework.spec.document import Document
from framework.spec.nodes import Mapping, Node, Scalar, Sequence, Span

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_VARIABLE = re.compile(r"\$\$\{|\$\{(?P<body>[^}]*)(?P<end>\}?)")
_BODY = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>.*))?", re.DOTALL)
_DIGITS = 18
"""Digits every 64-bit integer has room for."""


@dataclass
class Values:
    """Plain data made of nodes.

    Attributes:
        environ: the variables; None leaves ``${VAR}`` as it stands.
        problems: scalars that could not be resolved; in their place stands their text as written.
    """

    document: Document
    environ: Environment[str, str] | None
    problems: list[Problem] = field(default_factory=list)
    _made: dict[int, Any] = field(default_factory=dict)

    def of(self, node: Node) -> Any:
        """The plain data of a node; an aliased node gives one shared object."""
        if id(node) not in self._made:
            self._made[id(node)] = self._make(node)
        return self._made[id(node)]

    def _make(self, node: Node) -> Any:
        if isinstance(node, Mapping):
            for key, entry in node.entries.items():
                self._require_text(key, entry.key)
            return {key: self.of(entry.value) for key, entry in node.entries.items()}
        if isinstance(node, Sequence):
            return [self.of(item) for item in node.items]
        return self._scalar(node)

    def _scalar(self, node: Scalar) -> Any:
        try:
            text = node.text if self.environ is None else substitute(node.text, self.environ)
            self._require_text(text, node.span)
            return text if node.quoted else resolve(text)
        except Unresolved as error:
            self.problems.append(self.document.problem(node.span, error.rule, str(error), error.suggestion))
            return node.text

    def _require_text(self, text: str, span: Span) -> None:
        """Neither database can hold U+0000, in names or in values, and drivers differ in how they fail."""
        if "\0" in text:
            message = "the character U+0000 can be kept by no database"
            self.problems.append(self.document.problem(span, "bad-character", message, "leave it out"))


class Unresolved(Exception):
    """A scalar without a value. The message never holds the value of a variable."""

    def __init__(self, rule: str, message: str, suggestion: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.suggestion = suggestion


def substitute(text: str, environ: Environment[str, str]) -> str:
    """Fill in ``${VAR}`` and ``${VAR:-default}`` (for a variable that is unset or empty); ``$${`` stands for ``${``.

    Raises:
        Unresolved: a variable is unset and has no default, or is not written in one of these ways.
    """
    return _VARIABLE.sub(lambda match: _variable(match, environ), text)


def _variable(match: re.Match[str], environ: Environment[str, str]) -> str:
    if match["body"] is None:
        return "${"
    body = _BODY.fullmatch(match["body"])
    if body is None or not match["end"]:
        advice = "write ${NAME} or ${NAME:-default}; `$${` means a literal `${`"
        raise Unresolved("bad-variable", f"{match[0]!r} is no variable", advice)
    value = environ.get(body["name"])
    if body["default"] is not None:
        return value or body["default"]
    if value is None:
        raise Unresolved(
            "unset-variable",
            f"the environment variable {body['name']} is not set",
            f"set it, or give a default: ${{{body['name']}:-...}}",
        )
    return value


def resolve(text: str) -> Any:
    """The value of an unquoted scalar. Raises Unresolved for a number beyond 64 bits."""
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        value = float(text)
        if value in (float("inf"), float("-inf")):
            raise _too_large()
        return value
    return text


def _integer(text: str) -> int:
    value = int(text) if len(text) <= _DIGITS + 3 else 2**64
    if not -(2**63) <= value < 2**63:
        raise _too_large()
    return value


def _too_large() -> Unresolved:
    return Unresolved(
        "number-too-large",
        "this number does not fit into 64 bits",
        "write a number of at most 18 digits; quote it if it is a text",
    )
