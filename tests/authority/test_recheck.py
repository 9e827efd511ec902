"""Asked again right before the money leaves: what was right when it was decided may be wrong by now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from approvals.again import changed
from approvals.models import KillSwitch
from audit import actors
from cases import services, tasks
from cases.models import Case, Handoff, Shop
from cases.services import decide_approval
from tests import factories
from tests.adapters.faking import Vendor
from tests.authority.rows import acting, decide_refund, order_of, refundable_case, reserved_call, signer
from tools.models import LedgerEntry, Order, Payment, ToolCall

pytestmark = pytest.mark.django_db


def waiting_refund(north: Shop, amount_minor: int = 1500) -> ToolCall:
    """A small refund whose undo window is over, in a case that waits for it."""
    case = refundable_case(amount_minor, shop=north)
    call = reserved_call(case)
    Case.objects.filter(pk=case.pk).update(
        state="waiting", wait_reason="effect", wake_at=factories.now() + timedelta(hours=1)
    )
    return call


def signed_refund(north: Shop) -> ToolCall:
    request = factories.make_approval(shop=north)
    decide_approval(request.pk, approve=True, proof=None, reason="", by=acting(north))
    return ToolCall.objects.get(decision=request.decision, position=0)


def payment_of(call: ToolCall) -> Payment:
    return Payment.objects.get(calls=call)


def assert_stopped(call: ToolCall, vendor: Vendor, why: str) -> None:
    """Cancelled before a byte was sent, its money given back, the case with a person."""
    assert tasks.execute(call.pk) == "cancelled"
    call.refresh_from_db()
    assert (call.error, call.attempts, vendor.asked) == (why, 0, [])
    assert payment_of(call).reserved_minor == 0
    states = ToolCall.objects.filter(decision_id=call.decision_id).values_list("state", flat=True)
    assert set(states) == {"cancelled"}
    assert Handoff.objects.filter(case_id=call.case_id).exclude(state="resolved").count() == 1


def test_what_is_still_right_is_sent_once(north: Shop, vendor: Vendor) -> None:
    call = waiting_refund(north)
    assert tasks.execute(call.pk) == "succeeded"
    assert tasks.execute(call.pk) is None
    (request,) = vendor.asked
    assert request.headers["Idempotency-Key"] == str(call.idempotency_key)
    payment = payment_of(call)
    assert (payment.reserved_minor, payment.refunded_minor) == (0, 1500)


def test_nothing_is_sent_inside_the_undo_window(north: Shop, vendor: Vendor) -> None:
    call = decide_refund(refundable_case(shop=north), undo=timedelta(minutes=10)).calls[0]
    assert tasks.execute(call.pk) is None
    assert vendor.asked == []


def test_the_word_to_the_customer_waits_for_the_money(north: Shop, vendor: Vendor) -> None:
    call = waiting_refund(north)
    message = ToolCall.objects.get(decision_id=call.decision_id, position=2)
    assert tasks.execute(message.pk) is None
    assert vendor.asked == []


@pytest.mark.parametrize("kind", ["fraud", "dispute", "legal", "distress", "anger"])
def test_a_flag_raised_in_the_undo_window_stops_the_refund(north: Shop, vendor: Vendor, kind: str) -> None:
    call = waiting_refund(north)
    factories.make_flag(call.case, kind=kind)
    assert_stopped(call, vendor, f"risk.{kind}")


@pytest.mark.parametrize("kind", ["fraud", "anger"])
def test_a_flag_stops_even_what_was_signed(north: Shop, vendor: Vendor, kind: str) -> None:
    call = signed_refund(north)
    factories.make_flag(call.case, kind=kind)
    assert_stopped(call, vendor, f"risk.{kind}")


def test_a_risk_that_became_high_stops_the_refund(north: Shop, vendor: Vendor) -> None:
    call = waiting_refund(north)
    Order.objects.update(risk_level="high")
    assert_stopped(call, vendor, "risk.fraud")


def test_limits_lowered_in_the_undo_window_stop_the_refund(north: Shop, vendor: Vendor) -> None:
    call = waiting_refund(north)
    factories.make_limits(north, auto_up_to_minor=1499)
    assert_stopped(call, vendor, "refund.tier.one_approver")


def test_limits_raised_since_excuse_nothing(north: Shop, vendor: Vendor) -> None:
    """The stricter of then and now: limits of then were broken by what was decided since."""
    call = waiting_refund(north)
    person = order_of(call.case).person
    other = refundable_case(1500, shop=north, person=person)
    factories.make_limits(north, auto_up_to_minor=100_000, one_approver_up_to_minor=200_000)
    assert decide_refund(other).calls
    assert_stopped(call, vendor, "refund.tier.one_approver")


def test_a_signature_under_limits_of_then_falls_under_stricter_ones(north: Shop, vendor: Vendor) -> None:
    call = signed_refund(north)
    factories.make_limits(north, auto_up_to_minor=100, one_approver_up_to_minor=6639)
    assert_stopped(call, vendor, "refund.tier.two_factor")


def test_a_signer_who_lost_the_role_signs_nothing_any_more(north: Shop, vendor: Vendor) -> None:
    request = factories.make_approval(shop=north)
    user = signer(north)
    decide_approval(request.pk, approve=True, proof=None, reason="", by=actors.staff(user))
    user.groups.clear()
    assert_stopped(ToolCall.objects.get(position=0), vendor, "approver.lost_role")


def test_a_signer_who_has_left_signs_nothing_any_more(north: Shop, vendor: Vendor) -> None:
    request = factories.make_approval(shop=north)
    user = signer(north)
    decide_approval(request.pk, approve=True, proof=None, reason="", by=actors.staff(user))
    user.is_active = False
    user.save()
    assert_stopped(ToolCall.objects.get(position=0), vendor, "approver.lost_role")


def test_a_case_taken_over_in_the_undo_window_sends_nothing(north: Shop, vendor: Vendor) -> None:
    call = waiting_refund(north)
    services.take_over(call.case_id, by=acting(north, "agent"))
    assert_stopped(call, vendor, "case.taken_over")


def test_what_a_person_signed_goes_out_whoever_has_the_case_by_then(north: Shop, vendor: Vendor) -> None:
    call = signed_refund(north)
    services.take_over(call.case_id, by=acting(north, "agent"))
    assert tasks.execute(call.pk) == "succeeded"


@pytest.mark.parametrize("column", ["elsewhere_minor", "disputed_minor"])
def test_money_that_others_took_meanwhile_is_not_paid_twice(north: Shop, vendor: Vendor, column: str) -> None:
    """A colleague refunded by hand, or the bank holds the money: what was set aside isn't there any more."""
    call = waiting_refund(north)
    Payment.objects.filter(pk=payment_of(call).pk).update(**{column: 1})
    assert_stopped(call, vendor, "refund.more_than_refundable")


