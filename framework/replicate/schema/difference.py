"""The difference between a copy and what its source and its spec say now.

A column of the source is known by its number in the catalog, so that one with a new name is told from a new one, and a
new one from another that had its name. What the source has changed goes by `schema_change`. What the author of the spec
has changed is done, or refused where the copy could not follow.
"""

from __future__ import annotations

from dataclasses import replace

from framework.databases.base import Alteration, Dialect
from framework.databases.mysql.names import folded
from framework.replicate.schema import premises
from framework.replicate.schema.change import Change, Evolution, Outcome
from framework.replicate.schema.pairing import is_there, paired
from framework.replicate.schema.structure import Shape, Structure
from framework.replicate.schema.widening import Step, keeps_text, step
from framework.spec.evolving import SchemaChange
from framework.tables import Column, Index
from framework.types import DOCUMENT_KINDS, TEXT_KINDS, Kind, LogicalType

LONGEST_IN_KEYS = 768
"""Characters of a text that a unique index of MySQL can hold."""


def between(
    old: Structure, new: Structure, policy: SchemaChange, dialect: Dialect | None = None, *, fresh: bool = False
) -> Evolution:
    """What has changed, and how the copy follows.

    Args:
        old: what the copy is made of.
        new: what it would be made of now.
        policy: what to do about changes of the source.
        dialect: of the copy, where it is known.
        fresh: the copy is made anew anyway, so that only the policies can refuse.
    """
    following = _Following(old, new, policy, dialect, fresh)
    following.follow()
    return following.evolution()


