"""An OpenAPI document of any vendor: its operations, and its schemas with everything resolved.

Reads 3.0 (`nullable`) and 3.1 (`type: [string, "null"]`): https://spec.openapis.org/oas/
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tools.contracts.findings import NotAContract
from tools.contracts.openapi_form import refuse_malformed

Schema = Mapping[str, Any]
EMPTY: Schema = {}
DEEPEST = 12


@dataclass(frozen=True)
class Found:
    """An operation of the contract with the parameters of its path."""

    method: str
    path: str
    content: Schema
    parameters: tuple[Schema, ...]

    @property
    def deprecated(self) -> bool:
        return bool(self.content.get("deprecated"))


class OpenApi:
    """A parsed contract."""

    def __init__(self, content: Schema) -> None:
        self.content = content
        info = content.get("info", EMPTY)
        self.version = str(info.get("version", "") if isinstance(info, Mapping) else "")
        self.trimmed = "x-trimmed" in content

    def resolve(self, schema: object) -> Schema:
        """The schema itself, for a reference what it points to; an empty one where that leads nowhere."""
        for _ in range(DEEPEST):
            if not isinstance(schema, Mapping):
                return EMPTY
            if not isinstance(schema.get("$ref"), str):
                return schema
            schema = self._at(schema["$ref"])
        return EMPTY

    def _at(self, reference: str) -> object:
        place: object = self.content
        for step in reference.removeprefix("#/").split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            place = place.get(name) if isinstance(place, Mapping) else None
        return place

    def flat(self, schema: object) -> Schema:
        """A schema with its reference resolved and its allOf merged, so that its fields stand in one place."""
        found = self.resolve(schema)
        if "allOf" not in found:
            return found
        merged: dict[str, Any] = {key: value for key, value in found.items() if key != "allOf"}
        for part in found["allOf"]:
            inner = self.flat(part)
            for key, value in inner.items():
                if key == "properties":
                    merged[key] = {**value, **merged.get(key, {})} if isinstance(value, Mapping) else value
                elif key == "required":
                    merged[key] = sorted({*merged.get(key, ()), *value})
                else:
                    merged.setdefault(key, value)
        return merged

    def alternatives(self, schema: object) -> tuple[Schema, ...]:
        """The schemas of which a value has one; null is left out, see `nullable`."""
        found = self.flat(schema)
        members = found.get("anyOf") or found.get("oneOf")
        if not members:
            return (found,)
        outer = {key: value for key, value in found.items() if key not in ("anyOf", "oneOf", "nullable")}
        inner = [one for member in members for one in self.alternatives(member) if types_of(one) != {"null"}]
        return tuple(_with(one, outer) for one in inner)

    def nullable(self, schema: object) -> bool:
        """Whether null is among the values."""
        found = self.flat(schema)
        if found.get("nullable") is True or "null" in types_of(found):
            return True
        if isinstance(found.get("enum"), list) and None in found["enum"]:
            return True
        members = found.get("anyOf") or found.get("oneOf") or ()
        return any(self.nullable(member) for member in members)

    def operation(self, method: str, path: str) -> Found | None:
        """The operation of a path as our example writes it; parameters' names don't matter."""
        paths = self.content.get("paths", EMPTY)
        fitting = sorted((one for one in paths if _fits(one, path)), key=lambda one: (one.count("{"), one))
        for one in fitting:
            item = self.resolve(paths[one])
            content = item.get(method.lower())
            if isinstance(content, Mapping):
                listed = [*item.get("parameters", ()), *content.get("parameters", ())]
                return Found(method, one, content, tuple(self.resolve(each) for each in listed))
        return None

    def request_body(self, found: Found) -> tuple[str, Schema, bool]:
        """(media type, schema, whether it must be there) of what the operation takes; ("", {}, False) for nothing."""
        body = self.resolve(found.content.get("requestBody"))
        for media, told in body.get("content", EMPTY).items():
            return str(media), told.get("schema", EMPTY), bool(body.get("required"))
        return "", EMPTY, False

    def answer(self, found: Found) -> Schema | None:
        """The schema of the operation's success; None where it has no body."""
        for status, told in sorted(found.content.get("responses", EMPTY).items()):
            if str(status).startswith("2"):
                for media, content in self.resolve(told).get("content", EMPTY).items():
                    if "json" in str(media):
                        schema: Schema = self.resolve(content).get("schema", EMPTY)
                        return schema
        return None


def _with(schema: Schema, outer: Schema) -> Schema:
    if not outer.get("properties") and not outer.get("required"):
        return schema
    properties = {**outer.get("properties", {}), **schema.get("properties", {})}
    required = sorted({*outer.get("required", ()), *schema.get("required", ())})
    return {**outer, **schema, "properties": properties, "required": required}


def _fits(template: str, path: str) -> bool:
    """Whether our path is this one; a name in braces of ours fits a name in braces only."""
    theirs, ours = template.rstrip("/").split("/"), path.rstrip("/").split("/")
    return len(theirs) == len(ours) and all(_one_fits(*pair) for pair in zip(theirs, ours, strict=True))


def _one_fits(theirs: str, ours: str) -> bool:
    return theirs.startswith("{") or theirs == ours


def types_of(schema: Schema) -> set[str]:
    """The JSON types that a schema names, with what follows from its other words; empty where it tells none."""
    told = schema.get("type")
    if isinstance(told, str):
        return {told}
    if isinstance(told, list):
        return {str(one) for one in told}
    if "properties" in schema or "additionalProperties" in schema:
        return {"object"}
    if "items" in schema:
        return {"array"}
    return {_json_type(value) for value in values_of(schema) or ()}


def values_of(schema: Schema) -> list[object] | None:
    """The values of an enum (also of Stripe's package, which leaves its enums open); None where it has none."""
    if "const" in schema:
        return [schema["const"]]
    values = schema.get("enum", schema.get("x-open-enum"))
    return [value for value in values if value is not None] if isinstance(values, list) else None


def _json_type(value: object) -> str:
    names = {str: "string", bool: "boolean", int: "integer", float: "number"}
    return names.get(type(value), "object")


def is_open(schema: Schema) -> bool:
    """Whether an object may have fields that the contract doesn't name."""
    extra = schema.get("additionalProperties")
    return extra not in (None, False) or "properties" not in schema


def load(text: str) -> OpenApi:
    """The contract of an OpenAPI document in JSON; raises NotAContract."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise NotAContract(f"not JSON ({problem}); YAML has to be converted first") from None
    if not isinstance(content, dict) or not str(content.get("openapi", "")).startswith("3."):
        raise NotAContract("not an OpenAPI 3 document: it has no `openapi: 3.…`")
    if not isinstance(content.get("paths"), dict) or not content["paths"]:
        raise NotAContract("an OpenAPI document without paths")
    refuse_malformed(content)
    return OpenApi(content)


def properties(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """The named fields of an object's schema."""
    for name, told in schema.get("properties", EMPTY).items():
        yield str(name), told if isinstance(told, Mapping) else EMPTY
