"""Full loads of tables of other shapes than the facts': narrow, wide, and heavy with text; against the raw pipe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.piped import Piped, against_the_best
from benchmarks.result import Result
from benchmarks.rounds import alternately, closing
from benchmarks.scenario import Scenario, Size
from tests.services import Server
from tests.services.databases import SourceDatabase


@dataclass(frozen=True)
class Shape:
    """A table with ids from 1 on.

    Attributes:
        part: of the rows that are asked for, so that all shapes have about as many bytes.
        columns: beside the id, by name: the type, and the value of row ``g``.
    """

    name: str
    part: float
    columns: dict[str, tuple[str, str]]

    @property
    def create(self) -> str:
        """The statement that makes and fills the table, with a slot for the number of rows."""
        values = ", ".join(f"({value})::{type_} AS {name}" for name, (type_, value) in self.columns.items())
        return f"CREATE TABLE {self.name} AS SELECT g AS id, {values} FROM generate_series(1::bigint, %s) AS g"

    @property
    def select(self) -> str:
        """The query of the raw pipe."""
        return f"SELECT id, {', '.join(self.columns)} FROM {self.name} WHERE id BETWEEN %d AND %d"

    @property
    def content(self) -> str:
        """How many rows a copy has, and a checksum of every value, each preceded by its length."""
        values = ", ".join(f"CONCAT(LENGTH({name}), ':', {name})" for name in ("id", *self.columns))
        return f"SELECT COUNT(*), SUM(CRC32(CONCAT_WS('|', {values}))) FROM {self.name}"


SHAPES = (
    Shape("narrow", 2, {"a": ("integer", "mod(g * 7919, 50000)"), "b": ("integer", "mod(g, 100)")}),
    Shape(
        "wide",
        0.15,
        {f"n{place}": ("bigint", f"g * {7919 + place}") for place in range(20)}
        | {f"d{place}": ("numeric(14, 2)", f"mod(g * {7919 + place}, 1000000) / 100.0") for place in range(20)}
        | {f"t{place}": ("varchar(40)", f"'value {place} of row ' || g") for place in range(15)}
        | {f"m{place}": ("timestamp", f"timestamp '2024-01-01' + g * interval '{place}.5 s'") for place in range(5)},
    ),
    Shape(
        "texts",
        0.1,
        {
            "title": ("varchar(200)", "'Строка № ' || g || E', \"в кавычках\"'"),
            "body": ("text", "repeat(E'Съешь же ещё этих мягких булок.\\nThe quick brown fox, ' || g, 20)"),
        },
    ),
)


def run(source_server: Server, target_server: Server, rows: int, rounds: int) -> Iterator[Result]:
    """Each shape by itself; every way into a database of its own, which must hold the same rows in the end."""
    with closing(SourceDatabase(source_server)) as source:
        for shape in SHAPES:
            amount = max(1, int(rows * shape.part))
            source.execute(shape.create, amount)
            source.execute(f"ALTER TABLE {shape.name} ADD PRIMARY KEY (id)")
            source.execute(f"VACUUM ANALYZE {shape.name}")
            piped = Piped(source, target_server, shape.name, shape.select, shape.content)
            what = f"{shape.name}: {amount:,} rows of {1 + len(shape.columns)} columns"
            yield against_the_best(what, alternately(piped.ways(), rounds))


SCENARIO = Scenario(run, full=(Size(1_000_000, 3),), quick=Size(2_000))