def test_money_that_others_took_and_that_was_left_over_stops_nothing(north: Shop, vendor: Vendor) -> None:
    call = waiting_refund(north)
    Payment.objects.filter(pk=payment_of(call).pk).update(captured_minor=1600, elsewhere_minor=100)
    assert tasks.execute(call.pk) == "succeeded"


def dearer(call: ToolCall) -> None:
    order_of(call.case).lines.update(total_minor=9000)
    Payment.objects.update(captured_minor=20_000)


def other_payee(call: ToolCall) -> None:
    order_of(call.case).payments.update(vendor="shopify", gateway="shopify_payments", external_id="31")


def taken_off(call: ToolCall) -> None:
    order_of(call.case).lines.update(removed_quantity=1)


def moved_goods(call: ToolCall) -> None:
    """Its pieces would be put back on sale today, and were not to be."""
    Order.objects.update(location="71")
    order_of(call.case).lines.update(unfulfilled_quantity=1)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (dearer, "effect.changed"),
        (other_payee, "effect.changed"),
        (taken_off, "refund.done_elsewhere"),
        (moved_goods, "effect.changed"),
    ],
)
def test_what_would_be_another_refund_today_is_not_sent(
    north: Shop, vendor: Vendor, change: Callable[[ToolCall], None], why: str, signed: bool
) -> None:
    call = signed_refund(north) if signed else waiting_refund(north)
    change(call)
    assert_stopped(call, vendor, why)
    assert Payment.objects.get().reserved_minor == 0


def test_what_is_the_same_today_leaves_no_trace_of_the_question(north: Shop, vendor: Vendor) -> None:
    call = waiting_refund(north)
    entries, line = LedgerEntry.objects.count(), order_of(call.case).lines.get()
    assert changed(call.decision) == ""
    assert (LedgerEntry.objects.count(), order_of(call.case).lines.get().refunded_minor) == (
        entries,
        line.refunded_minor,
    )
    assert ToolCall.objects.get(pk=call.pk).state == "reserved"


