"""All that can be known to be wrong with marts without a database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.errors import SqlglotError

from framework.errors import UsageError
from framework.marts import graph
from framework.marts.columns import Columns, closest, output_names, unknown_columns
from framework.marts.partition import problems
from framework.marts.query import Finding, QueryInvalid, parse, position, table_name, tables
from framework.spec.models import Check, Mart

NAME_LENGTH = 64


@dataclass(frozen=True)
class Analysis:
    """What is known of a mart.

    Attributes:
        columns: names of its columns; empty if they cannot be told.
    """

    findings: tuple[Finding, ...]
    columns: tuple[str, ...] = ()


def analyse_all(marts: Mapping[str, Mart], replicated: Columns) -> dict[str, tuple[Finding, ...]]:
    """What is wrong with each mart, in its order; marts without mistakes are missing.

    Args:
        marts: all marts of the spec.
        replicated: the columns of every replicated table by its name; none where they are not known.
    """
    known: dict[str, Iterable[str]] = {**dict.fromkeys(marts, ()), **replicated}
    found: dict[str, list[Finding]] = {}
    for name in _order(marts, found):
        analysis = analyse(name, marts[name], known, set(marts))
        known[name] = analysis.columns
        found.setdefault(name, []).extend(analysis.findings)
    return {name: tuple(found[name]) for name in marts if found.get(name)}


def analyse(name: str, mart: Mart, known: Columns, marts: Iterable[str] = ()) -> Analysis:
    """What is wrong with one mart.

    Args:
        name: its name.
        mart: what the spec says.
        known: the columns of every table and mart it may read; none where they are not known.
        marts: which of them are marts.
    """
    try:
        query = parse(mart.query)
        findings = list(_query_findings(name, query, mart.query, known, ("query",)))
        columns = output_names(query, known)
    except QueryInvalid as error:
        return Analysis((error.finding, *check_findings(name, mart.checks, (), known)))
    except SqlglotError as error:
        return Analysis((Finding("mart-sql", f"the SQL cannot be understood: {error}", "", ("query",), 1, 1),))
    findings += _name_findings(name, columns)
    findings += _incremental_findings(query, mart, set(marts))
    findings += _index_findings(mart, columns)
    findings += check_findings(name, mart.checks, columns, known)
    return Analysis(tuple(findings), columns)


def _order(marts: Mapping[str, Mart], found: dict[str, list[Finding]]) -> list[str]:
    """The marts in an order in which columns become known; circles are reported, and broken anywhere."""
    readable = {name: mart for name, mart in marts.items() if _can_be_read(mart)}
    rest = [name for name in marts if name not in readable]
    while readable:
        try:
            return [*graph.ordered(readable), *rest]
        except UsageError as error:
            name = next(name for name in readable if f" {name} " in f"{error.fact} ")
            if name not in graph.reads(readable[name].query):
                found.setdefault(name, []).append(Finding("mart-circle", error.fact, error.fix, ("query",), 1, 1))
            del readable[name]
            rest.append(name)
    return rest


def _can_be_read(mart: Mart) -> bool:
    try:
        graph.reads(mart.query)
    except (QueryInvalid, SqlglotError):
        return False
    return True


def _query_findings(
    name: str, query: exp.Query, text: str, known: Columns, key: tuple[str | int, ...]
) -> Iterator[Finding]:
    for table in tables(query):
        read = table_name(table)
        if read == name and key == ("query",):
            yield _at(table, text, key, "mart-circle", f"the mart {name!r} reads itself", "read other tables")
        elif read not in known:
            fact = f"there is no replicated table and no mart {read!r}"
            yield _at(table, text, key, "unknown-table", fact, closest(read, known) if known else "")
    yield from unknown_columns(query, known, text, key)


def _name_findings(name: str, columns: tuple[str, ...]) -> Iterator[Finding]:
    if len(name) > NAME_LENGTH:
        yield Finding("mart-name", f"{name!r} is longer than {NAME_LENGTH} characters", "choose a shorter name", ())
    lowered = [column.lower() for column in columns]
    for place, column in enumerate(columns, start=1):
        if not column:
            yield Finding(
                "mart-columns", f"column {place} of the result has no name", "add AS name to it", line=1, column=1
            )
        elif lowered.index(column.lower()) < place - 1:
            fact = f"two columns of the result are called {column!r}"
            yield Finding("mart-columns", fact, "give one of them another name with AS", line=1, column=1)


def _incremental_findings(query: exp.Query, mart: Mart, marts: set[str]) -> Iterator[Finding]:
    if mart.materialize.incremental is None:
        return
    yield from problems(query, mart.materialize.incremental.partition, mart.query)
    for table in tables(query):
        if table.name in marts:
            fact = f"an incremental mart reads replicated tables only, and {table.name!r} is a mart"
            yield _at(table, mart.query, ("query",), "mart-partition", fact, "use `materialize: table`")


def _index_findings(mart: Mart, columns: tuple[str, ...]) -> Iterator[Finding]:
    for place, names in enumerate(mart.indexes):
        yield from _missing(names, columns, ("indexes", place))
    if mart.indexes and mart.materialize.view is not None:
        yield Finding("mart-indexes", "a view has no indexes", "remove them, or use `materialize: table`", ("indexes",))


def check_findings(name: str, checks: Iterable[Check], columns: tuple[str, ...], known: Columns) -> Iterator[Finding]:
    """What is wrong with the checks of a mart or a replicated table ``name`` that has ``columns`` (none: not known)."""
    for place, check in enumerate(checks):
        key = ("checks", place, check.kind)
        if check.kind in ("unique", "not_null"):
            yield from _missing(check.value, columns, key)
        elif check.kind in ("between", "accepted", "relationship"):
            for column in check.value:
                yield from _missing((column,), columns, key, last=column)
        if check.relationship is not None:
            yield from _relationship_findings(check, {**known, name: columns}, key)
        if check.empty is not None:
            yield from _empty_findings(name, check.empty, {**known, name: columns}, key)


def _relationship_findings(check: Check, known: Columns, key: tuple[str | int, ...]) -> Iterator[Finding]:
    for column, referred in (check.relationship or {}).items():
        if referred.table not in known:
            fact = f"there is no replicated table and no mart {referred.table!r}"
            yield Finding("unknown-table", fact, closest(referred.table, known), (*key, column, "table"))
        else:
            names = tuple(known[referred.table])
            yield from _missing((referred.column,), names, (*key, column), last="column", of=referred.table)


def _empty_findings(name: str, text: str, known: Columns, key: tuple[str | int, ...]) -> Iterator[Finding]:
    try:
        yield from _query_findings(name, parse(text, key), text, known, key)
    except QueryInvalid as error:
        yield error.finding
    except SqlglotError as error:
        yield Finding("mart-sql", f"the SQL cannot be understood: {error}", "", key, 1, 1)


def _missing(
    names: Iterable[str], columns: tuple[str, ...], key: tuple[str | int, ...], last: str | None = None, of: str = ""
) -> Iterator[Finding]:
    """Names that are not among ``columns``, unless those are not known."""
    lowered = {column.lower() for column in columns}
    for place, name in enumerate(names):
        if columns and name.lower() not in lowered:
            fact = f"{f'table {of!r}' if of else 'the query'} has no column {name!r}"
            yield Finding("unknown-column", fact, closest(name, columns), (*key, place if last is None else last))


def _at(node: exp.Expr, text: str, key: tuple[str | int, ...], rule: str, message: str, suggestion: str) -> Finding:
    line, column = position(text, node)
    return Finding(rule, message, suggestion, key, line, column)
