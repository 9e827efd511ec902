"""What can be read at WhatsApp before anything is sent: which templates are approved, and the number that sends.

https://developers.facebook.com/docs/graph-api/reference/whats-app-business-account/message_templates/
"""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import quote
from uuid import UUID

from pydantic import Field

from tools.adapters.accounts import Account
from tools.adapters.asking import ask
from tools.adapters.operation import Example, Known, Operation
from tools.adapters.replies import Reply
from tools.adapters.whatsapp_wire import VENDOR, get
from tools.errors import ContractDrift
from tools.snapshots import TemplateSnapshot
from tools.wire import Kind

TEMPLATES, PHONE_NUMBER = "message_templates.list", "phone_number"
FIELDS = "name,language,status,category"
PAGE, MOST_PAGES = 100, 50


class _Template(Reply):
    also_known: ClassVar[frozenset[str]] = frozenset({"id", "components"})

    name: str = Field(min_length=1, max_length=512)
    language: str = Field(min_length=1, max_length=16)
    status: str = Field(min_length=1, max_length=32)
    category: str = Field(default="", max_length=32)


class _Cursors(Reply):
    also_known: ClassVar[frozenset[str]] = frozenset({"before"})

    after: str = ""


class _Paging(Reply):
    also_known: ClassVar[frozenset[str]] = frozenset({"previous"})

    cursors: _Cursors = _Cursors()
    # Absent on the last page, whose cursor is given all the same.
    next: str = ""


class _TemplatesReply(Reply):
    data: tuple[_Template, ...]
    paging: _Paging = _Paging()


class _NumberReply(Reply):
    also_known: ClassVar[frozenset[str]] = frozenset(
        {"display_phone_number", "verified_name", "quality_rating", "code_verification_status", "status"}
    )

    id: str = Field(min_length=1)


def list_templates(account: Account, *, correlation_id: UUID) -> tuple[TemplateSnapshot, ...]:
    """Every template of the shop's business account in every language, with the state that WhatsApp gives it."""
    found: list[TemplateSnapshot] = []
    after = ""
    for _page in range(MOST_PAGES):
        page = _read_page(account, after, correlation_id)
        found += [_snapshot(template) for template in page.data]
        if not page.paging.next:
            return tuple(found)
        if page.paging.cursors.after in ("", after):
            raise _endless("paging.cursors.after")
        after = page.paging.cursors.after
    raise _endless("paging.next")


def _read_page(account: Account, after: str, correlation_id: UUID) -> _TemplatesReply:
    path = f"{quote(account.whatsapp_business_account_id, safe='')}/message_templates"
    query = {"fields": FIELDS, "limit": str(PAGE), **({"after": after} if after else {})}
    return ask(get(account, TEMPLATES, path, query, correlation_id), _TemplatesReply, lambda reply: reply)


def _snapshot(template: _Template) -> TemplateSnapshot:
    return TemplateSnapshot(
        name=template.name,
        language=template.language,
        status=template.status,
        category=template.category,
    )


def _endless(field_path: str) -> ContractDrift:
    """Half a list must not pass for the whole: what it lacks would count as gone."""
    return ContractDrift("pages without end", vendor=VENDOR, operation=TEMPLATES, field_path=field_path)


def read_phone_number(account: Account, *, correlation_id: UUID) -> str:
    """The id of the number that sends, as WhatsApp repeats it."""
    path = quote(account.whatsapp_phone_number_id, safe="")
    query = {"fields": "id,display_phone_number,verified_name,quality_rating"}
    return ask(get(account, PHONE_NUMBER, path, query, correlation_id), _NumberReply, lambda reply: reply.id)


def _probe_number(account: Account, known: Known, correlation_id: UUID) -> bool:
    return bool(read_phone_number(account, correlation_id=correlation_id))


def _probe_templates(account: Account, known: Known, correlation_id: UUID) -> bool:
    """One page is enough; a shop that hasn't said which account is its own has nothing to read."""
    if not account.reads_whatsapp_templates:
        return False
    return bool(_read_page(account, "", correlation_id).data)


def _example_templates() -> tuple[Example, ...]:
    query = {"fields": FIELDS, "limit": str(PAGE), "after": "MAZDZD"}
    return (Example(method="GET", path="/{Version}/{WABA-ID}/message_templates", query=query),)


def _example_number() -> tuple[Example, ...]:
    return (Example(method="GET", path="/{Version}/{Phone-Number-ID}", query={"fields": "id"}),)


READINGS: tuple[Operation, ...] = (
    Operation(VENDOR, TEMPLATES, Kind.READ, _TemplatesReply, _example_templates, probe=_probe_templates),
    Operation(VENDOR, PHONE_NUMBER, Kind.READ, _NumberReply, _example_number, probe=_probe_number),
)
