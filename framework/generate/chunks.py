"""Rows of a fill in chunks of a few megabytes, and how far they have come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np

from framework.events import Reporter
from framework.generate import load
from framework.generate.rules.batch import Drawn, Parents, TableRules

_PROBE = 256
_CHUNK_BYTES = 1 << 20
_FEWEST, _MOST = 256, 32_768


def chunk_maker(rules: TableRules, parents: Parents) -> Callable[[int, int], load.Chunk]:
    """The function that draws and encodes a range of rows."""

    def make(first: int, last: int) -> load.Chunk:
        batch = Drawn(rules, np.arange(first, last, dtype=np.int64), parents)
        return load.encoded(rules.table, [batch.column(name) for name in rules.table.column_names])

    return make


def ranges(rules: TableRules, parents: Parents, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Row ranges whose records take a megabyte each; where they are cut changes no value."""
    if first >= last:
        return
    probe = min(_PROBE, last - first)
    _, data = chunk_maker(rules, parents)(first, first + probe)
    size = min(max(_CHUNK_BYTES * probe // len(data), _FEWEST), _MOST)
    for start in range(first, last, size):
        yield start, min(start + size, last)


class Progress:
    """Tells how many rows are there, ten times a second at most; several threads may add to it."""

    def __init__(self, reporter: Reporter, phase: str, total: int) -> None:
        self._reporter, self._phase, self._total = reporter, phase, total
        self._lock = threading.Lock()
        self._done = 0
        self._told = 0.0

    def add(self, rows: int) -> None:
        """So many more rows are there."""
        with self._lock:
            self._done += rows
            if time.monotonic() - self._told >= 0.1:
                self._tell()

    def finish(self) -> None:
        """All are there."""
        with self._lock:
            self._tell()

    def _tell(self) -> None:
        self._told = time.monotonic()
        self._reporter.progress(self._phase, self._done, self._total)
