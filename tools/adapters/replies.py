"""Reading what a vendor said: strict models that ignore what they don't know, and name the field that has changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import ErrorDetails, PydanticCustomError

from tools.errors import ContractDrift, OutcomeUnknown
from tools.types import to_minor

Model = TypeVar("Model", bound="Reply")
Value = TypeVar("Value")


class Reply(BaseModel):
    """Base of the models of vendors' words: narrow, strict, additional fields ignored, input never in an error.

    `also_known` names the fields that the pinned version has and that we don't read: any other is a new one.
    """

    also_known: ClassVar[frozenset[str]] = frozenset()

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", hide_input_in_errors=True)


def _as_one(value: object, check: ValidatorFunctionWrapHandler) -> object:
    try:
        return check(value)
    except ValidationError:
        raise PydanticCustomError("texts_type", "not a mapping of texts") from None


# Its keys are whatever a shop, an app or a buyer wrote, so a drift names the mapping and never a key in it.
Texts = Annotated[dict[str, str], WrapValidator(_as_one)]


def read(model: type[Model], body: bytes, *, vendor: str, operation: str) -> Model:
    """The body as the model; raises ContractDrift with the path of the first field that doesn't fit."""
    try:
        return model.model_validate_json(body)
    except ValidationError as problem:
        drift = drift_of(problem, vendor=vendor, operation=operation)
    # Outside the handler: what pydantic says holds the input, and stays behind.
    raise drift


def drift_of(problem: ValidationError, *, vendor: str, operation: str) -> ContractDrift:
    """The first field that doesn't fit, as the drift that it is; its value is left out."""
    first = problem.errors(include_url=False, include_context=False)[0]
    path = ".".join(str(step) for step in first["loc"]) or "body"
    return ContractDrift(
        first["type"], vendor=vendor, operation=operation, field_path=path, finding=_finding(first)
    )


def _finding(error: ErrorDetails) -> str:
    """What pydantic's error means for staff; the input is looked at and never kept."""
    if error["type"] == "missing":
        return "missing"
    if error["type"] in ("literal_error", "enum"):
        return "unknown_value"
    if error["type"] == "json_invalid":
        return "other"
    return "null" if error["input"] is None else "retyped"


# The same few prices come again and again, and each is a decimal number made of a text.
_minor = lru_cache(maxsize=4096)(to_minor)


def minor(amount: str, currency: str, *, vendor: str, operation: str, field_path: str) -> int:
    """A vendor's decimal amount in minor units; ContractDrift where it is none or has too many decimals."""
    try:
        return _minor(amount, currency)
    except (ValueError, ArithmeticError):
        raise ContractDrift(
            "not an amount", vendor=vendor, operation=operation, field_path=field_path, finding="retyped"
        ) from None


def after_sending(parse: Callable[[], Value]) -> Value:
    """Reads the answer to a write: what can't be read may have been executed, so drift becomes OutcomeUnknown."""
    try:
        return parse()
    except ContractDrift as drift:
        raise OutcomeUnknown(
            drift.detail, vendor=drift.vendor, operation=drift.operation, code="unreadable", drift=drift
        ) from drift


def canonical(content: object) -> bytes:
    """JSON that has the same bytes each time, as a retry under an idempotency key must."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
