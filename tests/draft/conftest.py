"""A draft of a test's databases, as the command writes it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command import Command, Done
from tests.services.databases import SourceDatabase, TargetDatabase

HERE = Path(__file__).parent
FILL = (re.compile(r"\}( *)# (fake: .*)$", re.MULTILINE), re.compile(r"^( *)# (rows: \d+)$", re.MULTILINE))
"""The proposals, as docs/draft.md takes the marks of comments from them."""

CONNECTIONS = """\
environments:
  default:
    pg: {{url: "{source}", generate: allow}}
    my: {{url: "{target}"}}
"""


class Drafting:
    """Drafts one database, with the command in a directory of its own."""

    def __init__(self, directory: Path, source: str, target: str = "mysql://a:b@127.0.0.1:1/nowhere") -> None:
        self.path = directory / "spec.yaml"
        self.connections = directory / "connections.yaml"
        self.connections.write_text(CONNECTIONS.format(source=source, target=target), encoding="utf-8")
        self.command = Command(directory)

    def __call__(self, *options: str, code: int = 0) -> str:
        """The text of a new draft, or what was said instead of one."""
        done = self.run(*options, "-o", str(self.path), "--force", code=code)
        return done.stderr if code else self.path.read_text(encoding="utf-8")

    def to(self, target: TargetDatabase) -> Drafting:
        """The same, with a target that is there."""
        text = re.sub(r"my: .*", f'my: {{url: "{target.url}"}}', self.connections.read_text(encoding="utf-8"))
        self.connections.write_text(text, encoding="utf-8")
        return self

    def run(self, *options: str, code: int = 0) -> Done:
        return self.command("draft", "--source", "pg", "--target", "my", *options, code=code)

    def edit(self, change: Callable[[str], str]) -> None:
        self.path.write_text(change(self.path.read_text(encoding="utf-8")), encoding="utf-8")

    def validate(self) -> str:
        """What the checker says; errors and warnings fail the test."""
        return self.command("validate", str(self.path), "--fail-on", "warning").stdout


def with_fakes(text: str) -> str:
    """The draft with its proposals of fake data taken up."""
    fake, rows = FILL
    return rows.sub(r"\1\2", fake.sub(r", \2}", text))


@pytest.fixture
def drafting(tmp_path: Path, source: SourceDatabase) -> Drafting:
    return Drafting(tmp_path, source.url)


@pytest.fixture
def nasty(drafting: Drafting, source: SourceDatabase) -> Drafting:
    """A draft of a database with every trap."""
    source.execute((HERE / "nasty.sql").read_text(encoding="utf-8"))
    source.execute((HERE / "nasty_data.sql").read_text(encoding="utf-8"))
    return drafting
