"""pydantic's errors in plain words, each at its place in the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from framework import units
from framework.connections import mask
from framework.diagnostics import Problem, closest, did_you_mean
from framework.spec import expected
from framework.spec.document import Document
from framework.spec.nodes import Mapping, Node, Place, Scalar, Span, find

_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "tuple_type": "a list",
}
"""What pydantic's type errors ask for."""

_NAME = r"^[a-z][a-z0-9_]*$"
_FORMS = {
    units.PERCENT: "a percentage such as 5%",
    units.DURATION: "a duration such as 10min or 90d",
    _NAME: "a name of lower-case letters, digits and underscores that begins with a letter",
}
_DATES = ((units.RELATIVE, "a date such as 2026-01-31, a distance from now such as -2y, or now"),)
_ANY_DATE = "a date such as 2026-01-31 or a date-time such as 2026-01-31T12:00:00Z"

_GROUPED = re.compile(r"[-+]?\d{1,3}([_, ']?\d{3})+|[-+]?\d+(_\d+)+|[-+]?0\d+")
"""Whole numbers in other notations."""
_SPACED = re.compile(r"\s*(?P<number>[-+]?\d+(?:[.,]\d+)?)\s*(?P<unit>%|[A-Za-z]+)\s*")
_UNITS = {
    "ms": ("ms", "milliseconds", "millisecond", "millis"),
    "s": ("s", "sec", "secs", "second", "seconds"),
    "min": ("min", "m", "mins", "minute", "minutes"),
    "h": ("h", "hr", "hrs", "hour", "hours"),
    "d": ("d", "day", "days"),
    "w": ("w", "week", "weeks"),
    "y": ("y", "yr", "year", "years"),
}
_NUMBER = re.compile(r"[-+]?(0|[1-9]\d{0,19})(\.\d{1,20})?")
_UNIT_OF = {name: unit for unit, names in _UNITS.items() for name in names}


@dataclass(frozen=True)
class _Mistake:
    """One or more of pydantic's errors about one node."""

    place: Place
    errors: list[ErrorDetails]

    @property
    def first(self) -> ErrorDetails:
        return self.errors[0]

    @property
    def loc(self) -> tuple[str | int, ...]:
        return self.first["loc"]


def explain(
    error: ValidationError, document: Document, model: type[BaseModel], known: Iterable[Problem]
) -> list[Problem]:
    """The problems behind a validation error, except where there is one of ``known`` already."""
    assert document.root is not None
    taken = {problem.position for problem in known}
    mistakes = _grouped(error.errors(include_url=False), document.root)
    problems = (
        _problem(mistake, document, model)
        for mistake in _without_noise(mistakes, model)
        if mistake.place.node.span.position not in taken
    )
    # What stands behind an anchor is met at each of its aliases.
    return list(dict.fromkeys(problems))


def _grouped(errors: Sequence[ErrorDetails], root: Node) -> list[_Mistake]:
    """The alternatives of a union report one error each; together they are one mistake."""
    mistakes: dict[Any, _Mistake] = {}
    for error in errors:
        place = find(root, error["loc"])
        alone = error["loc"] if error["type"] in ("missing", "extra_forbidden") else None
        mistakes.setdefault((place.path, alone), _Mistake(place, [])).errors.append(error)
    return list(mistakes.values())


def _without_noise(mistakes: list[_Mistake], model: type[BaseModel]) -> list[_Mistake]:
    """Drop what follows from another mistake: a missing key that is there misspelt, a list short of its bad items."""
    paths = {mistake.place.path for mistake in mistakes}
    misspelt = {
        (mistake.loc[:-1], closest(str(mistake.loc[-1]), expected.keys(model, mistake.loc[:-1])))
        for mistake in mistakes
        if mistake.first["type"] == "extra_forbidden"
    }
    return [
        mistake
        for mistake in mistakes
        if not (mistake.first["type"] == "missing" and (mistake.loc[:-1], mistake.loc[-1]) in misspelt)
        and not (mistake.first["type"] == "too_short" and _has_worse_below(mistake.place.path, paths))
    ]


def _has_worse_below(path: tuple[str | int, ...], paths: set[tuple[str | int, ...]]) -> bool:
    return any(len(other) > len(path) and other[: len(path)] == path for other in paths)


