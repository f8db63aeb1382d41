"""Whether a type holds all values of another one, each with the same form in the copy."""

from __future__ import annotations

import re
from enum import Enum

from framework.databases.base import Dialect
from framework.databases.limits import decimal_of
from framework.types import INTEGER_KINDS, Kind, LogicalType

DIGITS = {Kind.SMALLINT: 5, Kind.INTEGER: 10, Kind.BIGINT: 19}
MICROSECONDS = 6

_TIMES = frozenset({Kind.TIME, Kind.TIMETZ, Kind.TIMESTAMP, Kind.TIMESTAMPTZ})
_TEXTS = frozenset({Kind.VARCHAR, Kind.TEXT})
_KIND_SAYS_ALL = (
    INTEGER_KINDS
    | _TEXTS
    | {Kind.NUMERIC, Kind.CHAR, Kind.BOOLEAN, Kind.REAL, Kind.DOUBLE, Kind.BYTES, Kind.DATE, Kind.UUID}
)
_FRACTION = re.compile(r"\((\d)\)")
_FAMILY = re.compile(r"^(?:enum|composite|range|extension) ")


class Step(Enum):
    """What a change of type is."""

    NONE = "none"
    WIDER = "wider"
    """Every value stays what it was, and others have room, too."""
    OTHER = "other"


def step(old: LogicalType, new: LogicalType, dialect: Dialect | None = None) -> Step:
    """What the change from one type to another is; ``dialect``: of the copy, where it is known."""
    if _said(old) == _said(new):
        return Step.NONE
    wider = _is_wider(old, new) and (dialect is None or _is_cast_exactly(old, new, dialect))
    return Step.WIDER if wider else Step.OTHER


def keeps_text(old: LogicalType, new: LogicalType) -> bool:
    """Whether PostgreSQL's text of every value stays, so that what is computed of the text does."""
    kinds = {old.kind, new.kind}
    return _said(old) == _said(new) or (_is_wider(old, new) and (kinds <= INTEGER_KINDS or kinds <= _TEXTS))


def _said(type_: LogicalType) -> tuple[object, ...]:
    """The same for two names of one type."""
    if type_.kind in _KIND_SAYS_ALL:
        scale = None if type_.precision is None else type_.scale or 0
        return type_.kind, type_.length, type_.precision, scale
    if type_.kind in _TIMES:
        return type_.kind, _fraction(type_)
    # Whether PostgreSQL writes a type's schema depends on the role's search path.
    return type_.kind, _FAMILY.sub("", type_.name.lower()).rpartition(".")[2], type_.length


def _is_wider(old: LogicalType, new: LogicalType) -> bool:
    if old.kind in INTEGER_KINDS and new.kind in INTEGER_KINDS:
        return DIGITS[new.kind] > DIGITS[old.kind]
    if new.kind is Kind.NUMERIC and old.kind in (*INTEGER_KINDS, Kind.NUMERIC):
        return _has_more_digits(old, new)
    if old.kind in _TEXTS and new.kind in _TEXTS:
        return new.length is None or (old.length is not None and new.length > old.length)
    return old.kind is new.kind and old.kind in _TIMES and _fraction(new) > _fraction(old)


def _has_more_digits(old: LogicalType, new: LogicalType) -> bool:
    """Whether no digit is lost, in PostgreSQL and in the copy."""
    if old.kind is Kind.NUMERIC and old.precision is None:
        return False
    if new.precision is not None and (new.scale or 0) < (old.scale or 0):
        return False
    digits, scale = decimal_of(new)
    before, after = (DIGITS[old.kind], 0) if old.kind in INTEGER_KINDS else decimal_of(old)
    return digits - scale >= before - after and scale >= after


def _is_cast_exactly(old: LogicalType, new: LogicalType, dialect: Dialect) -> bool:
    """Where numbers become texts, a number that PostgreSQL has given more places has another text than the copy's."""
    natives = [str(dialect.column_type(type_, indexed=False)) for type_ in (old, new)]
    becomes_text = [native.startswith(("VARCHAR", "LONGTEXT")) for native in natives] == [False, True]
    return not becomes_text or new.scale is None or new.scale == (old.scale or 0)


def _fraction(type_: LogicalType) -> int:
    found = _FRACTION.search(type_.name)
    return int(found[1]) if found else MICROSECONDS
