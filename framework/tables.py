"""The relational vocabulary: tables as both the specs and the databases describe them."""

from __future__ import annotations

from dataclasses import dataclass, field

from framework.types import LogicalType


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        default: PostgreSQL's expression for rows that do not say; None if there is none, or it is not known.
        comment: what people say of it.
    """

    name: str
    type: LogicalType
    nullable: bool = True
    default: str | None = None
    comment: str = ""


@dataclass(frozen=True)
class Index:
    """An index.

    Attributes:
        whole: it holds whole values, and not the beginnings of long ones; unique indexes always do.
    """

    columns: tuple[str, ...]
    unique: bool = False
    whole: bool = False


@dataclass(frozen=True)
class ForeignKey:
    """``columns`` of the owning table point at ``referred_columns`` of ``referred_table``.

    Attributes:
        referred_schema: where the referred table is; None where it is the owning table's schema.
    """

    columns: tuple[str, ...]
    referred_table: str
    referred_columns: tuple[str, ...]
    on_delete: str = "no action"
    on_update: str = field(default="no action", compare=False)  # specs do not say these two
    referred_schema: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Table:
    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    indexes: tuple[Index, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    schema: str | None = None
    comment: str = ""

    def column(self, name: str) -> Column | None:
        """The column called ``name``, or None."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)