def _problem(mistake: _Mistake, document: Document, model: type[BaseModel]) -> Problem:
    place, kind = mistake.place, mistake.first["type"]
    value = place.node.span
    key = place.key or value
    if kind == "extra_forbidden":
        return _unknown_key(mistake, document, model)
    if kind == "missing":
        return _missing_key(mistake, document)
    if mistake.first["input"] is None:
        return document.problem(key, "empty", f"{_named(place)} has no value", "give it a value")
    if kind == "string_too_short" and mistake.loc[-1] == "[key]":
        return document.problem(key, "empty-name", "a name must not be empty", "give it a name")
    rule, message, suggestion = _said(mistake, model)
    return document.problem(value, rule, message, suggestion)


def _named(place: Place) -> str:
    return f"{place.path[-1]!r}" if place.path and isinstance(place.path[-1], str) else "this item"


def _unknown_key(mistake: _Mistake, document: Document, model: type[BaseModel]) -> Problem:
    name = str(mistake.loc[-1])
    known = expected.keys(model, mistake.loc[:-1])
    given = _keys_beside(document, mistake.loc)
    free = tuple(key for key in known if key not in given)
    nearest = closest(name, free)
    if re.fullmatch(r"\d+\)", name):
        advice = 'within braces, a text with a comma needs quotes: "numeric(12,2)"'
    elif nearest is not None:
        advice = f"did you mean {nearest!r}?"
    elif known:
        advice = f"known here: {', '.join(known)}"
    else:
        advice = "nothing may stand here: write {}"
    return document.problem(mistake.place.key or Span(), "unknown-key", f"the key {name!r} is not known here", advice)


def _keys_beside(document: Document, loc: tuple[str | int, ...]) -> frozenset[str]:
    assert document.root is not None
    parent = find(document.root, loc[:-1]).node
    return frozenset(parent.entries) if isinstance(parent, Mapping) else frozenset()


def _missing_key(mistake: _Mistake, document: Document) -> Problem:
    place = mistake.place
    owner = f" of {_named(place)}" if place.key is not None else ""
    return document.problem(
        place.key or place.node.span,
        "missing-key",
        f"the key {mistake.loc[-1]!r}{owner} is missing",
        f"add `{mistake.loc[-1]}: ...`",
    )


def _said(mistake: _Mistake, model: type[BaseModel]) -> tuple[str, str, str]:
    """Rule, message and suggestion of an error about a value."""
    error, place = mistake.first, mistake.place
    kind, context = error["type"], error.get("ctx", {})
    if kind in ("one_of", "empty"):
        return _one_of(place.node, context)
    if kind == "literal_error":
        return _literal(place.node, str(context["expected"]))
    if kind in ("too_short", "string_too_short"):
        return "empty", f"{_named(place)} must not be empty", "give it a value, or remove it"
    if kind == "string_too_long":
        size = len(error["input"])
        return (
            "too-long",
            f"at most {context['max_length']} characters are allowed here, and these are {size}",
            "shorten it",
        )
    bounds = [found for found in map(_bound, mistake.errors) if found]
    if bounds and not isinstance(error["input"], str):
        small = mistake.first["type"].startswith("greater")
        fact = f"{_shown(place.node)} is too {'small' if small else 'large'}: it must be {bounds[0]}"
        return "out-of-range", fact, ""
    return _wrong_type(mistake, model)


def _bound(error: ErrorDetails) -> str | None:
    context = error.get("ctx", {})
    if error["type"] == "greater_than_equal":
        return f"{context['ge']:g} or more"
    if error["type"] == "less_than_equal":
        return f"{context['le']:g} or less"
    return f"more than {context['gt']:g}" if error["type"] == "greater_than" else None


def _one_of(node: Node, context: dict[str, Any]) -> tuple[str, str, str]:
    kinds = str(context["kinds"])
    if context["count"] == 0:
        return "nothing-chosen", "one key is missing here that says what is meant", f"give one of: {kinds}"
    given = [key for key in node.entries if key in kinds.split(", ")] if isinstance(node, Mapping) else []
    return "too-many-keys", f"only one of these keys may be given: {', '.join(given)}", "remove all but one"


def _literal(node: Node, allowed: str) -> tuple[str, str, str]:
    choices = re.findall(r"'([^']*)'", allowed)
    if not choices:
        quoted = isinstance(node, Scalar) and node.quoted
        advice = f"write {allowed}" + (", without quotes" if quoted else "")
        return "wrong-value", f"{_shown(node)} is not possible here", advice
    word = node.text if isinstance(node, Scalar) else ""
    return "wrong-value", f"{_shown(node)} is not one of {', '.join(choices)}", did_you_mean(word, choices)