class _Following:
    def __init__(
        self, old: Structure, new: Structure, policy: SchemaChange, dialect: Dialect | None, fresh: bool
    ) -> None:
        self._old, self._new, self._policy, self._dialect, self._fresh = old, new, policy, dialect, fresh
        self._pairs = paired(old, new)
        self._changes: list[Change] = []
        self._renamed: list[tuple[str, str]] = []
        self._dropped: list[str] = []
        self._added: list[str] = []
        self._changed: list[str] = []
        self._kept = {column.name: column for column in old.kept}
        self._shapes = {column.name: column for column in new.columns}
        self._unindexed: list[Index] = []

    def follow(self) -> None:
        """Look at everything, once."""
        if not self._fresh:
            self._changes.extend(premises.changes(self._old, self._new, self._pairs))
        for before, after in self._pairs.renamed:
            self._rename(before, after)
        for before, after in (*self._pairs.same, *self._pairs.renamed):
            self._compare(before, after)
        for column in self._pairs.gone:
            self._lose(column)
        for column in self._pairs.come:
            self._gain(column)
        self._forget_kept()
        if not self._fresh:
            self._index()

    def evolution(self) -> Evolution:
        """What was seen."""
        how = Alteration(
            renamed=tuple(self._renamed),
            dropped=tuple(self._dropped),
            added=tuple(self._added),
            changed=tuple(self._changed),
            unindexed=tuple(self._unindexed),
        )
        columns = tuple(self._shapes[column.name] for column in self._new.columns)
        structure = replace(self._new, columns=columns, kept=tuple(self._kept.values()))
        if self._fresh:
            return Evolution(tuple(self._changes), Alteration(), (), structure)
        backfill = how.added if self._policy.backfill == "all" else ()
        return Evolution(tuple(self._changes), how, backfill, structure)

    # One kind of change each

    def _gain(self, column: Shape) -> None:
        again = any(column.name == gone.name for gone in self._pairs.gone)
        news = column.origin is not None and not is_there(column.origin, column.number, self._old, self._new)
        if again and not news and not self._fresh:
            self._refuse(f"column {column.name} is made of something else")
            return
        if news:
            how = "was dropped in the source and made anew" if again else "is new in the source"
            fact = f"column {column.name} ({column.type}) {how}"
        else:
            fact = f"the spec {'copies' if column.origin else 'computes'} column {column.name} ({column.type}), too"
        if news and self._policy.add == "refuse":
            self._refuse(fact, f"allow it with `add: apply`, or leave it out with `except: [{column.origin}]`")
            return
        if not self._fresh:
            self._added.append(column.name)
            self._shapes[column.name] = _nullable(column)
        which = "all rows" if self._fresh or self._policy.backfill == "all" else "rows that change from now on"
        self._do(fact, f"it is added, with its values in {which}")

    def _lose(self, column: Shape) -> None:
        gone = column.origin is not None and not is_there(column.origin, column.number, self._new, self._old)
        if any(folded(column.name) == folded(come.name) for come in self._new.columns):
            self._dropped.append(column.name)  # another one has its name now
        elif gone and self._policy.drop == "keep":
            self._kept[column.name] = Column(column.name, column.type)
            self._changed.append(column.name)
            then = "it stays in the copy, NULL in rows that are written from now on"
            self._do(f"column {column.name} is gone from the source", then)
        elif gone or self._fresh or self._policy.drop == "apply":
            self._dropped.append(column.name)
            fact = "is gone from the source" if gone else "is not copied any more"
            self._do(f"column {column.name} {fact}", "it is dropped")
        else:
            self._refuse(f"the spec does not copy column {column.name} any more", "allow it with `drop: apply`")

    def _rename(self, before: Shape, after: Shape) -> None:
        if before.origin == after.origin:
            fact = f"column {before.name} is called {after.name} in the spec"
        else:
            fact = f"column {before.name} is called {after.name} in the source"
            if self._policy.rename == "refuse":
                fix = (
                    f"keep its name with `columns: {{{before.name}: {after.origin}}}`, or allow it with `rename: apply`"
                )
                self._refuse(fact, fix)
                return
        if self._fresh:
            self._do(fact, "it is renamed")
        elif self._pairs.exchange(after.name):
            self._refuse(f"{fact}, and another column was called so")
        else:
            self._renamed.append((before.name, after.name))
            self._do(fact, "it is renamed")

    def _compare(self, before: Shape, after: Shape) -> None:
        if not self._fresh:
            if before.masked != after.masked:
                self._refuse(f"column {after.name} is {'masked' if after.masked else 'not masked any more'}")
                return
            if before.said != after.said:
                self._refuse(f"column {after.name} is computed in another way")
                return
            # What was rejected is not in the copy.
            if before.policy != after.policy and (before.policy != "reject" or after.policy == "text"):
                self._refuse(f"`out_of_range` of column {after.name} was {before.policy}, is {after.policy}")
                return
            self._shapes[after.name] = _nullable(after) if before.nullable else after
        self._retype(before, after)

    def _retype(self, before: Shape, after: Shape) -> None:
        if before.origin is None or after.origin is None:
            if not self._fresh:
                self._take(before, after, before.type, after.type, step(before.type, after.type, self._dialect))
            return
        was, is_ = self._old.known[before.origin].type, self._new.known[after.origin].type
        if not after.masked and after.policy != "text":
            self._take(before, after, before.type, after.type, step(before.type, after.type, self._dialect))
        elif not keeps_text(was, is_):
            self._take(before, after, was, is_, Step.OTHER)

    def _take(self, before: Shape, after: Shape, was: LogicalType, is_: LogicalType, kind: Step) -> None:
        """A change of type, of the source or of what the spec computes."""
        fact = f"column {after.name} is {is_} (was {was})"
        if kind is Step.OTHER and self._policy.narrow == "refuse":
            self._refuse(fact, "allow it with `narrow: refill`, which copies the table anew")
        elif kind is Step.OTHER:
            outcome = Outcome.DONE if self._fresh else Outcome.REFILL
            self._changes.append(Change(fact, outcome, "the table is copied anew"))
        elif kind is Step.WIDER:
            self._widen(after, fact)
        elif after.nullable and not before.nullable and after.name not in self._new.key:
            self._widen(after, f"column {after.name} may be NULL")

    def _widen(self, after: Shape, fact: str) -> None:
        if after.origin is not None and self._policy.widen == "refuse":
            self._refuse(fact, "allow it with `widen: apply`")
            return
        self._changed.append(after.name)
        self._do(fact, "the fresh copy has it" if self._fresh else "the copy's column is changed in place")

    def _forget_kept(self) -> None:
        """Columns that were kept, and whose time is over: their names are needed, or they are wanted no more."""
        names = {folded(column.name) for column in self._new.columns}
        for name in [column.name for column in self._old.kept]:
            if folded(name) in names:
                self._dropped.append(name)
                del self._kept[name]
            elif self._policy.drop == "apply":
                self._dropped.append(name)
                del self._kept[name]
                self._do(f"column {name}, which is gone from the source, was kept", "it is dropped")

    def _index(self) -> None:
        names = self._pairs.names
        before = {
            Index(tuple(names.get(name, name) for name in columns), unique)
            for unique, lists in ((False, self._old.indexes), (True, self._old.unique))
            for columns in lists
        }
        after = [
            *(Index(columns) for columns in self._new.indexes),
            *(Index(columns, unique=True) for columns in self._new.unique),
        ]
        for index in after:
            if index not in before:
                self._make(index)
        for index in sorted(before - set(after), key=lambda index: index.columns):
            self._unindexed.append(index)
            self._do(f"the {_name(index)} is not in the spec any more", "it is dropped")

    def _make(self, index: Index) -> None:
        long = [name for name in index.columns if index.unique and _is_long(self._shapes.get(name))]
        if long:
            fact = f"{_name(index)} is in the spec, and {', '.join(long)} may hold longer texts than it can"
            self._refuse(f"a {fact}")
        else:
            self._do(f"{'a' if index.unique else 'an'} {_name(index)} is in the spec", "it is made")

    def _do(self, fact: str, then: str) -> None:
        self._changes.append(Change(fact, Outcome.DONE, then))

    def _refuse(self, fact: str, fix: str = "") -> None:
        self._changes.append(Change(fact, Outcome.REFUSED, fix))


def _nullable(column: Shape) -> Shape:
    return replace(column, nullable=True)


def _is_long(column: Shape | None) -> bool:
    """Whether a column has texts that the key of a unique index may not hold, so that its type would be another."""
    if column is None or column.type.kind not in (*TEXT_KINDS, *DOCUMENT_KINDS, Kind.TEXTUAL, Kind.BYTES):
        return False
    return column.type.length is None or column.type.length > LONGEST_IN_KEYS


def _name(index: Index) -> str:
    return f"{'unique index' if index.unique else 'index'} on ({', '.join(index.columns)})"
