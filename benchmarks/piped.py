"""A table's full load by Vitrina and by raw pipes, each into a database of its own that must hold the same rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import median

from benchmarks import raw
from benchmarks.result import Result
from benchmarks.rounds import closing
from benchmarks.vitrina import Measured, replicate
from tests.services import Server
from tests.services.databases import SourceDatabase, TargetDatabase

AT_LEAST = 0.95
"""Of the best raw pipe's speed."""

OURS = "ours"

Content = tuple[object, ...]

_PIPES = {"1 stream": 1, "2 streams": 2, "4 streams": 4}


@dataclass(frozen=True)
class Piped:
    """A table of ids from 1 on.

    Attributes:
        select: the query of the raw pipe, for the ids from one number to another.
        content: the query of how many rows a copy has, and of a checksum.
    """

    source: SourceDatabase
    server: Server
    table: str
    select: str
    content: str

    def ways(self) -> dict[str, Callable[[], Measured]]:
        """Every way by its name; before, one load that is not counted."""
        definition, content = self._warm_up()
        pipe = partial(self._pipe, definition, content)
        return {
            **{name: partial(pipe, streams) for name, streams in _PIPES.items()},
            OURS: partial(self._load, content),
        }

    def _warm_up(self) -> tuple[str, Content]:
        """It fills the caches, and gives the table and the content that the raw pipe has to match."""
        with closing(TargetDatabase(self.server)) as target:
            self._replicate(target)
            return str(target.rows(f"SHOW CREATE TABLE {self.table}")[0][1]), target.rows(self.content)[0]

    def _load(self, content: Content) -> Measured:
        with closing(TargetDatabase(self.server)) as target:
            took = self._replicate(target)
            require(target, self.content, content)
            return took

    def _pipe(self, definition: str, content: Content, streams: int) -> Measured:
        with closing(TargetDatabase(self.server)) as target:
            target.execute(definition)
            rows = int(str(content[0]))
            seconds = raw.load(self.source, target, rows, streams, self.table, self.select)
            require(target, self.content, content)
            return Measured(rows, seconds, peak_memory=0)

    def _replicate(self, target: TargetDatabase) -> Measured:
        return replicate(self.source.url, target.url, table=self.table, source_table=self.table)


def require(target: TargetDatabase, query: str, content: Content) -> None:
    """A fast load of something else would prove nothing."""
    if (found := target.rows(query)[0]) != content:
        raise RuntimeError(f"the copies differ: (rows, checksum) {found} instead of {content}")


def against_the_best(what: str, took: Mapping[str, tuple[Measured, ...]]) -> Result:
    """Ours against the raw pipe with the best median."""
    seconds = {way: tuple(each.seconds for each in took[way]) for way in (*_PIPES, OURS)}
    best = min(_PIPES, key=lambda way: median(seconds[way]))
    note = ", ".join(f"{way} {median(seconds[way]):.3g} s" for way in _PIPES)
    against = f"raw pipe, {best}"
    return Result(what, seconds[OURS], against=against, theirs=seconds[best], at_least=AT_LEAST, note=note)
