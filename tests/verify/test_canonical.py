"""Canonical forms: a value and its copy share one, two values never do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framework.databases.canonical import NUMBERS, Form
from framework.databases.postgres.canonical import PostgresCanonical
from framework.databases.postgres.catalog import describe
from framework.types import LogicalType
from tests.databases.conformance import logical
from tests.replicate.anywhere import Anywhere
from tests.verify.values import TYPES, VALUES

FEW = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


class Both:
    """The canonical texts of a table of a key `id` and columns `c0`, `c1`..., and of its copy."""

    def __init__(self, anywhere: Anywhere) -> None:
        self.anywhere = anywhere
        anywhere.settings.pop("cursor")
        anywhere.settings.update(source_table="v", table="v", mode="full")

    def fill(self, **columns: tuple[str, Sequence[object]]) -> None:
        """A column each of a type and values, in rows side by side; and the copy."""
        run = self.anywhere.source.execute
        run("DROP TABLE IF EXISTS v")
        run(f"CREATE TABLE v (id bigint PRIMARY KEY, {', '.join(f'{n} {type_}' for n, (type_, _) in columns.items())})")
        most = max(len(values) for _, values in columns.values())
        run("INSERT INTO v (id) SELECT generate_series(0, %s)", most)
        for name, (type_, values) in columns.items():
            numbered = "unnest(%s::text[]) WITH ORDINALITY AS u(value, number)"
            run(f"UPDATE v SET {name} = value::{type_} FROM {numbered} WHERE id = number - 1", list(map(str, values)))
        self.anywhere()

    def texts(self, *, filled: bool = False) -> dict[str, tuple[list[str], list[str]]]:
        """By column, of all rows: the source's, the copy's; ``filled``: of which it is said that none is NULL."""
        with self.anywhere.postgres.session() as session:
            described = describe(session, "public", "v")
        assert described is not None
        return {column.name: self._texts(column.name, column.type, filled) for column in described.columns}

    def _texts(self, name: str, type_: LogicalType, filled: bool) -> tuple[list[str], list[str]]:
        canonical, quoted = self.anywhere.target.canonical, self.anywhere.target.dialect.quote(name)
        theirs = canonical.row([(quoted, type_)], [quoted] if filled else ())
        return self.ask(PostgresCanonical(canonical.form).text(f'"{name}"', type_), theirs)

    def rows(self, type_: str, *columns: str) -> tuple[list[str], list[str]]:
        """The numbers of all rows, made of some columns of one type: the source's, the copy's."""
        canonical, quoted = self.anywhere.target.canonical, self.anywhere.target.dialect.quote
        postgres, known = PostgresCanonical(canonical.form), logical(type_)
        return self.ask(
            postgres.number(postgres.row([(f'"{name}"', known) for name in columns])),
            canonical.number(canonical.row([(quoted(name), known) for name in columns])),
        )

    def ask(self, ours: str, theirs: str) -> tuple[list[str], list[str]]:
        """An expression of all rows of the source, and one of the copy's."""
        target = self.anywhere.target
        with self.anywhere.postgres.session() as reading:
            source = reading.query(f"SELECT {ours} FROM v ORDER BY id")
        with target.session() as session:
            copy = session.query(f"SELECT {theirs} FROM {target.dialect.quote('v')} ORDER BY id")
        return [_text(row[0]) for row in source], [_text(row[0]) for row in copy]


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


@pytest.fixture
def both(anywhere: Anywhere) -> Both:
    for statement in TYPES:
        anywhere.source.execute(statement)
    return Both(anywhere)


def test_a_value_and_its_copy_share_a_text_and_no_two_values_do(both: Both) -> None:
    names = {f"c{number}": type_ for number, type_ in enumerate(VALUES)}
    both.fill(**{name: (type_, VALUES[type_]) for name, type_ in names.items()})
    signed = both.anywhere.target.canonical.form(logical("double precision")) is Form.DOUBLE
    for name, (ours, theirs) in both.texts().items():
        type_ = names.get(name, "bigint")
        assert ours == theirs, type_
        distinct = len(VALUES.get(type_, ())) + 1
        if type_ in ("real", "double precision") and not signed:
            distinct -= 1  # -0 is 0
        if name != "id":
            assert len(set(ours)) == distinct, (type_, ours)
    for ours, theirs in both.texts(filled=True).values():
        assert ours == theirs


def test_every_finite_double_is_told_apart_by_its_bits(both: Both) -> None:
    doubles = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=200)
    reals = st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), max_size=200)

    @FEW
    @given(doubles, reals)
    def check(doubles: list[float], reals: list[float]) -> None:
        both.fill(d=("double precision", [repr(one) for one in doubles]), r=("real", [repr(one) for one in reals]))
        for ours, theirs in both.texts().values():
            assert ours == theirs

    check()


def test_any_text_number_and_moment(both: Both) -> None:
    texts = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), max_size=60)
    numbers = st.lists(st.decimals(-(10**34), 10**34, allow_nan=False, places=25), max_size=60)
    moments = st.lists(st.datetimes(), max_size=60)
    blobs = st.lists(st.binary(max_size=3 * 1024), max_size=20)

    @FEW
    @given(texts, numbers, moments, blobs)
    def check(texts: list[str], numbers: list[Decimal], moments: list[datetime], blobs: list[bytes]) -> None:
        times = [str(moment.time()) for moment in moments]
        both.fill(
            t=("text", texts),
            n=("numeric", numbers),
            p=("numeric(65,30)", numbers),
            m=("timestamp", moments),
            z=("timestamptz", [f"{moment}+00" for moment in moments]),
            d=("date", [moment.date() for moment in moments]),
            c=("time", times),
            b=("bytea", ["\\x" + blob.hex() for blob in blobs]),
        )
        for ours, theirs in both.texts().values():
            assert ours == theirs

    check()


def test_neighbours_cannot_trade_characters(both: Both) -> None:
    pairs = [(None, "x"), ("x", None), ("", "x"), ("x", ""), (None, None), ("", ""), (None, ""), ("", None)]
    pairs += [("a,b", "c"), ("a", "b,c"), ("1:a", ""), ("", "1:a"), (":", ""), ("0:", ""), ("x1:", "y"), ("x", "1:y")]
    both.fill(a=("text", []), b=("text", []))
    for number, (left, right) in enumerate(pairs):
        both.anywhere.source.execute("INSERT INTO v VALUES (%s, %s, %s)", number + 10, left, right)
    both.anywhere()
    ours, theirs = both.rows("text", "a", "b")
    assert ours == theirs
    assert len(set(ours)) == len(pairs)  # the row that `fill` makes is (NULL, NULL), too
    assert all(0 <= int(number) < NUMBERS for number in ours)


def test_a_row_of_a_thousand_columns(both: Both) -> None:
    names = [f"c{number}" for number in range(900)]
    both.fill(**{name: ("integer", [number]) for number, name in enumerate(names)})
    ours, theirs = both.rows("integer", *names)
    assert ours == theirs
    assert len(set(ours)) == 2