def test_goods_that_turn_out_not_to_have_arrived_stop_the_refund(north: Shop, vendor: Vendor) -> None:
    call = waiting_refund(north)
    order_of(call.case).shipments.update(status="in_transit", delivered_at=None)
    assert_stopped(call, vendor, "refund.entitled")


@pytest.mark.parametrize(
    ("scope", "key"),
    [
        ("everything", ""),
        ("shop", ""),
        ("tool", "issue_refund"),
        ("vendor", "stripe"),
        ("planner", "rules"),
    ],
)
@pytest.mark.parametrize("signed", [False, True])
def test_a_kill_switch_stops_what_is_reserved(
    north: Shop, vendor: Vendor, scope: str, key: str, signed: bool
) -> None:
    call = signed_refund(north) if signed else waiting_refund(north)
    shop = north if scope == "shop" else None
    factories.make_switch(signer(north, "agent"), scope=scope, key=key, shop=shop)
    assert_stopped(call, vendor, "switch.engaged")


@pytest.mark.parametrize(
    ("scope", "key"),
    [("tool", "send_reply"), ("vendor", "shopify"), ("planner", "llm")],
)
def test_a_kill_switch_of_something_else_stops_nothing(
    north: Shop, vendor: Vendor, scope: str, key: str
) -> None:
    call = waiting_refund(north)
    factories.make_switch(signer(north, "agent"), scope=scope, key=key)
    assert tasks.execute(call.pk) == "succeeded"


@pytest.mark.parametrize(("scope", "key"), [("shop", ""), ("tool", "issue_refund")])
def test_a_kill_switch_of_another_shop_stops_nothing(
    north: Shop, vendor: Vendor, scope: str, key: str
) -> None:
    call = waiting_refund(north)
    other = factories.make_shop()
    factories.make_switch(signer(north, "agent"), scope=scope, key=key, shop=other)
    assert tasks.execute(call.pk) == "succeeded"


def test_a_released_switch_stops_nothing(north: Shop, vendor: Vendor) -> None:
    call = waiting_refund(north)
    user = signer(north, "agent")
    switch = factories.make_switch(user)
    KillSwitch.objects.filter(pk=switch.pk).update(released_by=user, released_at=factories.now())
    assert tasks.execute(call.pk) == "succeeded"


def test_a_planner_that_is_stopped_silences_no_colleague(north: Shop, vendor: Vendor) -> None:
    case = refundable_case(shop=north)
    factories.make_switch(signer(north, "agent"), scope="planner", key="rules")
    services.reply(case.pk, text="I am looking into it.", by=acting(north, "agent"))
    assert tasks.execute(ToolCall.objects.get().pk) == "succeeded"
    assert len(vendor.asked) == 1


def test_a_flag_silences_neither_a_colleague_nor_the_word_that_one_will_read(
    north: Shop, vendor: Vendor
) -> None:
    case = refundable_case(shop=north)
    factories.make_message(case)
    factories.make_flag(case, kind="anger")
    services.reply(case.pk, text="I am sorry, I am looking into it.", by=acting(north, "agent"))
    # The acknowledgement of the hand-off, then the colleague's own words.
    assert [tasks.execute(call.pk) for call in ToolCall.objects.order_by("id")] == ["succeeded"] * 2


def test_goods_older_than_the_shops_connection_are_history(north: Shop) -> None:
    case = refundable_case(shop=north)
    Order.objects.update(placed_at=north.cutover_at - timedelta(seconds=1))
    assert decide_refund(case).decision.rule == "shop.connected"
    Order.objects.update(placed_at=north.cutover_at)
    assert decide_refund(case).decision.rule == "refund.tier.automatic"


def test_what_we_send_takes_no_customers_voucher_back(north: Shop) -> None:
    """A case that we opened ourselves writes into the conversation that its customer's own letters vouch for."""
    theirs = refundable_case(shop=north)
    ours = refundable_case(shop=north, person=order_of(theirs).person)
    assert decide_refund(ours).calls
    assert theirs.conversation is not None
    theirs.conversation.refresh_from_db()
    assert theirs.conversation.verified
