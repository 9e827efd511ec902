"""Stripe's v1 API: refund a charge, find the refund again, read a charge.

https://docs.stripe.com/api (API version 2026-10-28.endive)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from urllib.parse import quote, urlencode
from uuid import UUID

from tools import wire
from tools.adapters.accounts import Account
from tools.adapters.replies import Reply, after_sending, read
from tools.adapters.stripe_objects import ChargeObject, RefundObject, charge_snapshot, refund_snapshot
from tools.errors import InvalidArgs, OutcomeUnknown, Refused, ToolError, Unavailable
from tools.snapshots import ChargeSnapshot, RefundResult, RefundSnapshot
from tools.wire import Answer, Call, Kind

VENDOR = "stripe"
VERSION = "2026-10-28.endive"
PAGE = 100


class _Refunds(Reply):
    object: Literal["list"]
    has_more: bool
    data: tuple[RefundObject, ...]


class _Error(Reply):
    type: str
    code: str | None = None


class _ErrorReply(Reply):
    error: _Error


def refund(
    account: Account,
    charge: str,
    amount_minor: int,
    currency: str,
    *,
    key: UUID,
    case_id: str,
    correlation_id: UUID,
) -> RefundResult:
    """Gives back part of a charge, in minor units; our key goes along as metadata, so that it is found again.

    Raises OutcomeUnknown where the answer doesn't name the charge, amount and currency that were asked for.
    https://docs.stripe.com/api/refunds/create
    """
    if amount_minor <= 0 or not charge:
        raise InvalidArgs("no charge or no amount", vendor=VENDOR, operation="refunds.create")
    form = {
        "amount": str(amount_minor),
        "charge": charge,
        "metadata[call]": str(key),
        "metadata[case]": case_id,
        "metadata[correlation]": str(correlation_id),
    }
    body = _send(
        account, "refunds.create", Kind.IDEMPOTENT_WRITE, "/v1/refunds", correlation_id, form=form, key=key
    )
    made = after_sending(lambda: read(RefundObject, body, vendor=VENDOR, operation="refunds.create"))
    if (made.charge, made.amount, made.currency.upper()) != (charge, amount_minor, currency):
        raise OutcomeUnknown(vendor=VENDOR, operation="refunds.create", code="echo_mismatch")
    result = _result(made)
    if result.status == "failed":
        raise Refused(vendor=VENDOR, operation="refunds.create", code=made.failure_reason or "refund_failed")
    return result


def find_refund(account: Account, charge: str, *, key: UUID, correlation_id: UUID) -> RefundResult | None:
    """The refund of this charge that carries our key, to settle an unknown outcome; None where there is none."""
    found = (
        made for made in _refunds(account, charge, correlation_id) if made.metadata_of("call") == str(key)
    )
    return next((_result(made) for made in found), None)


def list_refunds(account: Account, charge: str, *, correlation_id: UUID) -> tuple[RefundSnapshot, ...]:
    """All refunds of a charge, by whomever, newest first.

    https://docs.stripe.com/api/refunds/list
    """
    return tuple(refund_snapshot(made) for made in _refunds(account, charge, correlation_id))


def read_charge(account: Account, charge: str, *, correlation_id: UUID) -> ChargeSnapshot:
    """The charge as Stripe knows it now.

    https://docs.stripe.com/api/charges/retrieve
    """
    path = f"/v1/charges/{quote(charge, safe='')}"
    body = _send(account, "charges.retrieve", Kind.READ, path, correlation_id)
    return charge_snapshot(read(ChargeObject, body, vendor=VENDOR, operation="charges.retrieve"))


def _refunds(account: Account, charge: str, correlation_id: UUID) -> tuple[RefundObject, ...]:
    """All refunds of a charge; a charge with more than one page of them goes to a person."""
    path = f"/v1/refunds?{urlencode({'charge': charge, 'limit': PAGE})}"
    body = _send(account, "refunds.list", Kind.READ, path, correlation_id)
    page = read(_Refunds, body, vendor=VENDOR, operation="refunds.list")
    if page.has_more:
        raise Refused(vendor=VENDOR, operation="refunds.list", code="too_many_refunds")
    return page.data


def _result(made: RefundObject) -> RefundResult:
    return RefundResult(
        ref=made.id, amount_minor=made.amount, currency=made.currency.upper(), status=made.outcome
    )


def _send(
    account: Account,
    operation: str,
    kind: Kind,
    path: str,
    correlation_id: UUID,
    *,
    form: Mapping[str, str] | None = None,
    key: UUID | None = None,
) -> bytes:
    headers = {"Authorization": f"Bearer {account.stripe_api_key}", "Stripe-Version": VERSION}
    if key is not None:
        headers["Idempotency-Key"] = str(key)
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    call = wire.Call(
        vendor=VENDOR,
        operation=operation,
        shop=account.slug,
        kind=kind,
        method="GET" if form is None else "POST",
        url=account.stripe_api_base + path,
        correlation_id=correlation_id,
        headers=headers,
        content=urlencode(sorted(form.items())).encode() if form else b"",
        judge=_judge,
    )
    return wire.send(call).body


def _judge(call: Call, answer: Answer) -> ToolError | None:
    """Reads Stripe's error object: https://docs.stripe.com/error-codes and /api/idempotent_requests."""
    if not 400 <= answer.status < 500:
        return None
    try:
        error = _ErrorReply.model_validate_json(answer.body).error
    except ValueError:
        return None
    code = error.code or error.type
    if error.type == "idempotency_error" or answer.status == 409:
        # Something else was or is being done under this key, so no is not the whole answer.
        return wire.lost(call, code)
    if answer.status == 429 or code in ("lock_timeout", "rate_limit"):
        wish = wire.seconds_of(answer.headers)
        return Unavailable(vendor=VENDOR, operation=call.operation, code=code, retry_after=wish)
    return Refused(vendor=VENDOR, operation=call.operation, code=code)
