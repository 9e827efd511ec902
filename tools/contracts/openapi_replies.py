"""Our reply models against the answers that an OpenAPI contract promises."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from tools.contracts.findings import Difference, Severity
from tools.contracts.graphql_replies import enum_differences, not_enumerated, retyped
from tools.contracts.openapi import OpenApi, Schema, is_open, types_of, values_of
from tools.contracts.wants import Wanted, Wants, fields

FITS = {
    "string": ("string", "instant"),
    "integer": ("integer", "number"),
    "number": ("number",),
    "boolean": ("boolean",),
    "object": ("object",),
    "array": ("array",),
}
WORDS = {"object": "an object", "array": "a list", "integer": "a whole number", "number": "a number"}


def check_reply(contract: OpenApi, schema: object, reply: type[BaseModel]) -> list[Difference]:
    """Where the reply model reads what the contract doesn't promise."""
    return list(
        _Walk(contract).value(schema, Wants(frozenset({"object"}), models=(reply,)), reply.__name__, "")
    )


class _Walk:
    def __init__(self, contract: OpenApi) -> None:
        self.contract = contract

    def value(self, schema: object, wants: Wants, owner: str, place: str) -> Iterator[Difference]:
        if wants.anything:
            return
        if self.contract.nullable(schema) and not wants.null:
            yield _null(place, owner)
        found = [list(self._one(one, wants, owner, place)) for one in self.contract.alternatives(schema)]
        if found:
            yield from min(found, key=lambda one: (_misses_type(one, place), len(one)))

    def _one(self, schema: Schema, wants: Wants, owner: str, place: str) -> Iterator[Difference]:
        types = types_of(schema) - {"null"}
        for kind in sorted(types):
            if not wants.one_of(*FITS.get(kind, (kind,))):
                yield retyped(place, WORDS.get(kind, f"a {kind}"), owner, wants)
                return
        if "array" in types and wants.items is not None:
            yield from self.value(schema.get("items", {}), wants.items, owner, place)
        elif wants.models:
            for model in wants.models:
                yield from self._object(schema, model, place)
        elif wants.values is not None:
            yield from self._literal(schema, wants, owner, place)

    def _literal(self, schema: Schema, wants: Wants, owner: str, place: str) -> Iterator[Difference]:
        values = values_of(schema)
        if values is None:
            yield not_enumerated(place, owner)
        else:
            yield from enum_differences({str(value) for value in values}, wants, owner, place, "the contract")

    def _object(self, schema: Schema, model: type[BaseModel], place: str) -> Iterator[Difference]:
        told = schema.get("properties", {})
        for wanted in fields(model):
            path = f"{place}.{wanted.name}".strip(".")
            if wanted.name in told:
                yield from self._field(schema, wanted, path)
            elif is_open(schema) or not told:
                yield _unknown(path, wanted.owner)
            else:
                yield _gone(path, wanted.owner)

    def _field(self, schema: Schema, wanted: Wanted, path: str) -> Iterator[Difference]:
        inner = schema["properties"][wanted.name]
        if wanted.required and wanted.name not in schema.get("required", ()):
            yield Difference(
                f"reply field {path}",
                f"it may be missing in this version, and {wanted.owner} needs it",
                rule="optional",
                owner=wanted.owner,
            )
        if self.contract.flat(inner).get("deprecated"):
            yield Difference(
                f"reply field {path}", "it is deprecated", Severity.DEPRECATED, "deprecated", wanted.owner
            )
        yield from self.value(inner, wanted.wants, wanted.owner, path)


def _misses_type(found: list[Difference], place: str) -> bool:
    return any(one.rule == "type" and one.where == f"reply field {place}" for one in found)


def _null(place: str, owner: str) -> Difference:
    what = f"it may be null in this version, and {owner} does not take null"
    return Difference(f"reply field {place}", what, rule="null", owner=owner)


def _gone(place: str, owner: str) -> Difference:
    return Difference(
        f"reply field {place}",
        f"it is not in this version, and {owner} reads it",
        rule="gone",
        owner=owner,
    )


def _unknown(place: str, owner: str) -> Difference:
    what = f"the contract does not say which fields there are, and {owner} reads this one"
    return Difference(f"reply field {place}", what, Severity.CHANGES, "unsaid", owner)
