"""Answers bent on purpose: a field more, a field less, another type, a new enum value, another version.

A field is named by a dotted path; a number takes one list position, `*` all of them. What isn't in the answer stays
as it is.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tools.sandbox.exchange import Answer, Fault

VERSION_HEADERS = {
    "shopify": "X-Shopify-API-Version",
    "stripe": "Stripe-Version",
    "klaviyo": "revision",
    "whatsapp": "facebook-api-version",
}
DEPRECATION_HEADERS = {"shopify": "X-Shopify-API-Deprecated-Reason"}
NEEDS_FIELD = {"added_field", "removed_field", "retyped_field", "null_field", "new_enum_value"}
NEEDS_VALUE = {"new_enum_value", "version_header", "deprecation_header"}
KINDS = NEEDS_FIELD | NEEDS_VALUE


def bend(fault: Fault, vendor: str, answer: Answer) -> Answer:
    """The answer as the fault wants it; one that is no JSON keeps its body."""
    if fault.kind == "version_header":
        return _headed(answer, VERSION_HEADERS.get(vendor, "API-Version"), str(fault.value))
    if fault.kind == "deprecation_header":
        return _headed(answer, DEPRECATION_HEADERS.get(vendor, "Deprecation"), str(fault.value))
    try:
        content = json.loads(answer.body)
    except ValueError:
        return answer
    *way, last = fault.field.split(".")
    for holder in _holders(content, way):
        _change(holder, last, fault)
    return replace(answer, body=json.dumps(content, ensure_ascii=False).encode())


def _holders(content: Any, way: list[str]) -> Iterator[Any]:
    """Every object or list that the path leads to."""
    if not way:
        yield content
        return
    first, *rest = way
    for name in _names(content, first):
        yield from _holders(content[name], rest)


def _names(holder: Any, name: str) -> list[Any]:
    """The keys or positions of the holder that the name stands for."""
    if isinstance(holder, dict):
        return list(holder) if name == "*" else [name] if name in holder else []
    if isinstance(holder, list):
        places = range(len(holder))
        return (
            list(places) if name == "*" else [int(name)] if name.isdecimal() and int(name) in places else []
        )
    return []


def _change(holder: Any, name: str, fault: Fault) -> None:
    if fault.kind == "added_field":
        if isinstance(holder, dict):
            holder[name] = "something new" if fault.value is None else fault.value
        return
    for place in reversed(_names(holder, name)):
        if fault.kind == "removed_field":
            del holder[place]
        elif fault.kind == "null_field":
            holder[place] = None
        elif fault.kind == "new_enum_value":
            holder[place] = fault.value
        else:
            holder[place] = _retyped(holder[place]) if fault.value is None else fault.value


def _retyped(value: Any) -> Any:
    """The same said in another type: a number as text, text in a list, a list as an object, an object as a list."""
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list):
        return {str(place): one for place, one in enumerate(value)}
    return [value] if value is None or isinstance(value, str) else str(value)


def _headed(answer: Answer, name: str, value: str) -> Answer:
    kept = {key: text for key, text in answer.headers.items() if key.lower() != name.lower()}
    return replace(answer, headers={**kept, name: value})
