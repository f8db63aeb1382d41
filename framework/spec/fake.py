"""The rules that fill columns with fake data."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, Strict, StringConstraints

from framework import units
from framework.spec.persona import Part
from framework.spec.shapes import (
    MAPPING,
    MAPPING_OR_PLAIN,
    PLAIN,
    Duration,
    Empty,
    Locale,
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
Lowest = Annotated[
    Number, Field(description="smaller numbers become this one; by default there is no lower limit", examples=[1])
]
Highest = Annotated[
    Number, Field(description="larger numbers become this one; by default there is no upper limit", examples=[5000])
]
Weight = Annotated[float, Field(ge=0)]
Choice = Annotated[
    Annotated[dict[str, Weight], Field(min_length=1), MAPPING]
    | Annotated[tuple[Scalar, ...], Strict(False), Field(min_length=1), PLAIN],
    MAPPING_OR_PLAIN,
]


class Sequence(Model):
    """Consecutive numbers in the order of the rows: `start`, `start + step`, ..."""

    start: int = Field(1, description="the number of the first row", examples=[1, 1000])
    step: Annotated[int, Field(ge=1)] = Field(
        1, description="the difference between the numbers of two rows", examples=[1, 10]
    )


class Faker(Model):
    """A provider of the Faker library, with its arguments."""

    provider: Name = Field(
        description="a provider of the Faker library; those that count from today's date are refused",
        examples=["email", "name", "sentence"],
    )
    locale: Locale | None = Field(None, description="the provider's locale; by default the pipeline's `locale`")
    arguments: dict[str, Any] = Field(
        {}, description="the provider's keyword arguments; by default none", examples=[{"nb_words": 4}]
    )


class Persona(Model):
    """A part of the person that a row speaks of: all such parts of a row, with one locale, agree."""

    part: Part = Field(
        description="gender (male, female), first_name, last_name, full_name, user_name, email, phone, street, city, "
        "postcode or address",
        examples=["full_name", "email"],
    )
    locale: Locale | None = Field(None, description="where the person lives; by default the pipeline's `locale`")


class Integer(Model):
    """Whole numbers, each as likely as the other, both ends included."""

    min: int = Field(description="the smallest number, included", examples=[1])
    max: int = Field(description="the largest number, included", examples=[9])


class Normal(Model):
    """Numbers of a normal distribution, clipped to `min` and `max`."""

    mean: Number = Field(description="the mean", examples=[300])
    sigma: Annotated[float, Field(gt=0)] = Field(description="the standard deviation", examples=[90])
    min: Lowest | None = None
    max: Highest | None = None


class Lognormal(Model):
    """Numbers whose natural logarithm is normal with `mean` and `sigma`, clipped to `min` and `max`."""

    mean: Number = Field(description="the mean of the natural logarithm: the median is e to this power", examples=[3.2])
    sigma: Annotated[float, Field(gt=0)] = Field(
        description="the standard deviation of the natural logarithm", examples=[0.8]
    )
    min: Lowest | None = None
    max: Highest | None = None


class Zipf(Model):
    """Whole numbers 1 to `max`; the number k has a weight of 1 / k ** `exponent`."""

    exponent: Annotated[float, Field(gt=0)] = Field(
        1.0, description="how fast the weights fall; the larger, the more often the number is 1", examples=[1.2]
    )
    max: Annotated[int, Field(ge=1)] = Field(description="the largest number, included", examples=[100])


class DateRange(Model):
    """Days from `from` to `to`, both included."""

    from_: DateText = Field(
        alias="from", description="the first day: a date, a distance from the pipeline's `now` such as -2y, or now"
    )
    to: DateText = Field(description="the last day, included: a date, a distance such as +30d, or now")


class DatetimeRange(Model):
    """Points in time from `from` to `to`, both included."""

    from_: InstantText = Field(
        alias="from",
        description="the first instant: a date or date-time (UTC if it has no offset), a distance from the pipeline's "
        "`now` such as -2y, or now",
    )
    to: InstantText = Field(
        description="the last instant: a date or date-time (UTC if it has no offset), a distance such as +30d, or now"
    )


class Near(Model):
    """A point in time at most `within` away from a column of the row, or of one it refers to (`table.column`)."""

    column: Name = Field(
        description="a date or timestamp to start from: a column of the row, or `table.column` of a row it refers to",
        examples=["created_at", "customers.created_at"],
    )
    within: Duration = Field(description="the largest distance from it, included", examples=["90d", "1h"])


class ArrayOf(Model):
    """Between `min` and `max` values of one rule."""

    of: FakeRule = Field(
        description="the rule of the elements; it cannot read other columns",
        examples=["word", {"integer": {"min": 1, "max": 9}}],
    )
    min: Annotated[int, Field(ge=0)] = Field(0, description="the fewest elements", examples=[0, 1])
    max: Annotated[int, Field(ge=0)] = Field(description="the most elements", examples=[4])


class Fake(OneOf):
    """How a column is filled. A bare text is `sequence`, `uuid`, or the name of a Faker provider."""

    sequence: Sequence | None = Field(
        None, description="consecutive numbers", examples=[{}, {"start": 1000}, {"start": 1, "step": 10}]
    )
    uuid: Empty | None = Field(None, description="random UUIDs of version 4", examples=[{}])
    faker: Annotated[Faker, text_means("provider")] | None = Field(
        None,
        description="values of a provider of the Faker library: its name, or a mapping with its arguments",
        examples=["isbn13", {"provider": "sentence", "arguments": {"nb_words": 4}}],
    )
    persona: Annotated[Persona, text_means("part")] | None = Field(
        None,
        description="a part of the person that the row speaks of; all parts of a row agree: names, gender, e-mail",
        examples=["full_name", {"part": "email", "locale": "de_DE"}],
    )
    choice: Choice | None = Field(
        None,
        description="one of a list, each as likely as the other, or of a mapping of values to weights",
        examples=[["books", "games", "sport"], {"RU": 60, "KZ": 25, "NO": 15}],
    )
    integer: Integer | None = Field(
        None, description="whole numbers, each as likely as the other", examples=[{"min": 1, "max": 9}]
    )
    normal: Normal | None = Field(
        None,
        description="numbers of a normal distribution",
        examples=[{"mean": 300, "sigma": 90, "min": 20, "max": 1500}],
    )
    lognormal: Lognormal | None = Field(
        None,
        description="numbers whose natural logarithm is normal: many small ones and few large ones, such as prices",
        examples=[{"mean": 3.2, "sigma": 0.8, "min": 1, "max": 5000}],
    )
    zipf: Zipf | None = Field(
        None,
        description="whole numbers from 1, the smaller the more frequent, such as ranks",
        examples=[{"max": 100, "exponent": 1.2}],
    )
    date: DateRange | None = Field(
        None,
        description="days between two days, each as likely as the other",
        examples=[{"from": "1950-01-01", "to": "2006-12-31"}],
    )
    datetime: DatetimeRange | None = Field(
        None,
        description="points in time between two others, each as likely as the other",
        examples=[{"from": "-2y", "to": "now"}],
    )
    after: Near | None = Field(
        None,
        description="later than another column, never beyond now",
        examples=[{"column": "created_at", "within": "30d"}],
    )
    before: Near | None = Field(
        None, description="earlier than another column", examples=[{"column": "updated_at", "within": "60d"}]
    )
    template: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="text with other columns in braces: `{first_name}-{id}`", examples=["{first_name}-{id}"]
    )
    pattern: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="`#` becomes a digit, `?` a capital letter, all else stays", examples=["SALE-##"]
    )
    expression: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="arithmetic over other columns of the row: + - * / // %, round, abs, min, max, floor, ceil",
        examples=["price * quantity", "round(price * 1.2, 2)"],
    )
    json_: dict[str, FakeRule] | None = Field(
        None,
        alias="json",
        description="a JSON object with a rule for each key",
        examples=[{"language": {"choice": ["en", "ru"]}, "binding": {"constant": "hard"}}],
    )
    array: ArrayOf | None = Field(
        None,
        description="a PostgreSQL array or a JSON array of values of one rule",
        examples=[{"of": "word", "min": 0, "max": 4}],
    )
    constant: Scalar | None = Field(None, description="the same value in all rows", examples=["hard", 0, True])


def _expand(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return {value: {}} if value in ("sequence", "uuid") else {"faker": {"provider": value}}


FakeRule = Annotated[
    Fake, Shorthand(_expand, {"type": "string", "minLength": 1, "examples": ["sequence", "uuid", "email"]})
]

ArrayOf.model_rebuild()
Fake.model_rebuild()
