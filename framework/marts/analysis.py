"""All that can be known to be wrong with marts without a database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sqlglot import exp
from sqlglot.errors import SqlglotError

from framework.diagnostics import Severity
from framework.errors import UsageError
from framework.marts import graph
from framework.marts.columns import closest, output_names, unknown_columns
from framework.marts.families import Families, long_outputs, output_families
from framework.marts.functions import reserved_names, unknown_functions
from framework.marts.grouping import not_grouped
from framework.marts.partition import problems
from framework.marts.query import TOO_DEEP, Finding, QueryInvalid, parse, position, table_name, tables, tree_of
from framework.marts.shape import shape_findings, useless_order
from framework.spec.checks import Check
from framework.spec.marts import Mart


@dataclass(frozen=True)
class Analysis:
    """What is known of a mart.

    Attributes:
        columns: names of its columns; empty if they cannot be told.
        families: what its columns hold, as far as it is known.
        long: those that are long texts for sure, in lower case.
    """

    findings: tuple[Finding, ...]
    columns: tuple[str, ...] = ()
    families: Families = field(default_factory=dict)
    long: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Tables:
    """What a mart may read.

    Attributes:
        columns: of every table and mart; none where they are not known.
        keys: of every table: none where it has none, None where that is not known.
        families: what the columns hold.
        long: the columns that are long texts, in lower case.
        marts: which of them are marts.
    """

    columns: dict[str, Iterable[str]] = field(default_factory=dict)
    keys: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    families: dict[str, Families] = field(default_factory=dict)
    long: dict[str, frozenset[str]] = field(default_factory=dict)
    marts: frozenset[str] = frozenset()

    def with_mart(self, name: str, mart: Mart, analysis: Analysis) -> Tables:
        """The same with one mart known."""
        # What a view's rows follow from is known to the server only.
        key = None if mart.materialize.view is not None or not analysis.columns else ()
        return replace(
            self,
            columns={**self.columns, name: analysis.columns},
            keys={**self.keys, name: key},
            families={**self.families, name: analysis.families},
            long={**self.long, name: analysis.long},
        )


def analyse_all(marts: Mapping[str, Mart], replicated: Tables) -> dict[str, tuple[Finding, ...]]:
    """What is wrong with each mart, in its order; marts without mistakes are missing.

    Args:
        marts: all marts of the spec.
        replicated: the replicated tables.
    """
    known = replace(replicated, columns={**dict.fromkeys(marts, ()), **replicated.columns}, marts=frozenset(marts))
    found: dict[str, list[Finding]] = {}
    for name in _order(marts, found):
        analysis = analyse(name, marts[name], known)
        known = known.with_mart(name, marts[name], analysis)
        found.setdefault(name, []).extend(analysis.findings)
    return {name: tuple(found[name]) for name in marts if found.get(name)}


def analyse(name: str, mart: Mart, known: Tables) -> Analysis:
    """What is wrong with one mart."""
    try:
        query = tree_of(mart.query)
        findings = list(_query_findings(name, query, mart.query, known, ("query",)))
        columns = output_names(query, known.columns)
        families = output_families(query, known.families)
        long = long_outputs(query, known.long)
    except QueryInvalid as error:
        return Analysis((error.finding, *check_findings(name, mart.checks, (), known)))
    except RecursionError:
        return Analysis((Finding("sql-syntax", TOO_DEEP, "split it into several marts", ("query",), 1, 1),))
    except SqlglotError as error:
        return Analysis((Finding("sql-syntax", f"the SQL cannot be understood: {error}", "", ("query",), 1, 1),))
    findings += _name_findings(query, mart.query, columns)
    findings += _incremental_findings(query, mart, known.marts)
    findings += _index_findings(mart, columns, long)
    findings += check_findings(name, mart.checks, columns, known, families)
    if mart.materialize.view is None:
        findings += useless_order(query, mart.query, ("query",))
    return Analysis(tuple(findings), columns, families, long)


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
    except (QueryInvalid, SqlglotError, RecursionError):
        return False
    return True


def _query_findings(
    name: str, query: exp.Query, text: str, known: Tables, key: tuple[str | int, ...]
) -> Iterator[Finding]:
    for table in tables(query):
        read = table_name(table)
        if read == name and key == ("query",):
            yield _at(
                table,
                text,
                key,
                "mart-circle",
                f"the mart {name!r} reads itself",
                "read replicated tables or other marts",
            )
        elif read not in known.columns:
            fact = f"there is no replicated table and no mart {read!r}"
            others = [each for each in known.columns if each != name]
            advice = closest(read, others) or f"add {read!r} under `replicate:`"
            yield _at(table, text, key, "sql-unknown-table", fact, advice)
    yield from unknown_columns(query, known.columns, text, key)
    yield from unknown_functions(query, text, key)
    yield from reserved_names(query, text, key)
    yield from not_grouped(query, known.columns, known.keys, text, key)
    yield from shape_findings(query, text, key)


def _name_findings(query: exp.Query, text: str, columns: tuple[str, ...]) -> Iterator[Finding]:
    lowered = [column.lower() for column in columns]
    # Behind a star it is not known which item a column belongs to.
    items = query.selects if len(query.selects) == len(columns) else []
    for place, column in enumerate(columns):
        line, start = position(text, items[place]) if items else (1, 1)
        if not column:
            written = items[place].sql("mysql") if items else f"column {place + 1}"
            fact = f"column {place + 1} of the result has no name: {written}"
            yield Finding("mart-columns", fact, f"write {written} AS name", ("query",), line or 1, start or 1)
        elif lowered.index(column.lower()) < place:
            fact = f"two columns of the result are called {column!r}"
            advice = "give one of them another name with AS"
            yield Finding("mart-columns", fact, advice, ("query",), line or 1, start or 1)


def _incremental_findings(query: exp.Query, mart: Mart, marts: frozenset[str]) -> Iterator[Finding]:
    if mart.materialize.incremental is None:
        return
    yield from problems(query, mart.materialize.incremental.partition, mart.query)
    for table in tables(query):
        if table.name in marts:
            fact = f"an incremental mart reads replicated tables only, and {table.name!r} is a mart"
            yield _at(table, mart.query, ("query",), "mart-partition", fact, "use `materialize: table`")


def _index_findings(mart: Mart, columns: tuple[str, ...], long: frozenset[str]) -> Iterator[Finding]:
    for place, names in enumerate(mart.indexes):
        yield from _missing(names, columns, ("indexes", place))
        for number, name in enumerate(names):
            if name.lower() in long:
                fact = f"{name!r} is a long text, which MySQL indexes in parts only"
                advice = f"leave it out, or select CAST({name} AS CHAR(200)) AS {name}"
                yield Finding("mart-indexes", fact, advice, ("indexes", place, number))
    if mart.indexes and mart.materialize.view is not None:
        yield Finding("mart-indexes", "a view has no indexes", "remove them, or use `materialize: table`", ("indexes",))


def check_findings(
    name: str, checks: Iterable[Check], columns: tuple[str, ...], known: Tables, families: Families | None = None
) -> Iterator[Finding]:
    """What is wrong with the checks of a mart or a replicated table.

    Args:
        name: its name.
        checks: its checks.
        columns: its columns; none if they are not known.
        known: what else there is.
        families: what its columns hold.
    """
    beside = replace(known, columns={**known.columns, name: columns}, keys={**known.keys, name: None})
    for place, check in enumerate(checks):
        key = ("checks", place, check.kind)
        if check.kind in ("unique", "not_null"):
            yield from _missing(check.value, columns, key)
        elif check.kind in ("between", "accepted", "relationship"):
            for column in check.value:
                yield from _missing((column,), columns, key, last=column)
            yield from _unfit(check, families or {}, key)
        if check.relationship is not None:
            yield from _relationship_findings(check, beside, key)
        if check.empty is not None:
            yield from _empty_findings(name, check.empty, beside, key)


def _unfit(check: Check, families: Families, key: tuple[str | int, ...]) -> Iterator[Finding]:
    """Values that a column of its family can never have, or never be compared with."""
    for column in check.between or {}:
        family = families.get(column.lower(), "number")
        if family != "number":
            fact = f"{column!r} holds {_SAID[family]}, and between compares numbers"
            advice = "use `accepted`, or `empty` with a query"
            yield Finding("check-type", fact, advice, (*key, column), severity=Severity.WARNING)
    for column, values in (check.accepted or {}).items():
        held = families.get(column.lower())
        for place, value in enumerate(values):
            if held == "number" and isinstance(value, str) and not _is_number(value):
                fact = f"{column!r} holds numbers, and never {value!r}"
                yield Finding("check-type", fact, "correct the value", (*key, column, place), severity=Severity.WARNING)


_SAID = {"text": "texts", "moment": "dates or times"}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _relationship_findings(check: Check, known: Tables, key: tuple[str | int, ...]) -> Iterator[Finding]:
    """Tables that do not exist, and columns of copies, are told by the rules of replicated tables."""
    for column, referred in (check.relationship or {}).items():
        if referred.table in known.marts and referred.table in known.columns:
            names = tuple(known.columns[referred.table])
            yield from _missing((referred.column,), names, (*key, column), last="column", of=referred.table)


def _empty_findings(name: str, text: str, known: Tables, key: tuple[str | int, ...]) -> Iterator[Finding]:
    try:
        yield from _query_findings(name, parse(text, key), text, known, key)
    except QueryInvalid as error:
        yield error.finding
    except RecursionError:
        yield Finding("sql-syntax", TOO_DEEP, "split it", key, 1, 1)
    except SqlglotError as error:
        yield Finding("sql-syntax", f"the SQL cannot be understood: {error}", "", key, 1, 1)


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
