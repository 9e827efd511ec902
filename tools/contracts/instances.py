"""A value against a schema of a contract, as strictly as the vendor: fields that it doesn't name are problems."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tools.contracts.openapi import OpenApi, Schema, is_open, types_of, values_of

INTEGER = re.compile(r"-?\d+", re.ASCII)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
PLAIN: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}
STEP = re.compile(r"[^\[\]]+|\[[^\]]*\]")


@dataclass(frozen=True)
class Problem:
    """Where a value differs; `rule` is unknown, missing, type, null, value or deprecated."""

    path: str
    rule: str
    what: str


def problems(
    contract: OpenApi, schema: object, value: object, path: str = "", *, form: bool = False
) -> list[Problem]:
    """All that the schema says against the value; `form` for a form or query, whose values are all text."""
    return list(_Check(contract, form).value(schema, value, path))


class _Check:
    def __init__(self, contract: OpenApi, form: bool) -> None:
        self.contract = contract
        self.form = form

    def value(self, schema: object, value: object, path: str) -> Iterator[Problem]:
        if value is None:
            if not self.contract.nullable(schema) and types_of(self.contract.flat(schema)):
                yield Problem(path, "null", "it must not be null")
            return
        choices = self._chosen(schema, value)
        found = [list(self._one(choice, value, path)) for choice in choices]
        if found:
            yield from min(found, key=lambda one: (_misses_type(one, path), len(one)))

    def _chosen(self, schema: object, value: object) -> tuple[Schema, ...]:
        """The alternatives; where the contract names a field that tells them apart, the one that it tells."""
        found = self.contract.flat(schema)
        told = found.get("discriminator")
        if isinstance(told, Mapping) and isinstance(value, Mapping):
            reference = told.get("mapping", {}).get(value.get(told.get("propertyName")))
            if reference and (found.get("oneOf") or found.get("anyOf")):
                return (self.contract.flat({"$ref": reference}),)
        return self.contract.alternatives(schema)

    def _one(self, schema: Schema, value: object, path: str) -> Iterator[Problem]:
        types = types_of(schema) - {"null"}
        if types and not any(self._is(kind, value) for kind in types):
            yield Problem(
                path, "type", f"it is {_name(value)}, and the contract wants {' or '.join(sorted(types))}"
            )
        elif isinstance(value, Mapping):
            yield from self._object(schema, value, path)
        elif isinstance(value, list | tuple):
            for place, item in enumerate(value):
                yield from self.value(schema.get("items", {}), item, f"{path}.{place}")
        else:
            yield from self._scalar(schema, value, path)

    def _is(self, kind: str, value: object) -> bool:
        if kind in ("object", "array"):
            return isinstance(value, Mapping if kind == "object" else (list, tuple))
        if self.form and isinstance(value, str):
            return _reads_as(kind, value)
        if isinstance(value, bool):
            return kind == "boolean"
        return isinstance(value, PLAIN.get(kind, object))

    def _object(self, schema: Schema, value: Mapping[str, object], path: str) -> Iterator[Problem]:
        told = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in value:
                yield Problem(_under(path, name), "missing", "the contract requires it")
        for name, inner in value.items():
            if name in told:
                if self.contract.flat(told[name]).get("deprecated"):
                    yield Problem(_under(path, name), "deprecated", "it is deprecated")
                yield from self.value(told[name], inner, _under(path, name))
            elif not is_open(schema):
                yield Problem(_under(path, name), "unknown", "the contract does not know it")
            elif isinstance(schema.get("additionalProperties"), Mapping):
                yield from self.value(schema["additionalProperties"], inner, _under(path, name))

    def _scalar(self, schema: Schema, value: object, path: str) -> Iterator[Problem]:
        values = values_of(schema)
        if (
            values is not None
            and value not in values
            and not (self.form and value in [str(one) for one in values])
        ):
            yield Problem(path, "value", f"{value!r} is not among its values")
        longest = schema.get("maxLength")
        if isinstance(longest, int) and isinstance(value, str) and len(value) > longest:
            yield Problem(path, "value", f"it is longer than {longest} characters")


def _misses_type(found: list[Problem], path: str) -> bool:
    return any(one.rule == "type" and one.path == path for one in found)


def _reads_as(kind: str, text: str) -> bool:
    if kind == "integer":
        return INTEGER.fullmatch(text) is not None
    if kind == "number":
        return NUMBER.fullmatch(text) is not None
    return kind == "string" or text in ("true", "false")


def _name(value: object) -> str:
    names = {str: "text", bool: "true or false", int: "a whole number", float: "a number", list: "a list"}
    return names.get(type(value), "an object")


def _under(path: str, name: str) -> str:
    return f"{path}.{name}".strip(".")


def nested(flat: Mapping[str, str]) -> dict[str, object]:
    """A form's flat names as objects and lists: `created[gte]`, `types[]`, `lines[0][amount]`."""
    root: dict[str, object] = {}
    for name, value in flat.items():
        steps = [step.strip("[]") for step in STEP.findall(name)] or [name]
        place = root
        for step in steps[:-1]:
            inner = place.setdefault(step, {})
            if not isinstance(inner, dict):
                inner = place[step] = {}
            place = inner
        place[steps[-1]] = value
    return {name: _listed(value) for name, value in root.items()}


def _listed(value: object) -> object:
    if not isinstance(value, dict):
        return value
    made = {key: _listed(inner) for key, inner in value.items()}
    return list(made.values()) if made and all(key == "" or key.isdigit() for key in made) else made
