"""Stripe's v1 API: give money back and find it again, read charges and payment intents.

https://docs.stripe.com/api (API version 2026-10-28.endive)
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote
from uuid import UUID

from tools.adapters.accounts import Account
from tools.adapters.asking import ask
from tools.adapters.stripe_lists import Listing, ListReply, Page, made_since
from tools.adapters.stripe_money import to_stripe
from tools.adapters.stripe_objects import ChargeObject, PaymentIntentObject, RefundObject
from tools.adapters.stripe_wire import VENDOR, VERSION, Asked, Value, get, post, refuse_other_mode, same_mode
from tools.adapters.stripe_words import charge_snapshot, intent_snapshot, refund_snapshot, whole
from tools.errors import InvalidArgs, OutcomeUnknown, Refused
from tools.snapshots import ChargeSnapshot, PaymentIntentSnapshot, RefundResult, RefundSnapshot

__all__ = ["VENDOR", "VERSION"]


class RefundList(ListReply):
    """A page of refunds."""

    data: tuple[RefundObject, ...]


REFUNDS = Listing("refunds.list", "/v1/refunds", RefundList, lambda page: page.data, lambda made: made.id)


def refund_fields(
    charge: str, amount_minor: int, currency: str, *, key: UUID, case_id: str, correlation_id: UUID
) -> dict[str, Value]:
    """What is asked of Stripe; our key goes along as metadata, so that the refund is found again.

    https://docs.stripe.com/api/refunds/create
    """
    if amount_minor <= 0 or not charge:
        raise InvalidArgs("no charge or no amount", vendor=VENDOR, operation="refunds.create")
    return {
        "amount": to_stripe(amount_minor, currency, operation="refunds.create"),
        "charge": charge,
        "metadata": {"call": str(key), "case": case_id, "correlation": str(correlation_id)},
    }


def refund(
    account: Account,
    charge: str,
    amount_minor: int,
    currency: str,
    *,
    key: UUID,
    case_id: str,
    correlation_id: UUID,
    livemode: bool | None = None,
) -> RefundResult:
    """Gives back part of a charge, in minor units; `livemode` is the charge's own, where it is known.

    Raises InvalidArgs, nothing sent, for an amount that Stripe has not or a key of the other mode, and OutcomeUnknown
    where the answer names another charge, amount, currency, mode or key of ours than was asked for.
    """
    fields = refund_fields(
        charge, amount_minor, currency, key=key, case_id=case_id, correlation_id=correlation_id
    )
    refuse_other_mode(account, livemode, operation="refunds.create")
    call = post(account, "refunds.create", "/v1/refunds", fields, key=str(key), correlation_id=correlation_id)
    made = ask(call, RefundObject, lambda answered: answered)
    # What stands in for Stripe may keep no metadata; a key that is there must be ours.
    wanted = (charge, amount_minor, currency, str(key))
    got = (made.charge, made.amount, made.currency, made.metadata_of("call") or str(key))
    if got != wanted or not same_mode(account, made.livemode):
        raise OutcomeUnknown(vendor=VENDOR, operation="refunds.create", code="echo_mismatch")
    result = refund_result(made)
    if result.status == "failed":
        raise Refused(vendor=VENDOR, operation="refunds.create", code=made.failure_reason or "refund_failed")
    return result


def refund_result(made: RefundObject) -> RefundResult:
    """The refund as far as its call is concerned."""
    return RefundResult(ref=made.id, amount_minor=made.amount, currency=made.currency, status=made.outcome)


def find_refund(account: Account, charge: str, *, key: UUID, correlation_id: UUID) -> RefundResult | None:
    """The refund of this charge that carries our key, to settle an unknown outcome; None where there is none.

    Raises OutcomeUnknown where that refund is of another charge or mode.
    """
    found = REFUNDS.all(account, {"charge": charge}, correlation_id=correlation_id)
    ours = next((made for made in found if made.metadata_of("call") == str(key)), None)
    if ours is None:
        return None
    if ours.charge not in (None, charge) or not same_mode(account, ours.livemode):
        raise OutcomeUnknown(vendor=VENDOR, operation="refunds.list", code="echo_mismatch")
    return refund_result(ours)


def list_refunds(account: Account, charge: str, *, correlation_id: UUID) -> tuple[RefundSnapshot, ...]:
    """All refunds of a charge, by whomever, newest first.

    https://docs.stripe.com/api/refunds/list
    """
    found = REFUNDS.all(account, {"charge": charge}, correlation_id=correlation_id)
    return tuple(refund_snapshot(made) for made in found)


def list_recent_refunds(
    account: Account, *, since: datetime, starting_after: str = "", correlation_id: UUID
) -> Page[RefundSnapshot]:
    """One page of all refunds that were made at or after `since`, newest first."""
    page = REFUNDS.page(
        account, made_since(since), starting_after=starting_after, correlation_id=correlation_id
    )
    return Page(tuple(refund_snapshot(made) for made in page.items), page.after)


def read_charge(account: Account, charge: str, *, correlation_id: UUID) -> ChargeSnapshot:
    """The charge as Stripe knows it now.

    https://docs.stripe.com/api/charges/retrieve
    """
    asked, operation = Asked(), "charges.retrieve"
    path = f"/v1/charges/{quote(charge, safe='')}"
    call = get(account, operation, path, {}, correlation_id=correlation_id, asked=asked)

    def made(answered: ChargeObject) -> ChargeSnapshot:
        return charge_snapshot(whole(answered, operation=operation) if asked.pinned else answered)

    return ask(call, ChargeObject, made)


def read_payment_intent(account: Account, intent: str, *, correlation_id: UUID) -> PaymentIntentSnapshot:
    """The payment intent as Stripe knows it now.

    https://docs.stripe.com/api/payment_intents/retrieve
    """
    path = f"/v1/payment_intents/{quote(intent, safe='')}"
    call = get(account, "payment_intents.retrieve", path, {}, correlation_id=correlation_id)
    return ask(call, PaymentIntentObject, intent_snapshot)
