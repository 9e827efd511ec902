"""Klaviyo: a message leaves as an event, which triggers the flow that holds the approved text.

https://developers.klaviyo.com/en/reference/api_overview (revision 2026-07-15)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from tools.adapters.accounts import Account
from tools.adapters.asking import ask, tell
from tools.adapters.klaviyo_wire import VENDOR, get, post
from tools.adapters.operation import Example, Known, Operation
from tools.adapters.replies import Reply
from tools.errors import ContractDrift, InvalidArgs
from tools.snapshots import SendResult
from tools.wire import Kind

# https://developers.klaviyo.com/en/reference/events_api_overview#limitations
TOO_LONG_FOR_A_METRIC = 128


class _Id(Reply):
    also_known: ClassVar[frozenset[str]] = frozenset({"attributes", "links", "relationships"})

    type: Literal["profile", "account"]
    id: str = Field(min_length=1)


class _Profile(_Id):
    type: Literal["profile"]


class _Account(_Id):
    type: Literal["account"]


class _ProfileReply(Reply):
    also_known: ClassVar[frozenset[str]] = frozenset({"links", "included", "meta"})

    data: _Profile


class _AccountsReply(Reply):
    also_known: ClassVar[frozenset[str]] = frozenset({"links", "meta"})

    data: tuple[_Account, ...]


def send_event(
    account: Account,
    metric: str,
    *,
    unique_id: UUID,
    email: str,
    properties: Mapping[str, str | int | bool],
    correlation_id: UUID,
) -> SendResult:
    """Records an event for a person; the same `unique_id` for the same person and metric counts once.

    Klaviyo answers 202 without a body, so the result names our own id. `properties` fill the template.
    https://developers.klaviyo.com/en/reference/create_event
    """
    if not email or not 0 < len(metric) < TOO_LONG_FOR_A_METRIC:
        raise InvalidArgs("no address or no metric", vendor=VENDOR, operation="events.create")
    content = _event(metric, unique_id, email, properties)
    tell(post(account, "events.create", "/api/events", content, correlation_id))
    return SendResult(ref=str(unique_id))


def upsert_profile(
    account: Account,
    *,
    email: str,
    first_name: str = "",
    last_name: str = "",
    locale: str = "",
    external_id: str = "",
    correlation_id: UUID,
) -> str:
    """Creates or updates the profile of an address and returns Klaviyo's id for it; an empty field changes nothing.

    https://developers.klaviyo.com/en/reference/create_or_update_profile
    """
    if not email:
        raise InvalidArgs("no address", vendor=VENDOR, operation="profile-import")
    given = {
        "email": email,
        "external_id": external_id,
        "first_name": first_name,
        "last_name": last_name,
        "locale": locale,
    }
    content = _profile({name: value for name, value in given.items() if value})
    call = post(account, "profile-import", "/api/profile-import", {"data": content}, correlation_id)
    return ask(call, _ProfileReply, lambda reply: reply.data.id)


def request_deletion(account: Account, *, email: str, correlation_id: UUID) -> None:
    """Asks Klaviyo to erase the profile of an address and all that is known of it; asking twice changes nothing.

    https://developers.klaviyo.com/en/reference/request_profile_deletion
    """
    operation = "data-privacy-deletion-jobs"
    if not email:
        raise InvalidArgs("no address", vendor=VENDOR, operation=operation)
    tell(post(account, operation, f"/api/{operation}", _deletion(email), correlation_id))


def read_account(account: Account, *, correlation_id: UUID) -> str:
    """The id of the account that the key belongs to: https://developers.klaviyo.com/en/reference/get_accounts."""
    return ask(get(account, "accounts", "/api/accounts", correlation_id), _AccountsReply, _the_only)


def _the_only(reply: _AccountsReply) -> str:
    if not reply.data:
        raise ContractDrift(vendor=VENDOR, operation="accounts", field_path="data", finding="missing")
    return reply.data[0].id


def _event(metric: str, unique_id: UUID, email: str, properties: Mapping[str, str | int | bool]) -> object:
    attributes = {
        "metric": {"data": {"type": "metric", "attributes": {"name": metric}}},
        "profile": {"data": _profile({"email": email})},
        "properties": dict(properties),
        "unique_id": str(unique_id),
    }
    return {"data": {"type": "event", "attributes": attributes}}


def _profile(attributes: Mapping[str, str]) -> dict[str, object]:
    return {"type": "profile", "attributes": dict(attributes)}


def _deletion(email: str) -> object:
    attributes = {"profile": {"data": _profile({"email": email})}}
    return {"data": {"type": "data-privacy-deletion-job", "attributes": attributes}}


def _probe(account: Account, known: Known, correlation_id: UUID) -> bool:
    return bool(read_account(account, correlation_id=correlation_id))


def _example_event() -> tuple[Example, ...]:
    content = _event("Opsagent message", UUID(int=1), "ada@example.com", {"text": "Hello", "case": 1})
    return (Example(path="/api/events", json=content),)


def _example_profile() -> tuple[Example, ...]:
    whole = {
        "email": "ada@example.com",
        "external_id": "7",
        "first_name": "Ada",
        "last_name": "Lund",
        "locale": "en",
    }
    return (Example(path="/api/profile-import", json={"data": _profile(whole)}),)


def _example_deletion() -> tuple[Example, ...]:
    return (Example(path="/api/data-privacy-deletion-jobs", json=_deletion("ada@example.com")),)


def _example_account() -> tuple[Example, ...]:
    return (Example(method="GET", path="/api/accounts"),)


OPERATIONS: tuple[Operation, ...] = (
    Operation(VENDOR, "events.create", Kind.IDEMPOTENT_WRITE, None, _example_event, probe=_probe),
    Operation(VENDOR, "profile-import", Kind.IDEMPOTENT_WRITE, _ProfileReply, _example_profile, probe=_probe),
    Operation(
        VENDOR, "data-privacy-deletion-jobs", Kind.IDEMPOTENT_WRITE, None, _example_deletion, probe=_probe
    ),
    Operation(VENDOR, "accounts", Kind.READ, _AccountsReply, _example_account, probe=_probe),
)
