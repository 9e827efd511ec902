"""Whether an OpenAPI document is put together as the standard says, so that all who read it may rely on that.

https://spec.openapis.org/oas/v3.0.3; only what the check itself reads is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tools.contracts.findings import NotAContract

METHODS = ("get", "post", "put", "patch", "delete")
LISTS_OF_SCHEMAS = ("anyOf", "oneOf", "allOf")


def refuse_malformed(content: dict[str, Any]) -> None:
    """Raises NotAContract with the place of the first part that has another form."""
    paths = _mapping(content.get("paths"), "paths")
    for path, item in paths.items():
        told = _mapping(item, path)
        _parameters(told.get("parameters", []), path)
        for method in METHODS:
            if method in told:
                _operation(_mapping(told[method], f"{method} {path}"), f"{method} {path}")
    components = _mapping(content.get("components", {}), "components")
    for name, schema in _mapping(components.get("schemas", {}), "components.schemas").items():
        _schema(schema, name)
    for kind, read in (("responses", _answer), ("requestBodies", _answer)):
        for name, told in _mapping(components.get(kind, {}), kind).items():
            read(told, f"{kind}.{name}")
    for name, told in _mapping(components.get("parameters", {}), "parameters").items():
        _parameters([told], f"parameters.{name}")


def _operation(operation: dict[str, Any], place: str) -> None:
    _parameters(operation.get("parameters", []), place)
    if "requestBody" in operation:
        _answer(operation["requestBody"], f"{place} requestBody")
    for status, told in _mapping(operation.get("responses", {}), f"{place} responses").items():
        _answer(told, f"{place} {status}")


def _answer(told: object, place: str) -> None:
    """A request body or an answer: both hold schemas by media type."""
    content = _mapping(told, place).get("content", {})
    for media, inner in _mapping(content, f"{place} content").items():
        _schema(_mapping(inner, f"{place} {media}").get("schema", {}), f"{place} {media}")


def _parameters(told: object, place: str) -> None:
    for one in _list(told, f"{place} parameters"):
        _schema(_mapping(one, f"{place} parameters").get("schema", {}), f"{place} parameters")


def _schema(told: object, place: str) -> None:
    """A schema and all inside it, without following references: what they lead to is a part of its own."""
    waiting = [(told, place)]
    while waiting:
        schema, at = waiting.pop()
        if isinstance(schema, bool):
            continue  # 3.1 has schemas that allow all or nothing.
        waiting += _inside(_mapping(schema, at), at)


def _inside(schema: dict[str, Any], at: str) -> Iterator[tuple[object, str]]:
    for name, inner in _mapping(schema.get("properties", {}), f"{at}.properties").items():
        yield inner, f"{at}.{name}"
    for key in LISTS_OF_SCHEMAS:
        for inner in _list(schema.get(key, []), f"{at}.{key}"):
            yield inner, f"{at}.{key}"
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield schema[key], f"{at}.{key}"
    _words(schema, at)


def _words(schema: dict[str, Any], at: str) -> None:
    if not all(isinstance(name, str) for name in _list(schema.get("required", []), f"{at}.required")):
        raise NotAContract(f"{at}.required holds something that is not a name")
    _list(schema.get("enum") or [], f"{at}.enum")
    _mapping(schema.get("discriminator", {}), f"{at}.discriminator")
    reference = schema.get("$ref", "#/")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        raise NotAContract(f"{at} refers to another file, {reference!r}: bundle the contract into one first")


def _mapping(told: object, place: str) -> dict[str, Any]:
    if not isinstance(told, dict):
        raise NotAContract(f"{place[:120]} is not an object")
    return told


def _list(told: object, place: str) -> list[Any]:
    if not isinstance(told, list):
        raise NotAContract(f"{place[:120]} is not a list")
    return told
