"""An outcome that nobody could read is ended by a person's word or by WhatsApp's status."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from approvals.errors import AlreadyDecided, Invalid, NotPermitted
from approvals.models import ApprovalRequest, Decision, Signature
from audit import sources
from audit.actors import Actor
from audit.actors import staff as acting_staff
from cases import services
from cases.intake.deliveries import whatsapp
from cases.intake.receiving import receive
from cases.models import Case, Message, User
from tests import factories
from tools.models import Payment, ToolCall

pytestmark = pytest.mark.django_db


def lost(decision: Decision | None = None, **fields: Any) -> ToolCall:
    """A refund whose answer was lost; its money is set aside."""
    return factories.make_call(decision, state="unknown", **fields)


def somebody(call: ToolCall, role: str) -> Actor:
    return acting_staff(factories.make_user(roles=[role], shops=[call.shop]))


def paid_by(call: ToolCall) -> Payment:
    assert call.payment is not None
    call.payment.refresh_from_db()
    return call.payment


def test_it_was_done_says_a_person_and_the_books_follow() -> None:
    call = lost()
    services.settle_call(
        call.pk, succeeded=True, vendor_ref="re_9", reason="Seen.", by=somebody(call, "approver")
    )
    call.refresh_from_db()
    payment = paid_by(call)
    assert (call.state, call.settled_by, call.vendor_ref) == ("succeeded", "person", "re_9")
    assert (payment.reserved_minor, payment.refunded_minor) == (0, call.amount_minor)
    assert Message.objects.get(direction="note").text == "Seen."


def test_it_was_not_done_frees_the_money_and_calls_a_person() -> None:
    call = lost()
    services.settle_call(
        call.pk, succeeded=False, vendor_ref="", reason="None.", by=somebody(call, "approver")
    )
    call.refresh_from_db()
    payment = paid_by(call)
    assert (call.state, payment.reserved_minor, payment.refunded_minor) == ("failed", 0, 0)
    assert Case.objects.get(pk=call.case_id).state == "handoff"


def test_whoever_may_not_sign_may_not_settle() -> None:
    call = lost()
    with pytest.raises(NotPermitted):
        services.settle_call(
            call.pk, succeeded=True, vendor_ref="re_9", reason="Seen.", by=somebody(call, "agent")
        )
    call.refresh_from_db()
    assert call.state == "unknown"


def wrote_the_limits(user: User) -> ToolCall:
    call = lost()
    factories.make_limits(call.shop, author=user, published_by=factories.make_user())
    return call


def proposed(user: User) -> ToolCall:
    return lost(factories.make_decision(by_kind="staff", by_id=str(user.pk)))


def signed(user: User) -> ToolCall:
    call = lost()
    now = sources.now()
    request = ApprovalRequest.objects.create(
        shop=call.shop, decision=call.decision, case=call.case, tier="one_approver", state="approved",
        effect_hash=call.decision.effect_hash, amount_minor=call.amount_minor, currency=call.currency,
        requested_at=now, expires_at=now, decided_by=user, decided_at=now,
    )  # fmt: skip
    Signature.objects.create(request=request, user=user, factor="session", at=now)
    return call


@pytest.mark.parametrize(
    ("had_a_hand", "why"),
    [(wrote_the_limits, "limits"), (proposed, "proposed"), (signed, "You signed")],
)
def test_whoever_had_a_hand_in_it_settles_nothing(had_a_hand: Callable[[User], ToolCall], why: str) -> None:
    user = factories.make_user(roles=["approver"])
    call = had_a_hand(user)
    user.shops.add(call.shop)
    with pytest.raises(NotPermitted, match=why):
        services.settle_call(call.pk, succeeded=False, vendor_ref="", reason="None.", by=acting_staff(user))
    call.refresh_from_db()
    assert (call.state, paid_by(call).reserved_minor) == ("unknown", call.amount_minor)
    services.settle_call(
        call.pk, succeeded=False, vendor_ref="", reason="None.", by=somebody(call, "approver")
    )
    assert paid_by(call).reserved_minor == 0


@pytest.mark.parametrize(("ref", "reason"), [("", "Seen."), ("re_9", " ")])
def test_a_word_without_proof_settles_nothing(ref: str, reason: str) -> None:
    call = lost()
    with pytest.raises(Invalid):
        services.settle_call(
            call.pk, succeeded=True, vendor_ref=ref, reason=reason, by=somebody(call, "approver")
        )


def test_what_has_ended_is_not_settled_again() -> None:
    call = factories.make_call(state="succeeded")
    with pytest.raises(AlreadyDecided):
        services.settle_call(
            call.pk, succeeded=False, vendor_ref="", reason="No.", by=somebody(call, "approver")
        )
    assert not Message.objects.filter(direction="note").exists()


def status_body(key: str, status: str) -> bytes:
    """A status webhook as Meta sends it."""
    told = {"id": "wamid.7", "status": status, "timestamp": "1790000000", "biz_opaque_callback_data": key}
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "1"}, "statuses": [told]}
    change = {"field": "messages", "value": value}
    entry = {"id": "2", "changes": [change]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


@pytest.mark.parametrize(
    ("status", "state"), [("delivered", "succeeded"), ("sent", "succeeded"), ("failed", "failed")]
)
def test_a_status_with_our_key_ends_an_open_message(status: str, state: str) -> None:
    case = factories.make_case()
    call = factories.make_call(
        factories.make_decision(case, tool="send_message"),
        tool="send_message",
        vendor="whatsapp",
        state="unknown",
        message=factories.make_message(case, direction="out"),
        payment=None,
        amount_minor=0,
        currency="",
    )
    for delivery in whatsapp(status_body(str(call.idempotency_key), status), "application/json"):
        receive(call.shop, delivery)
    call.refresh_from_db()
    assert (call.state, call.settled_by, call.vendor_ref) == (state, "webhook", "wamid.7")
