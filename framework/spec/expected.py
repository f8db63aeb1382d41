"""What the models expect at a path: the keys a mapping may have, the form of a text."""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, StringConstraints


def keys(model: type[BaseModel], path: Sequence[str | int]) -> tuple[str, ...]:
    """The keys that the mapping at ``path`` may have."""
    return tuple(
        field.alias or name
        for kind in _kinds(model, path)
        if isinstance(kind, type) and issubclass(kind, BaseModel)
        for name, field in kind.model_fields.items()
    )


def pattern(model: type[BaseModel], path: Sequence[str | int]) -> str | None:
    """The pattern that a text at ``path`` must match."""
    for kind in _kinds(model, path):
        if isinstance(kind, StringConstraints) and isinstance(kind.pattern, str):
            return kind.pattern
    return None


def _kinds(model: type[BaseModel], path: Sequence[str | int]) -> list[Any]:
    """The types, and the constraints on them, that a value at ``path`` may have."""
    kinds: list[Any] = [model]
    for step in path:
        # Steps that lead nowhere are pydantic's own: tags of unions, shorthands written out.
        kinds = [inner for kind in kinds for inner in _below(kind, step)] or kinds
    return kinds


def _below(kind: Any, step: str | int) -> Iterator[Any]:
    origin = get_origin(kind)
    if origin is dict and isinstance(step, str):
        yield from _flat(get_args(kind)[1])
    elif origin is tuple and isinstance(step, int):
        yield from _flat(get_args(kind)[0])
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            if step == (field.alias or name):
                yield from _flat(field.annotation)
                yield from field.metadata


def _flat(annotation: Any) -> Iterator[Any]:
    """The alternatives of an annotation, without wrappers."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *metadata = get_args(annotation)
        yield from _flat(inner)
        yield from metadata
    elif origin in (Union, types.UnionType):
        for alternative in get_args(annotation):
            yield from _flat(alternative)
    else:
        yield annotation