def _wrong_type(mistake: _Mistake, model: type[BaseModel]) -> tuple[str, str, str]:
    node = mistake.place.node
    form = expected.pattern(model, mistake.loc)
    wanted = [_wanted(error, form) for error in mistake.errors]
    unique = list(dict.fromkeys(wanted))
    if mistake.first["type"] == "model_type" and isinstance(node, Scalar):
        words = expected.keys(model, mistake.loc)
        if node.text in words:
            return "wrong-value", f"{_shown(node)} needs settings", f"write {{{node.text}: ...}}"
        if nearest := closest(node.text, words):
            return "wrong-value", f"{_shown(node)} is not known here", f"did you mean {nearest!r}?"
    if "a number" in unique and "a whole number" in unique:
        unique.remove("a whole number")
    sentence = f"{' or '.join(unique)} is needed here, not {_shown(node)}"
    rule = "wrong-form" if mistake.errors[-1]["type"] == "string_pattern_mismatch" else "wrong-type"
    return rule, sentence, _repair(node, unique, form) or _keys_of(mistake, model)


def _keys_of(mistake: _Mistake, model: type[BaseModel]) -> str:
    """The keys of the mapping that is needed."""
    words = expected.keys(model, mistake.loc) if mistake.first["type"] == "model_type" else ()
    return f"its keys are: {', '.join(words)}" if words else ""


def _wanted(error: ErrorDetails, form: str | None) -> str:
    if error["type"] in ("string_type", "string_pattern_mismatch") and form is not None:
        return _form(form)
    return _WANTED.get(error["type"], "another value")


def _form(pattern: str) -> str:
    if pattern in _FORMS:
        return _FORMS[pattern]
    return next((text for part, text in _DATES if part in pattern), _ANY_DATE)


def _repair(node: Node, wanted: list[str], form: str | None) -> str:
    """How the value would be written right."""
    if not isinstance(node, Scalar):
        return "write it as `- item` lines or `[item]`" if wanted == ["a list"] else ""
    text = node.text
    if wanted == ["a list"]:
        return f"write [{text}]"
    if wanted == ["text"]:
        return f'quote it to make it text: "{text}"'
    if wanted[0] in ("a whole number", "a number") and _GROUPED.fullmatch(text):
        return f"write {int(re.sub('[^0-9+-]', '', text[:40]))}"
    if node.quoted and _NUMBER.fullmatch(text) and "number" in wanted[0]:
        return f"remove the quotes: {text}"
    if wanted[0] in ("a whole number", "a number") and _WHOLE.fullmatch(text):
        return f"write {float(text):.0f}"
    return _with_unit(text, form) or _as_boolean(text, wanted) or _as_name(text, form) or _as_date(text, wanted)


_WHOLE = re.compile(r"\d{1,9}\.0+|\d(\.\d+)?e\+?\d{1,2}")
"""Whole numbers that are written as fractions."""


def _as_name(text: str, form: str | None) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return f"write {name}" if form == _NAME and name and re.fullmatch(_NAME, name) else ""


def _as_date(text: str, wanted: list[str]) -> str:
    match = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text)
    return f"write {match[3]}-{match[2]:0>2}-{match[1]:0>2}" if match and "date" in wanted[0] else ""


def _with_unit(text: str, form: str | None) -> str:
    if form not in (units.PERCENT, units.DURATION):
        return ""
    if _NUMBER.fullmatch(text):
        if form == units.PERCENT:
            share = float(text)
            return f"write {share * 100:g}%, or {text}% if that is meant" if 0 < share < 1 else f"write {text}%"
        return f"add a unit: {text}s, {text}min, {text}h or {text}d"
    match = _SPACED.fullmatch(text)
    if match is None:
        return ""
    unit = "%" if match["unit"] == "%" else _UNIT_OF.get(match["unit"].lower(), "")
    repaired = match["number"].replace(",", ".") + unit
    return f"write {repaired}" if unit and re.fullmatch(form, repaired) else ""


def _as_boolean(text: str, wanted: list[str]) -> str:
    meant = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(text.lower())
    return f"write {meant}" if meant and wanted == ["true or false"] else ""


def _shown(node: Node) -> str:
    """The value as the author wrote it, shortened; variables stay names."""
    if isinstance(node, Scalar):
        if not node.quoted and _NUMBER.fullmatch(node.text):
            return f"the number {node.text}"
        if not node.quoted and node.text in ("true", "false"):
            return node.text
        text = mask(node.text)
        return repr(text if len(text) <= 60 else text[:60] + "…")
    return "a mapping" if isinstance(node, Mapping) else "a list"
