"""Where a table was, and what has changed since."""

from __future__ import annotations

import threading

from framework.databases.postgres import position
from framework.databases.postgres.source import PostgresSource
from tests.services.databases import SourceDatabase


def test_positions(source: SourceDatabase) -> None:
    source.execute("CREATE TABLE t (id int)")
    postgres = PostgresSource("pg", source.url)
    with postgres.session() as session:
        before = position.position(session, "public.t", children=True)
        assert before == position.Position.from_text(before.as_text())
        open_ = source.connect()
        with open_.cursor() as cursor:
            cursor.execute("INSERT INTO t VALUES (1)")
            during = position.position(session, "public.t", children=True)
            open_.commit()
        after = position.position(session, "public.t", children=True)
        open_.close()
        assert before.floor is not None
        assert during.floor is not None
        assert after.floor is not None
        assert before.floor <= during.floor < after.floor
        rows = session.query(f"SELECT {position.changed(during)}, {position.changed(after)} FROM t")
        assert rows == [(True, False)]
        assert position.changed(position.Position(None, "", None)) is None
        source.execute("CREATE VIEW v AS SELECT 1")
        assert position.position(session, "public.v", children=True).counted is None
    postgres.close()


def test_a_source_that_never_rests_has_a_floor(source: SourceDatabase) -> None:
    """Transactions may have begun behind the statement's snapshot, all that are open among them."""
    source.execute("CREATE TABLE t (id int)")
    source.execute("INSERT INTO t VALUES (1)")
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            source.execute("UPDATE t SET id = id + 1")

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    postgres = PostgresSource("pg", source.url)
    try:
        with postgres.session() as session:
            floors = [position.position(session, "public.t", children=True).floor for _ in range(300)]
        assert None not in floors
    finally:
        done.set()
        for writer in writers:
            writer.join()
        postgres.close()
