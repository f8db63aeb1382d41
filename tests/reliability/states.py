"""The states of a run, each with the place in the engine where a process that dies leaves it behind.

docs/reliability.md tells why each is safe; a test holds that the two name the same states.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class State:
    """A state in which a run may die.

    Attributes:
        name: as in docs/reliability.md.
        where: a function of the engine, with its module.
        before: the process dies before it is called, not after it has returned.
        of: counts only calls with an argument that has this in its text.
        occurrence: how many calls there are until then.
    """

    name: str
    where: str
    before: bool = False
    of: str = ""
    occurrence: int = 1

    @property
    def in_adapter(self) -> bool:
        """Whether the place is in the adapter of the target, and so the server's own ways matter most."""
        return self.where.startswith(_MYSQL)


def _before(name: str, where: str, of: str = "", occurrence: int = 1) -> State:
    return State(name, where, before=True, of=of, occurrence=occurrence)


_REPLICATE = "framework.replicate."
_MYSQL = "framework.databases.mysql."
_EXECUTE = f"{_MYSQL}session.MySQLSession.execute"
_SWAP = f"{_MYSQL}session.MySQLSession.swap"
_JOURNAL = f"{_REPLICATE}journal.Journal."
_MERGE = f"{_REPLICATE}merging._Merge."
_MARTS = "framework.marts."
_ORDERS = "table='orders'"
"""In the text of a job: that of the table some of whose rows cannot go."""

FIRST = (
    _before("bookkeeping.made", "framework.bookkeeping._say"),
    State("bookkeeping.version", "framework.bookkeeping._say"),
    _before("fill.marked", "framework.generate.filling._Fill._load"),
    _before("fill.loaded", "framework.generate.marker.write", "LOADED"),
    _before("fill.untied", "framework.generate.filling._Fill._tie"),
    State("lease.taken", "framework.lease._acquire", of="accounts"),
)
"""States of a run that finds an empty target and a source that was never filled."""

FULL = (
    State("full.cleared", f"{_REPLICATE}job.Job.clear_leftovers"),
    State("full.journal", f"{_JOURNAL}begin"),
    State("full.shadow", f"{_REPLICATE}full.begin"),
    State("full.claimed", f"{_JOURNAL}claim"),
    _before("full.streaming", f"{_REPLICATE}job.Counter.__call__"),
    State("full.census", f"{_REPLICATE}reconciliation.first"),
    _before("full.rows", f"{_JOURNAL}note"),
    State("full.rejects", f"{_REPLICATE}quarantine.stage", of=_ORDERS),
    State("full.noted", f"{_JOURNAL}note"),
    State("full.part", f"{_REPLICATE}phases._load"),
    _before("full.parts", f"{_REPLICATE}phases.merge"),
    _before("full.indexed", "framework.checks.require"),
    State("full.state", f"{_REPLICATE}state.write"),
    State("full.recorded", f"{_REPLICATE}quarantine.record", of=_ORDERS),
    State("full.finished", f"{_JOURNAL}finish"),
    _before("full.committed", _SWAP, "_vitrina_shadow"),
    State("full.released", f"{_MYSQL}constraints.release", of="accounts"),
    State("full.renamed", _EXECUTE, of="RENAME TABLE"),
    State("full.swapped", _SWAP, of="_vitrina_shadow"),
    _before("full.verify", f"{_REPLICATE}phases.verify"),
    _before("lease.kept", "framework.lease._release"),
    _before("constraints.begun", f"{_REPLICATE}constraints._declare"),
    _before("constraints.looked", f"{_MYSQL}session.MySQLSession.add_foreign_key"),
    State("constraints.declared", f"{_MYSQL}session.MySQLSession.add_foreign_key"),
    _before("mart.listed", f"{_MARTS}increment._take_off_the_list"),
)
"""States of a run that fills all tables anew."""

APART = (
    State("apart.part", f"{_REPLICATE}phases.load", occurrence=2),
    State("apart.attempt", f"{_REPLICATE}full._begin_attempt"),
    State("apart.staged", f"{_REPLICATE}staging.fill"),
    State("apart.adopted", f"{_REPLICATE}quarantine.adopt"),
    State("apart.merged", f"{_REPLICATE}merging.merge"),
    State("apart.caught-up", f"{_REPLICATE}full._catch_up"),
    _before("apart.verify", f"{_REPLICATE}phases.verify"),
)
"""States of a full load whose parts are read at different times."""

RESUMED = (
    State("resume.renamed", f"{_MYSQL}session.MySQLSession.rename_table", of="_vitrina_shadow"),
    State("resume.taken", f"{_JOURNAL}take_over"),
    State("resume.begun", f"{_REPLICATE}resume.go_on"),
    State("resume.emptied", f"{_REPLICATE}reuse._Refresh._delete"),
    State("resume.read", f"{_REPLICATE}reuse._Refresh._read_changed", occurrence=2),
    State("resume.refreshed", f"{_REPLICATE}reuse.refresh"),
    State("resume.part", f"{_REPLICATE}phases._load", of="table='accounts'"),
    _before("resume.parts", f"{_REPLICATE}phases.merge", "table='accounts'"),
)
"""States of a run that goes on with a full load which died, in one snapshot."""

