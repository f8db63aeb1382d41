"""Passwords and keys that stand in a file: it is read by many, and kept in a repository."""

from __future__ import annotations

import re
from collections.abc import Iterator

from framework.diagnostics import Problem, Severity
from framework.spec.document import Document
from framework.spec.nodes import Mapping, Node, Scalar, Sequence, Span

_PASSWORD = re.compile(r"[A-Za-z][\w+.-]{1,19}://[^:/?#\s@]*:(?P<secret>[^@\s/]+)@(?P<host>\[[^\]]*\]|[^:/\s]*)")
_KEY = re.compile(
    r"\bAKIA(?!IOSFODNN7EXAMPLE)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
"""Access keys of AWS and GitHub, private keys."""
_NO_SECRET = re.compile(r"\$\{|[<{*]|^(password|passwd|pass|secret|changeme)$", re.IGNORECASE)
"""Variables, and what stands in documents for a password."""
_LOCAL = frozenset({"", "localhost", "127.0.0.1", "[::1]"})


def secrets(document: Document) -> Iterator[Problem]:
    """What looks like a password or a key, in values and in keys."""
    if document.root is not None and any("://" in line or _KEY.search(line) for line in document.lines):
        for span, text in dict.fromkeys(_texts(document.root)):
            if _is_secret(text):
                advice = "take it from the environment: ${NAME}; and change it, for it has been read"
                message = "a password or a key is written here"
                yield Problem(document.path, span.position, "secret", message, advice, span.length, Severity.WARNING)


def _is_secret(text: str) -> bool:
    passwords = (match for match in _PASSWORD.finditer(text) if match["host"] not in _LOCAL)
    return _KEY.search(text) is not None or any(not _NO_SECRET.search(match["secret"]) for match in passwords)


def _texts(node: Node) -> Iterator[tuple[Span, str]]:
    if isinstance(node, Scalar):
        yield node.span, node.text
    elif isinstance(node, Mapping):
        for key, entry in node.entries.items():
            yield entry.key, key
            yield from _texts(entry.value)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _texts(item)
