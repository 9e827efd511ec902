"""A refund that no machine can pay: a person pays it, ticks it once, and only then the customer hears of it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction

from approvals.errors import AlreadyDecided, Invalid, NotPermitted
from audit import actors, sources
from audit.models import Entry
from cases import paying, services
from cases.following import after_outcome, before_send
from cases.models import Case, Handoff, PaymentTask, Shop
from cases.tasks import sweep
from cases.telling import tell
from tests import factories
from tests.authority.rows import acting, decide_refund, failures, order_of, refundable_case, signer, together
from tests.flow.vendors import Vendors
from tools import execution
from tools.models import LedgerEntry, Payment, ToolCall


def to_be_paid(shop: Shop | None = None) -> PaymentTask:
    """Goods that were paid in cash came broken; the refund was decided, and no machine can pay it."""
    case = refundable_case(shop=shop)
    with transaction.atomic():
        tell("case.opened", case, by=actors.SYSTEM)
    order_of(case).payments.update(vendor="manual", gateway="Cash on Delivery (COD)")
    call = decide_refund(case).calls[0]
    Case.objects.filter(pk=case.pk).update(
        state=Case.State.WAITING, wait_reason=Case.Wait.EFFECT, wake_at=factories.now() + timedelta(hours=24)
    )
    execution.run(call.pk, before_send=before_send, after_outcome=after_outcome)
    return PaymentTask.objects.get(call=call)


def tick(task: PaymentTask, by: actors.Actor, reference: str = "SEPA 4711", ago: int = 0) -> PaymentTask:
    day = factories.now().date() - timedelta(days=ago)
    return paying.pay(task.pk, paid_on=day, reference=reference, by=by)


def state_of(task: PaymentTask) -> tuple[str, str]:
    task.refresh_from_db()
    return task.state, ToolCall.objects.get(pk=task.call_id).state


def payment_of(task: PaymentTask) -> Payment:
    return Payment.objects.get(order=order_of(task.case))


def messages_sent(task: PaymentTask) -> list[str]:
    later = ToolCall.objects.filter(decision=task.call.decision, tool="send_message")
    return list(later.values_list("state", flat=True))


@pytest.mark.django_db
def test_a_manual_gateway_moves_no_money_and_asks_a_person(fake: Vendors) -> None:
    task = to_be_paid()
    assert fake.asked == []
    assert state_of(task) == ("open", "pending")
    assert (task.amount_minor, task.payee_reference) == (1500, order_of(task.case).name)
    assert payment_of(task).reserved_minor == 1500
    assert Entry.objects.filter(action="payment_task.opened").count() == 1


@pytest.mark.django_db
def test_refunded_is_said_only_after_the_tick(fake: Vendors) -> None:
    task = to_be_paid()
    message = ToolCall.objects.get(decision=task.call.decision, tool="send_message")
    assert execution.run(message.pk, before_send=before_send, after_outcome=after_outcome) is None
    tick(task, acting(task.shop))
    assert state_of(task) == ("paid", "succeeded")
    payment = payment_of(task)
    assert (payment.reserved_minor, payment.refunded_minor) == (0, 1500)
    assert LedgerEntry.objects.filter(call=task.call, kind="refunded").count() == 1


@pytest.mark.django_db
def test_who_ticks_is_kept_with_day_and_reference(fake: Vendors) -> None:
    task = to_be_paid()
    by = acting(task.shop)
    tick(task, by, " SEPA 4711 ")
    task.refresh_from_db()
    assert (task.reference, task.paid_on, str(task.ended_by_id)) == (
        "SEPA 4711",
        factories.now().date(),
        by.id,
    )
    assert Entry.objects.get(action="payment_task.paid").actor_id == by.id
    assert ToolCall.objects.get(pk=task.call_id).settled_by == ToolCall.Settled.PERSON


@pytest.mark.django_db
def test_a_payment_is_ticked_once(fake: Vendors) -> None:
    task = to_be_paid()
    tick(task, acting(task.shop))
    for again in (tick, lambda task, by: paying.drop(task.pk, reason="No.", by=by)):
        with pytest.raises(AlreadyDecided):
            again(task, acting(task.shop))
    assert payment_of(task).refunded_minor == 1500


@pytest.mark.django_db(transaction=True)
def test_of_many_ticks_at_once_one_counts(fake: Vendors) -> None:
    task = to_be_paid()
    people = [acting(task.shop) for _ in range(6)]
    ended = together(*[partial(tick, task, by) for by in people])
    assert failures(ended) == ["AlreadyDecided"] * 5
    assert payment_of(task).refunded_minor == 1500
    assert Entry.objects.filter(action="payment_task.paid").count() == 1


@pytest.mark.django_db
def test_what_is_not_paid_is_free_again_and_a_person_has_the_case(fake: Vendors) -> None:
    task = to_be_paid()
    paying.drop(task.pk, reason="They want a voucher.", by=acting(task.shop))
    assert state_of(task) == ("dropped", "failed")
    assert payment_of(task).reserved_minor == 0
    assert messages_sent(task) == ["cancelled"]
    assert Handoff.objects.get(case=task.case).detail == "payment.dropped"


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["viewer", "agent", "limit author", "auditor", "admin"])
def test_whoever_signs_no_refunds_ticks_none(fake: Vendors, role: str) -> None:
    task = to_be_paid()
    with pytest.raises(NotPermitted):
        tick(task, acting(task.shop, role))
    assert state_of(task) == ("open", "pending")


@pytest.mark.django_db
def test_staff_of_another_shop_tick_nothing(fake: Vendors) -> None:
    task = to_be_paid()
    with pytest.raises(NotPermitted):
        tick(task, acting(factories.make_shop()))


@pytest.mark.django_db
def test_who_wrote_the_limits_ticks_nothing_under_them(fake: Vendors) -> None:
    shop = factories.make_shop()
    author = signer(shop)
    factories.make_limits(shop, author=author)
    task = to_be_paid(shop)
    with pytest.raises(NotPermitted, match="limits"):
        tick(task, actors.staff(author))


@pytest.mark.django_db
@pytest.mark.parametrize(("reference", "ago"), [(" ", 0), ("SEPA 1", -1), ("SEPA 1", 9)])
def test_a_tick_says_when_and_how(fake: Vendors, reference: str, ago: int) -> None:
    task = to_be_paid()
    with pytest.raises(Invalid):
        tick(task, acting(task.shop), reference, ago)
    assert state_of(task) == ("open", "pending")


@pytest.mark.django_db
def test_nobody_settles_it_past_its_task(fake: Vendors) -> None:
    task = to_be_paid()
    with pytest.raises(Invalid, match="payment task"):
        services.settle_call(
            task.call_id, succeeded=True, vendor_ref="x", reason="Seen.", by=acting(task.shop)
        )


@pytest.mark.django_db
def test_the_sweep_leaves_it_to_the_person(fake: Vendors) -> None:
    task = to_be_paid()
    ToolCall.objects.filter(pk=task.call_id).update(lease_until=None)
    assert task.call_id not in execution.due()


@pytest.mark.django_db
def test_a_sender_that_died_leaves_one_task(fake: Vendors) -> None:
    """The call was claimed, and nobody knows what came of it: nothing can have moved."""
    task = to_be_paid()
    after_outcome(ToolCall.objects.select_related("decision", "payment").get(pk=task.call_id))
    assert PaymentTask.objects.count() == 1


@pytest.mark.django_db
def test_a_payment_that_nobody_makes_in_time_calls_a_person(fake: Vendors) -> None:
    task = to_be_paid()
    with sources.frozen(task.due_at + timedelta(minutes=1)):
        sweep()
    assert Handoff.objects.get(case=task.case).detail == "payment.overdue"
    assert state_of(task) == ("open", "pending")
    tick(task, acting(task.shop))
    assert state_of(task) == ("paid", "succeeded")


@pytest.mark.django_db
def test_an_unknown_gateway_is_a_persons(fake: Vendors) -> None:
    case = refundable_case()
    order_of(case).payments.update(vendor="manual", gateway="afterpay")
    made = decide_refund(case)
    assert made.decision.values[-1]["values"] == {"problem": "refund.unknown_gateway"}
    assert (made.decision.outcome, made.calls) == ("deny", ())