APART_RESUMED = (
    State("resume.kept", f"{_REPLICATE}resume.go_on"),
    _before("resume.joined", f"{_REPLICATE}full._catch_up"),
    State("resume.caught-up", f"{_REPLICATE}full._catch_up"),
)
"""States of one that does so in parts which are read at different times."""

INCREMENT = (
    _before("increment.begun", f"{_REPLICATE}incremental.begin"),
    State("increment.staging", f"{_REPLICATE}incremental.begin"),
    State("increment.census", f"{_REPLICATE}census.Counting.total"),
    State("increment.gone", f"{_REPLICATE}keys.Keys.remove"),
    State("increment.keys", f"{_REPLICATE}reconciliation.reconcile"),
    State("increment.rejects", f"{_REPLICATE}quarantine.stage", of=_ORDERS),
    _before("increment.noting", f"{_JOURNAL}note", "Loaded(rows=0"),
    _before("increment.loaded", f"{_REPLICATE}incremental.finish"),
    State("increment.guarded", "framework.lease.Lease.guard"),
    State("merge.compared", f"{_MERGE}drop_unchanged"),
    State("merge.fused", f"{_MERGE}count_gone"),
    State("merge.captured", f"{_MARTS}capture.Captures.record"),
    State("merge.gone", f"{_MERGE}delete_gone"),
    _before("merge.deleted", f"{_REPLICATE}duplicates.named"),
    State("merge.overwritten", f"{_MERGE}overwrite"),
    State("merge.replaced", f"{_MERGE}replace_rows"),
    State("merge.captured-again", f"{_MARTS}capture.Captures.record", of="orders", occurrence=2),
    _before("merge.unreferenced", f"{_MYSQL}session.MySQLSession.drop_foreign_keys", "vitrina_orders"),
    State("merge.reference-dropped", f"{_MYSQL}session.MySQLSession.drop_foreign_keys", of="vitrina_orders"),
    State("merge.state", f"{_REPLICATE}state.write"),
    State("merge.rejects", f"{_REPLICATE}quarantine.record", of=_ORDERS),
    State("merge.finished", f"{_JOURNAL}finish"),
    _before("merge.committed", f"{_REPLICATE}job.Job.discard"),
    State("merge.tidied", f"{_REPLICATE}incremental.finish"),
    State("mart.made", f"{_MYSQL}session.MySQLSession.create_table_as", of="_vitrina_build_by_kind"),
    _before("mart.checked", _SWAP, "_vitrina_build_by_kind"),
    State("mart.swapped", _SWAP, of="_vitrina_build_by_kind"),
    State("mart.seen", f"{_MARTS}increment._look"),
    _before("mart.partitions", f"{_MARTS}increment._draft_query"),
    State("mart.drafted", f"{_MYSQL}session.MySQLSession.create_view", of="_vitrina_draft_by_day"),
    _before("mart.replacing", _EXECUTE, "DELETE FROM `_vitrina_touched` WHERE mart = %s AND part"),
    State("mart.partition", f"{_MARTS}increment._replace"),
    State("mart.replaced", f"{_MARTS}build.refresh"),
    State("view.drafted", f"{_MYSQL}session.MySQLSession.create_view", of="_vitrina_draft_busiest"),
    State("view.remembered", f"{_MARTS}build._remember_view"),
    State("view.replaced", f"{_MYSQL}session.MySQLSession.create_view", of="busiest", occurrence=2),
)
"""States of a run that brings changes, deletes among them, and builds marts."""

ALTERED = (
    _before("alter.begun", f"{_REPLICATE}evolve.alter"),
    State("alter.altered", f"{_MYSQL}session.MySQLSession.alter_table"),
    State("alter.indexed", f"{_REPLICATE}evolve.alter"),
    _before("alter.hidden", f"{_REPLICATE}evolve.reveal"),
    State("alter.shown", f"{_MYSQL}session.MySQLSession.alter_table", of="more", occurrence=2),
    State("alter.revealed", f"{_REPLICATE}evolve.reveal"),
)
"""States of a run that follows a change of the source's columns."""

TICK = (
    _before("tick.changed", "framework.generate.marker.write"),
    State("tick.marked", "framework.generate.marker.write"),
    State("tick.committed", "framework.generate.ticks.changes.Ticks.perform"),
)
"""States of a run that makes a tick."""

HALFWAY = State("full.part", f"{_REPLICATE}phases._load", of="table='accounts'", occurrence=2)
"""Where a load dies that is to be gone on with."""

GROUPS = {
    "first": FIRST,
    "full": FULL,
    "apart": APART,
    "resumed": RESUMED,
    "apart-resumed": APART_RESUMED,
    "increment": INCREMENT,
    "altered": ALTERED,
    "tick": TICK,
}
ALL = tuple(state for group in GROUPS.values() for state in group)
