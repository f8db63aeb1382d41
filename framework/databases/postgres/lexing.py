"""Whether a text that is put between brackets stays there: SQL of a spec's author is one expression, not a way out.

PostgreSQL takes several statements at once. So what stands between brackets must neither close one that it did not
open, nor leave a quote or comment open, nor hold a semicolon. (PostgreSQL, "Lexical Structure"; the sessions have
``standard_conforming_strings`` on.)
"""

from __future__ import annotations

import re

ONE_EXPRESSION = "close what it opens (brackets, quotes, comments), and nothing else; leave `;` out"
"""What to do about a text that is not enclosed."""

# PostgreSQL takes every character beyond ASCII for a letter. Behind a text with escapes that goes on in another line,
# and behind what may or may not begin a text between dollars, it is too easily mistaken what is a text and what is not.
_LETTER = r"[A-Za-z_\x80-\U0010ffff]"
_TOKEN = re.compile(
    rf"""
      (?P<escaped>(?<![\w$\x80-\U0010ffff])[eE]'(?:[^'\\]|\\.|'')*'(?!(?:\s|--[^\n\r]*)*'))
    | (?P<unsure>(?<![\w$\x80-\U0010ffff])[eE]')
    | (?P<text>'(?:[^']|'')*')
    | (?P<name>"(?:[^"]|"")*")
    | (?P<dollar>(?<![\w$\x80-\U0010ffff])\$(?P<tag>(?:{_LETTER}(?:{_LETTER}|\d)*)?)\$.*?\$(?P=tag)\$)
    | (?P<line>--[^\n\r]*)
    | (?P<comment>/\*)
    | (?P<open>[(\[])
    | (?P<close>[)\]])
    | (?P<end>;)
    | (?P<broken>['"\0]|\$(?:{_LETTER}(?:{_LETTER}|\d)*)?\$)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"/\*|\*/")
_PAIRS = {")": "(", "]": "["}


def is_enclosed(text: str) -> bool:
    """Whether the text, on lines of its own within brackets, is nothing but what stands within them."""
    place, opened = 0, []
    while (found := _TOKEN.search(text, place)) is not None:
        kind, place = found.lastgroup if found.lastgroup != "tag" else "dollar", found.end()
        if kind == "comment":
            after = _after_comment(text, place)
            if after is None:
                return False
            place = after
        elif kind == "open":
            opened.append(found.group())
        elif kind == "close":
            if not opened or opened.pop() != _PAIRS[found.group()]:
                return False
        elif kind in ("end", "broken", "unsure"):
            return False
    return not opened


def _after_comment(text: str, place: int) -> int | None:
    """The end of a comment whose inside begins at ``place``; comments may hold comments. None: it has none."""
    depth = 1
    while depth:
        found = _COMMENT.search(text, place)
        if found is None:
            return None
        depth += 1 if found.group() == "/*" else -1
        place = found.end()
    return place
