"""What a reply model reads, in words that can be held against any contract."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import reduce
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AliasChoices, AliasPath, AwareDatetime, BaseModel

PLAIN: dict[object, str] = {
    str: "string",
    int: "integer",
    bool: "boolean",
    float: "number",
    Decimal: "string",
    datetime: "instant",
    AwareDatetime: "instant",
    type(None): "null",
    Any: "any",
    object: "any",
    dict: "object",
}


@dataclass(frozen=True)
class Wants:
    """What an annotation takes: JSON types (`instant` is a string), values, and what is inside.

    `values` are those of a Literal; None where any string will do.
    """

    kinds: frozenset[str] = frozenset()
    values: frozenset[object] | None = None
    items: Wants | None = None
    models: tuple[type[BaseModel], ...] = ()

    @property
    def null(self) -> bool:
        return bool(self.kinds & {"null", "any"})

    @property
    def anything(self) -> bool:
        return "any" in self.kinds

    def one_of(self, *kinds: str) -> bool:
        return self.anything or bool(self.kinds & set(kinds))

    def __or__(self, other: Wants) -> Wants:
        return Wants(
            self.kinds | other.kinds,
            _joined(self, other),
            self.items or other.items,
            (*self.models, *other.models),
        )


def _joined(one: Wants, two: Wants) -> frozenset[object] | None:
    """A union of Literals knows their values; beside a plain string any value will do."""
    if "string" in (one.kinds | two.kinds) and any(
        "string" in w.kinds and w.values is None for w in (one, two)
    ):
        return None
    found = [values for values in (one.values, two.values) if values is not None]
    return frozenset().union(*found) if found else None


@dataclass(frozen=True)
class Wanted:
    """A field of a reply model by the name that it has in the answer; `owner` is `Model.field`."""

    name: str
    owner: str
    required: bool
    wants: Wants = field(default_factory=Wants)


def wants(annotation: object) -> Wants:
    """What an annotation of a reply model takes."""
    if annotation in PLAIN:
        return Wants(frozenset({PLAIN[annotation]}))
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return wants(arguments[0])
    if origin in (Union, types.UnionType):
        return reduce(lambda one, two: one | two, map(wants, arguments))
    if origin is Literal:
        return _literal(arguments)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return Wants(frozenset({"object"}), models=(annotation,))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return Wants(frozenset({"object"}))
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return Wants(frozenset({"array"}), items=wants(arguments[0]) if arguments else None)
    raise TypeError(f"a reply model holds {annotation!r}, which the contract check can't read")


def _literal(values: tuple[object, ...]) -> Wants:
    kinds = frozenset(PLAIN[type(value)] for value in values)
    told = frozenset(value for value in values if value is not None)
    return Wants(kinds, values=told or None)


def fields(model: type[BaseModel]) -> Iterator[Wanted]:
    """The fields that a model reads."""
    for name, info in model.model_fields.items():
        alias = info.validation_alias or info.alias or name
        if isinstance(alias, AliasPath | AliasChoices):
            raise TypeError(f"{model.__name__}.{name} has an alias that the contract check can't read")
        yield Wanted(alias, f"{model.__name__}.{name}", info.is_required(), wants(info.annotation))


def without_null(found: Wants) -> Wants:
    return replace(found, kinds=found.kinds - {"null"})
