"""`vitrina validate` and `vitrina explain`: what was found, in the form that is asked for."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import click

from framework.diagnostics import Problem, Severity
from framework.errors import UsageError
from framework.outputs.listing import as_github, as_json, as_junit
from framework.outputs.sarif import as_sarif
from framework.outputs.text import render_all
from framework.validation.files import spec_files
from framework.validation.stories import Story, closest_rule, stories
from framework.validation.validate import MoreProblems, Report, validate

FORMATS = ("text", "json", "sarif", "github", "junit")
PAUSE = 0.3
"""Seconds between two looks at the files."""


def check(paths: Sequence[Path], form: str, fail_on: Severity, online: str | None = None) -> bool:
    """Check files and print what was found; whether nothing is as bad as ``fail_on``.

    ``online`` is the environment whose databases are examined, too.
    """
    more: MoreProblems | None = None
    if online is not None:
        from framework.commands.doctor import problems_of  # the databases' drivers take a while to import

        more = partial(problems_of, environment=online)
    report = validate(paths, more=more)
    failing = [problem for problem in report.problems if problem.severity.rank <= fail_on.rank]
    click.echo(_shown(report, failing, form))
    return not failing


def watch(paths: Sequence[Path], fail_on: Severity) -> None:
    """Check files whenever one changes, until interrupted."""
    for _ in _changes(paths):
        click.clear()
        try:
            check(paths, "text", fail_on)
        except UsageError as error:  # a file may be on its way from one name to another
            click.echo(f"error: {error}")
        click.echo("watching for changes; Ctrl-C ends it")


def explain(rule: str | None) -> None:
    """Print what a rule is about; without one, all rules."""
    if rule is None:
        width = max(map(len, stories()))
        for story in stories().values():
            click.echo(f"{story.id:{width}}  {story.severity.value:7}  {story.summary}")
        return
    if rule not in stories():
        raise UsageError(f"there is no rule {rule!r}", closest_rule(rule))
    click.echo(_story(stories()[rule]))


def _shown(report: Report, failing: Sequence[Problem], form: str) -> str:
    if form == "json":
        return as_json(report.files, report.problems, report.switched_off)
    if form == "sarif":
        rules = [(story.id, story.summary, story.severity, story.text) for story in stories().values()]
        return as_sarif(report.problems, rules)
    if form == "github":
        return as_github(report.problems)
    if form == "junit":
        return as_junit(report.files, report.problems, failing)
    return _as_text(report)


def _as_text(report: Report) -> str:
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return "\n".join([*render_all(report.problems, colour=colour), _closing(report)])


def _closing(report: Report) -> str:
    found = [
        _counted(sum(problem.severity is severity for problem in report.problems), severity.value)
        for severity in Severity
    ]
    files = _counted(len(report.files), "file")
    sentence = f"{files}, {', '.join(filter(None, found)) or 'no problems'}"
    return sentence + (f"; {report.switched_off} switched off" if report.switched_off else "")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' if count != 1 else ''}" if count else ""


def _story(story: Story) -> str:
    """Markdown for a terminal."""
    if not sys.stdout.isatty():
        return story.text.rstrip()
    from rich.console import Console  # what is not a terminal needs none of it
    from rich.markdown import Markdown

    console = Console(emoji=False)
    with console.capture() as captured:
        console.print(Markdown(story.text))
    return captured.get().rstrip()


def _changes(paths: Sequence[Path]) -> Iterator[None]:
    """At first, and whenever a file changes, comes or goes."""
    before: object = None
    while True:
        now = _state(paths)
        if now != before:
            before = now
            yield
        time.sleep(PAUSE)


def _state(paths: Sequence[Path]) -> dict[Path, tuple[int, int]]:
    try:
        return {path: (stat.st_mtime_ns, stat.st_size) for path in spec_files(paths) for stat in [path.stat()]}
    except (UsageError, OSError):
        return {}
