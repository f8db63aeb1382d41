"""Rules about the limits of the target, which are known before anything connects to it.

They are those of MySQL, for which marts are written, too. DuckDB, the embedded target, has fewer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from framework.databases.limits import decimal_of, holds_all
from framework.databases.mysql import columns as mysql
from framework.databases.mysql.names import LENGTH, folded, is_holdable_table
from framework.errors import UnsupportedType, VitrinaError
from framework.replicate.mapping import PLAN_MASK_KEY, Mapping, match
from framework.spec.declared import table_of
from framework.spec.models import Spec
from framework.tables import Table
from framework.types import LENGTHY_KINDS, Kind, parse_type
from framework.validation.rules.base import HINT, WARNING, Finding, Loc, Rule, once, rule
from framework.validation.rules.lookup import source_of, task_of

_AS_TEXT = {
    **dict.fromkeys((Kind.INTERVAL, Kind.TIMETZ, Kind.TEXTUAL), "its text"),
    **dict.fromkeys((Kind.ARRAY, Kind.COMPOSITE, Kind.DICTIONARY), "the text of a JSON document"),
}
"""Kinds for which MySQL has no type of its own, and what they become."""


@dataclass(frozen=True)
class Copy:
    """A replicated table as it would be made.

    Attributes:
        types: the native type of each column; None if one has none.
    """

    name: str
    mapping: Mapping
    table: Table
    types: dict[str, str] | None
    unsupported: UnsupportedType | None

    def loc(self, column: str) -> Loc:
        """Where the spec speaks of a column of the copy: its setting, else the source's column."""
        task = self.mapping.task
        if column in task.columns:
            loc: Loc = ("replicate", self.name, "columns", column)
            return (*loc, "type") if task.columns[column].sql is not None else loc
        origin = next((own for own, safe in self.mapping.renamed.items() if safe == column), column)
        return ("entities", task.source_table, "columns", origin, "type")


@once
def copies(spec: Spec) -> tuple[Copy, ...]:
    """The replicated tables whose source is declared; those that other rules refuse are left out."""
    return tuple(_copies(spec))


def _copies(spec: Spec) -> Iterator[Copy]:
    for name, mapping in mappings(spec).items():
        if any(parse_type(column.type.name) is None for column in mapping.columns if column.policy != "text"):
            continue  # another rule tells
        table = mapping.table(name)
        known = set(table.column_names)
        if not all(set(index.columns) <= known for index in table.indexes):
            continue
        try:
            yield Copy(name, mapping, table, mysql.native_types(table), None)
        except UnsupportedType as error:
            yield Copy(name, mapping, table, None, error)


@once
def mappings(spec: Spec) -> dict[str, Mapping]:
    """How each table is copied; those are missing whose source is not declared, or declared wrongly."""
    found = {}
    for name in spec.replicate:
        if (source := source_of(spec, name)) is not None:
            with suppress(VitrinaError):  # the rules of replicated tables say what is wrong with it
                found[name] = match(task_of(spec, name), table_of(*source), PLAN_MASK_KEY)
    return found


@rule("no-exact-type")
def no_exact_type(spec: Spec) -> Iterator[Finding]:
    """The target has a type that holds every value of a column."""
    for copy in copies(spec):
        if copy.unsupported is not None:
            name = copy.unsupported.column
            message = f"{copy.name}.{name} is of type {copy.unsupported.type_name}, and MySQL has no such type"
            yield Finding(copy.loc(name), message, _way_out(copy, name))


def _way_out(copy: Copy, name: str) -> str:
    origin = next((column.origin for column in copy.mapping.columns if column.name == name), None)
    if origin is None:
        return "give it another type"
    return f"copy PostgreSQL's text of it: `{name}: {{from: {origin}, out_of_range: text}}` under `columns:`"


@rule("inexact-type", HINT)
def inexact_type(spec: Spec) -> Iterator[Finding]:
    """Some types have no counterpart in MySQL."""
    for copy in copies(spec):
        for column in copy.table.columns:
            if column.type.kind in _AS_TEXT and column.type.name != "text":
                what = _AS_TEXT[column.type.kind]
                message = f"MySQL has no type for {column.type}: {column.name!r} is copied as {what}"
                yield Finding(copy.loc(column.name), message, "leave it out, or compute what is needed with `sql:`")
            elif column.type.kind is Kind.NUMERIC and not holds_all(column.type):
                wide = f"a {column.type}" if column.type.precision else "a numeric without precision"
                become = "DECIMAL({},{})".format(*decimal_of(column.type))
                message = f"{column.name!r} is {wide}, which becomes {become}: a value that does not fit stops the load"
                yield Finding(copy.loc(column.name), message, "say what becomes of them with `out_of_range:`")


