"""A spec drafted from a database: the survey, a look at the data, and the text of it all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from framework.databases.postgres.source import PostgresSession, PostgresSource
from framework.draft import copies, entities, text
from framework.draft.choose import Choice, Chosen, choose
from framework.draft.drafted import Drafted, Verdict, drafted
from framework.draft.judge import judged
from framework.draft.keys import whole_keys
from framework.draft.scan import Seen, scan
from framework.draft.survey import Survey, relations, survey
from framework.draft.types import declared
from framework.errors import UsageError
from framework.spec.document import MAX_BYTES


@dataclass(frozen=True)
class Request:
    """What a draft is asked for.

    Attributes:
        source: the name of the source's connection, ``target`` that of the target's.
        pipeline: the pipeline's name; None for one made of the database's.
        file: what the spec is called in the commands that the draft shows.
        options: what these commands need beside it, such as ``--env staging``.
        server: where the database is, without anything secret.
        look: whether the data are looked at.
    """

    source: str
    target: str
    file: str
    server: str
    pipeline: Callable[[str], str]
    choice: Choice = field(default_factory=Choice)
    options: str = ""
    look: bool = True


@dataclass(frozen=True)
class Draft:
    """A spec, and what is to be said of it.

    Attributes:
        tables: how many are copied.
        left_out: how many are not, though they were asked for.
        notes: how many remarks it has that its reader should see.
    """

    text: str
    tables: int
    left_out: int
    notes: int


def draft(source: PostgresSource, request: Request, progress: Callable[[int, int], None]) -> Draft:
    """Draft a spec. ``progress`` is told how many relations were looked at, and of how many.

    Raises:
        UsageError: the request names what is not there, or nothing is left to draft.
    """
    with source.session() as session:
        session.execute("SET default_transaction_read_only = on")
        database = str(session.query("SELECT current_database()")[0][0])
        chosen = choose(relations(session), request.choice, database)
        found = survey(session, chosen.relations)
        seen = _look(session, found, progress) if request.look else None
    return written(request, found, chosen, seen)


def _look(session: PostgresSession, found: Survey, progress: Callable[[int, int], None]) -> dict[int, Seen]:
    readable = [relation for relation in found.relations if relation.copied]
    seen = {}
    for place, relation in enumerate(readable):
        progress(place, len(readable))
        types = {column.name: declared(column, found.types) for column in relation.columns}
        seen[relation.id] = scan(session, relation, types, whole_keys(relation))
    progress(len(readable), len(readable))
    return seen


def written(request: Request, found: Survey, chosen: Chosen, seen: Mapping[int, Seen] | None) -> Draft:
    """The draft of what was found. One that would be too large to be read leaves out what it can do without.

    Raises:
        UsageError: it is too large all the same.
    """
    for size in (_Size(), _Size(fakes=False), _Size(fakes=False, entities=False)):
        made = judged(partial(drafted, found, seen), partial(_text, request, found, chosen, size))
        if made is not None:
            written_text, tables = made
            copied = sum(not table.left_out for table in tables)
            return Draft(written_text, copied, len(tables) - copied, copies.notes_in(written_text.splitlines()))
    fact = f"a spec of {len(found.relations):,} tables would be longer than {MAX_BYTES:,} bytes"
    raise UsageError(fact, "draft several: --schema or --tables name what each is about")


@dataclass(frozen=True)
class _Size:
    """What a draft has room for."""

    fakes: bool = True
    entities: bool = True


def _text(
    request: Request, found: Survey, chosen: Chosen, size: _Size, tables: Sequence[Drafted], verdict: Verdict
) -> str:
    lines = [*_head(request, found, tables, size), *_pipeline(request, found)]
    shown = [table for table in tables if not table.undeclared]
    if size.entities and shown:
        lines += ["", "entities:"]
        for table in shown:
            lines += entities.lines(table, verdict, with_fakes=size.fakes)
            lines.append("")
        lines.pop()
    lines += ["", "replicate:"]
    before: list[str] = []
    for table in tables:
        own = list(copies.lines(table, verdict))
        lines += [""] if before and (len(own) > 1 or len(before) > 1) else []
        lines += own
        before = own
    lines += copies.left_out(chosen.left_out)
    return "\n".join(lines) + "\n"


def _head(request: Request, found: Survey, tables: Sequence[Drafted], size: _Size) -> Iterator[str]:
    copied = [table for table in tables if not table.left_out]
    columns = sum(len(table.relation.columns) for table in copied)
    counted = f"{_counted(len(copied), 'table')} with {_counted(columns, 'column')}"
    yield from text.comment(
        f"Drafted by `vitrina draft` from {request.server} (PostgreSQL {found.version}): {counted}. It runs as it is, "
        "and is yours now: read it, the lines with `# note:` first, and change what you like."
    )
    yield "#"
    commands = [
        (f"vitrina validate {request.file}", "what is wrong with it, without a database"),
        (f"vitrina doctor {request.file}{request.options}", "whether both databases are ready"),
        (f"vitrina run {request.file}{request.options}", "copies the tables; each becomes visible when it is complete"),
    ]
    width = max(len(command) for command, _ in commands)
    for command, what in commands:
        yield f"#   {text.shown(command):{width}}   {what}"
    yield "#"
    yield from text.comment(
        "Each table is copied anew in each run. Where `# mode: incremental` stands, only what changed need be copied, "
        "if a column tells it: every insert and every update must set it, bulk updates too. If that is so, take the "
        "`# ` away."
    )
    if size.fakes:
        yield from text.comment(
            "`# rows:` and `# fake:` are proposals for a test database: docs/draft.md tells how to use them. Without "
            "`rows:` nothing is ever created or filled in the source."
        )
    if not size.entities:
        yield from text.comment(
            "The tables are too many to be declared here; `vitrina validate --online` asks for them."
        )
    if not request.look:
        yield from text.comment(
            "Nobody looked at the data (--no-scan): a value that MySQL has no place for will stop the load, which says "
            "what to do."
        )


def _pipeline(request: Request, found: Survey) -> Iterator[str]:
    description = entities.description(found.comment) or f"Tables of the database {found.database}"
    yield "version: 1"
    yield f"pipeline: {text.scalar(request.pipeline(found.database))}"
    yield f"description: {text.scalar(description)}"
    yield f"source: {text.scalar(request.source)}"
    yield f"target: {text.scalar(request.target)}"
    yield ""
    yield "defaults:"
    keys = sum(constraint.kind == "f" for relation in found.relations for constraint in relation.constraints)
    if not keys:
        yield "  replicate: {mode: full}"
        return
    yield "  replicate:"
    yield "    mode: full"
    yield f"    # foreign_keys: true  # declares them in the copy, too; the source has {keys}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' if count != 1 else ''}"
