"""Changes that no column shows, and that no copy can follow: another source, key, cursor, filter, mask."""

from __future__ import annotations

import re
from collections.abc import Iterator

from framework.replicate.schema.change import Change, Outcome
from framework.replicate.schema.pairing import Pairs, is_same_table
from framework.replicate.schema.structure import Structure
from framework.replicate.schema.widening import Step, keeps_text, step


def changes(old: Structure, new: Structure, pairs: Pairs) -> Iterator[Change]:
    """What is different beside the columns; all of it is refused."""
    for fact in (*_sources(old, new), *_rules(old, new), *_keys(old, new, pairs), *_cursors(old, new)):
        yield Change(fact, Outcome.REFUSED)


def _sources(old: Structure, new: Structure) -> Iterator[str]:
    if None not in (old.database, new.database) and old.database != new.database:
        yield "the source is another database"
    elif old.source != new.source and not is_same_table(old, new):
        yield f"the source table was {'.'.join(old.source)}, is {'.'.join(new.source)}"


def _rules(old: Structure, new: Structure) -> Iterator[str]:
    if old.forms != new.forms:
        yield "this Vitrina writes some values in another form"
    if old.where != new.where:
        yield f"`where` was {old.where or 'not there'}, is {new.where or 'not there'}"
    if old.children != new.children:
        yield f"`children` was {str(old.children).lower()}, is {str(new.children).lower()}"
    if old.marks != new.marks:
        yield f"rows that are gone from the source are {'marked' if new.marks else 'not marked any more'}"
    if None not in (old.mask, new.mask) and old.mask != new.mask:
        yield "the key of the masks is another one"
    yield from _mentioned(old, new)


def _mentioned(old: Structure, new: Structure) -> Iterator[str]:
    """Source columns that have changed, and by whose values rows are chosen or columns computed."""
    said = {"`where`": new.where} | {f"the expression of {column.name}": column.said for column in new.columns}
    for name, before in old.known.items():
        after = new.known.get(name)
        if after is None:
            continue
        another = is_same_table(old, new) and before.number != after.number
        if another or not keeps_text(before.type, after.type):
            for place, text in said.items():
                if text and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE):
                    what = "another column than it was" if another else f"{after.type} (was {before.type})"
                    yield f"{place} reads {name}, which is {what}"


def _keys(old: Structure, new: Structure, pairs: Pairs) -> Iterator[str]:
    before = {pairs.names.get(name) for name in old.key}
    if before != set(new.key):
        yield f"the key was {', '.join(old.key) or 'none'}, is {', '.join(new.key) or 'none'}"
        if set(old.key) == set(new.key):
            yield "a column of the key is another one of the same name"


def _cursors(old: Structure, new: Structure) -> Iterator[str]:
    was, is_ = old.known.get(old.cursor or ""), new.known.get(new.cursor or "")
    if was is None or is_ is None:
        same = old.cursor == new.cursor
    elif is_same_table(old, new) and None not in (was.number, is_.number):
        same = was.number == is_.number
    else:
        same = old.cursor == new.cursor
    if not same:
        yield f"the cursor was {old.cursor or 'none'}, is {new.cursor or 'none'}"
    elif was is not None and is_ is not None and step(was.type, is_.type) is Step.OTHER:
        yield f"the cursor {new.cursor} is {is_.type} (was {was.type})"