@rule("long-key", WARNING)
def long_key(spec: Spec) -> Iterator[Finding]:
    """Texts in primary keys and unique indexes are short."""
    for copy in copies(spec):
        reported: set[str] = set()
        for loc, names in _whole_keys(copy) if copy.types is not None else ():
            for place, name in enumerate(names):
                room, column = _room((copy.types or {})[name]), copy.table.column(name)
                if room is None or column is None or name in reported or column.type.kind not in LENGTHY_KINDS:
                    continue
                unit = "bytes" if column.type.kind is Kind.BYTES else "characters"
                if column.type.length is None or column.type.length > room:
                    reported.add(name)
                    fact = f"{name!r} is of type {column.type}, and MySQL has room for {room} {unit} of it in this key"
                    advice = "declare its length, such as varchar(200), or leave it out of the index"
                    at = loc if loc[-1] == copy.name else (*loc, place)
                    yield Finding(at, f"{fact}: a longer value stops the load", advice, loc[-1] == copy.name)


def _whole_keys(copy: Copy) -> Iterator[tuple[Loc, tuple[str, ...]]]:
    """The keys that hold whole values; other indexes hold beginnings of long ones."""
    settings = copy.mapping.task
    yield ("replicate", copy.name, "key") if settings.key else ("replicate", copy.name), copy.table.primary_key
    for place, names in enumerate(settings.unique):
        yield ("replicate", copy.name, "unique", place), names


def _room(native: str) -> int | None:
    """Characters or bytes of a type with a length."""
    digits = native.partition("(")[2].partition(")")[0]
    return int(digits) if native.startswith("VAR") and digits.isdigit() else None


@rule("key-too-wide")
def key_too_wide(spec: Spec) -> Iterator[Finding]:
    """An index has at most 16 columns, and a key of at most 3,072 bytes."""
    for copy in copies(spec):
        plain: list[tuple[Loc, tuple[str, ...]]] = [
            (("replicate", copy.name, "indexes", place), names) for place, names in enumerate(copy.mapping.task.indexes)
        ]
        for loc, names in (*_whole_keys(copy), *plain):
            on_key = loc[-1] == copy.name
            if len(names) > mysql.KEY_COLUMNS:
                message = f"an index of MySQL has at most {mysql.KEY_COLUMNS} columns, and this one {len(names)}"
                yield Finding(loc, message, "leave some out", on_key)
        for loc, names in _whole_keys(copy) if copy.types is not None else ():
            if (size := mysql.key_bytes(copy.types or {}, names)) > mysql.KEY_BYTES:
                message = f"an index key of MySQL has at most {mysql.KEY_BYTES:,} bytes, and this one {size:,}"
                yield Finding(loc, message, "leave columns out, or shorten their types", loc[-1] == copy.name)


@rule("row-too-wide")
def row_too_wide(spec: Spec) -> Iterator[Finding]:
    """A row fits into 65,535 bytes, and without its long values into a page."""
    for copy in copies(spec):
        if copy.types is None:
            continue
        row, page = mysql.row_bytes(copy.types), mysql.page_bytes(copy.types)
        message, severity = None, None
        if len(copy.types) > mysql.COLUMNS:
            message = f"a table of MySQL has at most {mysql.COLUMNS:,} columns, and {copy.name!r} {len(copy.types):,}"
        elif row > mysql.ROW_BYTES:
            message = f"a row of MySQL has at most {mysql.ROW_BYTES:,} bytes, and one of {copy.name!r} {row:,}"
        elif page > mysql.PAGE_BYTES:
            size = f"{page:,} bytes of a row of {copy.name!r} must stay in one page"
            message = f"{size}, which has room for {mysql.PAGE_BYTES:,}: a row that fills it stops the load"
            severity = WARNING
        if message is not None:
            advice = "copy fewer columns: `only:` or `except:`"
            yield Finding(("replicate", copy.name), message, advice, on_key=True, severity=severity)


