"""A random table, corrupted at random: all that was planted is found, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framework.verify.verdict import Kind
from tests.verify.conftest import Verifying
from tests.verify.values import TYPES, VALUES

KEYS = {"integer": "id bigint", "text": "id text", "pair": "id bigint, and_ text"}
# Values that some target keeps as one.
ALIKE = {"real", "double precision"}


@dataclass(frozen=True)
class Planted:
    """A table, and what is done to its copy. Cells are places in the type's values; None is NULL."""

    key: str
    types: tuple[str, ...]
    rows: tuple[tuple[int | None, ...], ...]
    lost: frozenset[int]
    moved: dict[int, tuple[int, int]]
    """By row, a column, and the row whose value of it comes instead."""
    added: bool

    def differs(self, row: int) -> bool:
        """Whether the cell that is replaced is another one then."""
        column, other = self.moved[row]
        return self.rows[row][column] != self.rows[other][column]


@st.composite
def planted(draw: st.DrawFn) -> Planted:
    types = tuple(draw(st.lists(st.sampled_from(sorted(VALUES.keys() - ALIKE)), min_size=1, max_size=5)))
    cells = st.tuples(*(st.none() | st.integers(0, len(VALUES[type_]) - 1) for type_ in types))
    rows = tuple(draw(st.lists(cells, min_size=2, max_size=40)))
    numbers = st.integers(0, len(rows) - 1)
    lost = draw(st.frozensets(numbers, max_size=3))
    swaps = st.dictionaries(numbers, st.tuples(st.integers(0, len(types) - 1), numbers), max_size=5)
    moved = {row: swap for row, swap in draw(swaps).items() if row not in lost}
    return Planted(draw(st.sampled_from(sorted(KEYS))), types, rows, lost, moved, draw(st.booleans()))


def test_all_that_was_planted_is_found_and_nothing_else(verifying: Verifying) -> None:
    for statement in TYPES:
        verifying.source.execute(statement)

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(planted())
    def check(case: Planted) -> None:
        _make(verifying, case)
        assert verifying().is_equal
        values = {row: _cell(verifying, case, *swap) for row, swap in case.moved.items()}
        for row, value in values.items():
            column = case.moved[row][0]
            _change(verifying, f"UPDATE `copy` SET c{column} = %s WHERE n = %s", value, row)
        for row in case.lost:
            _change(verifying, "DELETE FROM `copy` WHERE n = %s", row)
        if case.added:
            verifying.copy.execute(_addition(case))
        expected = {
            Kind.DIFFERENT: sum(map(case.differs, case.moved)),
            Kind.MISSING: len(case.lost),
            Kind.EXTRA: int(case.added),
        }
        verdict = verifying()
        assert verdict.counts == {kind: rows for kind, rows in expected.items() if rows}
        assert (verdict.changed, verdict.undecided) == (0, 0)
        for difference in verdict.differences:
            if difference.kind is Kind.DIFFERENT:
                row = int(dict(difference.key)["id"] or "")
                assert [value.column for value in difference.values] == [f"c{case.moved[row][0]}"]

    check()


def _make(verifying: Verifying, case: Planted) -> None:
    columns = ", ".join(f"c{number} {type_}" for number, type_ in enumerate(case.types))
    names = "id, and_" if case.key == "pair" else "id"
    run = verifying.source.execute
    run("DROP TABLE IF EXISTS t")
    run(f"CREATE TABLE t ({KEYS[case.key]}, n int, {columns}, PRIMARY KEY ({names}))")
    for number, row in enumerate(case.rows):
        key: tuple[object, ...] = (number, "é") if case.key == "pair" else (str(number),)
        cells = [None if cell is None else VALUES[type_][cell] for type_, cell in zip(case.types, row, strict=True)]
        slots = ", ".join(["%s"] * (len(key) + 1 + len(cells)))
        run(f"INSERT INTO t VALUES ({slots})", *key, number, *cells)
    verifying.anywhere.settings.pop("cursor", None)
    verifying.anywhere.settings.update(mode="full")
    verifying.leave()
    verifying.anywhere({"full_refresh": True})


def _change(verifying: Verifying, sql: str, *parameters: object) -> None:
    target = verifying.anywhere.target
    with target.session() as session:
        session.execute(sql.replace("`", target.dialect.quote("")[0]), parameters)


def _cell(verifying: Verifying, case: Planted, column: int, row: int) -> object:
    return verifying.copy.query(f"SELECT c{column} FROM `copy` WHERE n = %s", row)[0][0]


def _addition(case: Planted) -> str:
    names, values = ("id, and_", "-1, 'new'") if case.key == "pair" else ("id", "'-1'")
    return f"INSERT INTO `copy` ({names}) VALUES ({values})"
