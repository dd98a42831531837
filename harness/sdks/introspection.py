"""Type annotations and pydantic models of an SDK, read without knowledge of the SDK.

Only ``typing`` is used to read annotations, so this works with every SDK version; a type that
cannot be read has no words.
"""

from __future__ import annotations

import types
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

if TYPE_CHECKING:
    from collections.abc import Iterator


def members(annotation: Any) -> Iterator[Any]:
    """Yield the alternatives of a union, however it is aliased, annotated or nested."""
    if hasattr(annotation, "__value__"):
        yield from members(annotation.__value__)
    elif get_origin(annotation) is Annotated:
        yield from members(get_args(annotation)[0])
    elif get_origin(annotation) in {Union, types.UnionType}:
        for alternative in get_args(annotation):
            yield from members(alternative)
    else:
        yield annotation


def literals(annotation: Any) -> frozenset[str]:
    """Return the words of an annotation: its literals and the values of its enums."""
    return frozenset(word for member in members(annotation) for word in _words(member))


def tags(annotation: Any, field: str = "type") -> frozenset[str]:
    """Return the words that distinguish the models of a union: the literals of one field."""
    return frozenset(
        word for model in members(annotation) for word in literals(annotation_of(model, field))
    )


def fields(model: Any) -> frozenset[str]:
    """Return the names of a model's fields."""
    return frozenset(getattr(model, "model_fields", {}))


def annotation_of(model: Any, field: str) -> Any:
    """Return the annotation of a model's field; None if there is no such field."""
    found = getattr(model, "model_fields", {}).get(field)
    return None if found is None else found.annotation


def integer_paths(model: Any, parents: tuple[Any, ...] = ()) -> frozenset[str]:
    """Return the dotted paths of a model's integers, through models and lists of models.

    Args:
        model: the model to read.
        parents: the models that contain it, which are not entered again.
    """
    paths: set[str] = set()
    parents = (*parents, model)
    for name in fields(model):
        for member in _elements(annotation_of(model, name)):
            if member is int:
                paths.add(name)
            elif member not in parents:
                paths.update(f"{name}.{path}" for path in integer_paths(member, parents))
    return frozenset(paths)


def _elements(annotation: Any) -> Iterator[Any]:
    """Yield the alternatives of an annotation, and of the elements of its lists."""
    for member in members(annotation):
        if get_origin(member) is list:
            yield from _elements(get_args(member)[0])
        else:
            yield member


def _words(member: Any) -> Iterator[str]:
    if get_origin(member) is Literal:
        yield from map(str, get_args(member))
    elif isinstance(member, type) and issubclass(member, Enum):
        yield from (str(choice.value) for choice in member)