@rule("promoted-column", HINT)
def promoted_column(spec: Spec) -> Iterator[Finding]:
    """Where a row would be too long, the widest texts are kept outside of it."""
    for copy in copies(spec):
        promoted = mysql.promoted(copy.table, copy.types) if copy.types is not None else ()
        if promoted:
            become = "become" if len(promoted) > 1 else "becomes"
            message = f"a row of {copy.name!r} would be too long for MySQL, so {', '.join(promoted)} {become} LONGTEXT"
            yield Finding(("replicate", copy.name), message, "shorten the types, or copy fewer columns", on_key=True)


@rule("too-many-indexes")
def too_many_indexes(spec: Spec) -> Iterator[Finding]:
    """A table has at most 64 indexes, its primary key among them."""
    numbers = [
        (("replicate", name), len(one.indexes) + len(one.unique) + _has_key(spec, name))
        for name, one in spec.replicate.items()
    ]
    numbers += [(("marts", name), len(mart.indexes)) for name, mart in spec.marts.items()]
    for loc, number in numbers:
        if number > mysql.INDEXES:
            message = f"a table of MySQL has at most {mysql.INDEXES} indexes, and these are {number}, with the key"
            yield Finding((*loc, "indexes"), message, "remove some", on_key=True)


def _has_key(spec: Spec, table: str) -> bool:
    found = source_of(spec, table)
    return bool(spec.replicate[table].key or (found and found[1].key))


@rule("case-collision")
def case_collision(spec: Spec) -> Iterator[Finding]:
    """Names that differ in their case only are one name to MySQL."""
    for copy in copies(spec):
        seen: dict[str, str] = {}
        for name in copy.table.column_names:
            first = seen.setdefault(folded(name), name)
            if first != name:
                message = f"{first!r} and {name!r} are one column to MySQL, which does not tell case apart"
                advice = "give one of them another name under `columns:`"
                yield Finding(
                    _loc_of(copy, name), message, advice, True, related=((_loc_of(copy, first), "the other"),)
                )
    tables: dict[str, tuple[Loc, str]] = {}
    for section, names in (("replicate", spec.replicate), ("marts", spec.marts)):
        for name in names:
            loc, first = tables.setdefault(folded(name), ((section, name), name))
            if first != name:
                message = f"{first!r} and {name!r} are one table where `lower_case_table_names` is set"
                related = ((loc, "the other"),)
                yield Finding(
                    (section, name), message, "give one another name", True, severity=WARNING, related=related
                )


def _loc_of(copy: Copy, column: str) -> Loc:
    loc = copy.loc(column)
    return loc[:-1] if loc[-1] == "type" else loc


@rule("safe-name", HINT)
def safe_name(spec: Spec) -> Iterator[Finding]:
    """A column whose name MySQL cannot hold gets one that it can."""
    for copy in copies(spec):
        for name, safe in copy.mapping.renamed.items():
            message = (
                f"MySQL cannot hold {name!r} beside the other columns of {copy.name!r}: it is called {safe!r} there"
            )
            loc = ("entities", copy.mapping.task.source_table, "columns", name)
            yield Finding(loc, message, f"choose a name under `columns:`, such as `new_name: {name}`", on_key=True)


@rule("impossible-name")
def impossible_name(spec: Spec) -> Iterator[Finding]:
    """A name is one that MySQL can hold."""
    for loc, name in _names(spec):
        if any(ord(char) > 0xFFFF for char in name):
            yield Finding(loc, f"MySQL has no such characters in names: {name!r}", "use letters", on_key=True)
        elif name != name.rstrip():
            yield Finding(loc, f"a name of MySQL cannot end in a space: {name!r}", "remove it", on_key=True)
        elif _is_table(loc) and len(name) <= LENGTH and not is_holdable_table(name):
            message = f"MySQL cannot name a table's file {name!r}"
            yield Finding(loc, message, "use letters, or a shorter name", on_key=True)


def _is_table(loc: Loc) -> bool:
    return loc[0] in ("replicate", "marts") and len(loc) == len(("section", "name"))


def _names(spec: Spec) -> Iterator[tuple[Loc, str]]:
    for section, tables in (("replicate", spec.replicate), ("marts", spec.marts)):
        for table in tables:
            yield (section, table), table
    for copy in copies(spec):
        for name in copy.table.column_names:
            yield _loc_of(copy, name), name


RULES: tuple[Rule, ...] = (
    no_exact_type,
    inexact_type,
    long_key,
    key_too_wide,
    row_too_wide,
    promoted_column,
    too_many_indexes,
    case_collision,
    safe_name,
    impossible_name,
)
