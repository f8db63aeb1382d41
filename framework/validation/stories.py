"""What each rule is about: why it is one, and a spec that breaks it beside one that does not.

The stories are told in ``stories/*.md``, a file for each family of rules. `vitrina explain` shows one, and
``python -m framework.validation.stories`` writes the page of all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from framework.diagnostics import Severity, closest
from framework.spec.connections import FILE

DIRECTORY = Path(__file__).parent / "stories"
PREAMBLE = "version: 1\npipeline: example\nsource: pg\ntarget: my\n"
"""What an example begins with that does not begin with ``version:`` itself."""
_HEAD = """# Rules

What `vitrina validate` tells: {count} rules. `vitrina explain RULE` shows one. The keys that every spec begins with
(`version`, `pipeline`, `source`, `target`) are left out of the examples.

<!-- Generated from framework/validation/stories by `make generated`. -->
"""
_FAMILIES = (
    "structure",
    "pipeline",
    "entities",
    "fake",
    "changes",
    "replicate",
    "target",
    "marts",
    "switches",
    "databases",
)
_SECTION = re.compile(r"^## ", re.MULTILINE)
_BLOCK = re.compile(r"^```(?:yaml|toml)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^# file: (?P<name>\S+)\n", re.MULTILINE)


@dataclass(frozen=True)
class Story:
    """What is told about a rule.

    Attributes:
        family: the title of the rules it belongs to.
        summary: its first sentence, without the full stop.
        text: all of it, as Markdown.
        bad: files that break the rule, by name; none where a page cannot show it, such as bytes that are no text.
        good: the same without the mistake.
    """

    id: str
    severity: Severity
    family: str
    summary: str
    text: str
    bad: dict[str, str]
    good: dict[str, str]


@cache
def stories() -> dict[str, Story]:
    """All stories by their rule's id."""
    return {story.id: story for family in _FAMILIES for story in _told(family)}


def rule_ids() -> frozenset[str]:
    """The ids of all rules."""
    return frozenset(stories())


def closest_rule(name: str) -> str:
    """Advice for the id of a rule that there is none of."""
    near = closest(name, sorted(rule_ids()))
    return f"did you mean {near!r}?" if near else "`vitrina explain` lists the rules"


def page() -> str:
    """All stories as one page of documentation."""
    parts = [_HEAD.format(count=len(stories()))]
    for family in _FAMILIES:
        told = list(_told(family))
        names = ", ".join(f"[{story.id}](#{story.id})" for story in told)
        parts.append(f"- {told[0].family}: {names}")
    for family in _FAMILIES:
        text = (DIRECTORY / f"{family}.md").read_text(encoding="utf-8")
        parts.append("\n" + re.sub("^#", "##", text, flags=re.MULTILINE).rstrip())
    return "\n".join(parts) + "\n"


def _told(family: str) -> Iterator[Story]:
    head, *sections = _SECTION.split((DIRECTORY / f"{family}.md").read_text(encoding="utf-8"))
    title = head.splitlines()[0].strip("# ")
    for section in sections:
        id_, severity, body = (part.strip() for part in section.split("\n\n", 2))
        blocks = [_files(match["text"]) for match in _BLOCK.finditer(body)]
        bad, good = blocks if len(blocks) == 2 else ({}, {})
        summary = " ".join(body.split("\n\n", 1)[0].split()).partition(". ")[0].rstrip(".")
        yield Story(id_, Severity(severity.strip("*")), title, summary, f"## {section.strip()}\n", bad, good)


def _files(text: str) -> dict[str, str]:
    """The files of an example: parts that begin with ``# file: NAME``, or all of it."""
    first, *rest = _FILE.split(text)
    if not rest:
        return {"spec.yaml": _complete(first)}
    named = zip(rest[::2], rest[1::2], strict=True)
    return {name: part if name == FILE else _complete(part) for name, part in named}


def _complete(text: str) -> str:
    return text if re.search(r"^version:|^\[", text, re.MULTILINE) else PREAMBLE + text


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201
