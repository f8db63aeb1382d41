"""The rules that fill columns with fake data."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, Strict, StringConstraints

from framework import units
from framework.spec.shapes import (
    MAPPING,
    MAPPING_OR_PLAIN,
    PLAIN,
    Duration,
    Model,
    Name,
    OneOf,
    Scalar,
    Shorthand,
    text_means,
)

DateText = Annotated[
    str, StringConstraints(pattern=f"{units.DATE}|{units.RELATIVE}|^now$"), Field(examples=["1990-01-31", "-2y", "now"])
]
InstantText = Annotated[
    str,
    StringConstraints(pattern=f"{units.DATE}|{units.DATETIME}|{units.RELATIVE}|^now$"),
    Field(examples=["2024-01-31T12:00:00Z", "-2y", "now"]),
]
Number = int | float
Weight = Annotated[float, Field(ge=0)]
Choice = Annotated[
    Annotated[dict[str, Weight], Field(min_length=1), MAPPING]
    | Annotated[tuple[Scalar, ...], Strict(False), Field(min_length=1), PLAIN],
    MAPPING_OR_PLAIN,
]


class Sequence(Model):
    """Consecutive numbers: ``start``, ``start + step``, ..."""

    start: int = 1
    step: Annotated[int, Field(ge=1)] = 1


class Faker(Model):
    """A provider of the Faker library, with its arguments."""

    provider: Name
    locale: Name | None = None
    arguments: dict[str, Any] = {}


class Integer(Model):
    """Whole numbers, each as likely as the other, both ends included."""

    min: int
    max: int


class Normal(Model):
    """Numbers of a normal distribution, clipped to ``min`` and ``max``."""

    mean: Number
    sigma: Annotated[float, Field(gt=0)]
    min: Number | None = None
    max: Number | None = None


class Lognormal(Model):
    """Numbers whose natural logarithm is normal with ``mean`` and ``sigma``, clipped to ``min`` and ``max``."""

    mean: Number
    sigma: Annotated[float, Field(gt=0)]
    min: Number | None = None
    max: Number | None = None


class Zipf(Model):
    """Whole numbers 1 to ``max``; the number k has a weight of 1 / k ** ``exponent``."""

    exponent: Annotated[float, Field(gt=0)] = 1.0
    max: Annotated[int, Field(ge=1)]


class DateRange(Model):
    """Days from ``from`` to ``to``, both included."""

    from_: DateText = Field(alias="from")
    to: DateText


class DatetimeRange(Model):
    """Points in time from ``from`` to ``to``."""

    from_: InstantText = Field(alias="from")
    to: InstantText


class Near(Model):
    """A point in time at most ``within`` away from a column of the row, or of one it refers to (``table.column``)."""

    column: Name
    within: Duration


class ArrayOf(Model):
    """Between ``min`` and ``max`` values of one rule."""

    of: FakeRule
    min: Annotated[int, Field(ge=0)] = 0
    max: Annotated[int, Field(ge=0)]


class Fake(OneOf):
    """How a column is filled. A bare text is ``sequence``, ``uuid``, or the name of a Faker provider."""

    sequence: Sequence | None = None
    uuid: Model | None = Field(None, description="random UUIDs of version 4")
    faker: Annotated[Faker, text_means("provider")] | None = None
    choice: Choice | None = Field(None, description="one of a list, or of a mapping of values to weights")
    integer: Integer | None = None
    normal: Normal | None = None
    lognormal: Lognormal | None = None
    zipf: Zipf | None = None
    date: DateRange | None = None
    datetime: DatetimeRange | None = None
    after: Near | None = Field(None, description="later than another column, never beyond now")
    before: Near | None = Field(None, description="earlier than another column")
    template: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="text with other columns in braces: `{first_name}-{id}`", examples=["{first_name}-{id}"]
    )
    pattern: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="`#` becomes a digit, `?` a capital letter, all else stays", examples=["SALE-##"]
    )
    expression: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="arithmetic over other columns of the row", examples=["price * quantity"]
    )
    json_: dict[str, FakeRule] | None = Field(None, alias="json", description="an object with a rule for each key")
    array: ArrayOf | None = None
    constant: Scalar | None = None


def _expand(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return {value: {}} if value in ("sequence", "uuid") else {"faker": {"provider": value}}


FakeRule = Annotated[
    Fake, Shorthand(_expand, {"type": "string", "minLength": 1, "examples": ["sequence", "uuid", "email"]})
]

ArrayOf.model_rebuild()
Fake.model_rebuild()
