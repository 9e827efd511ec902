"""Events that their vendor has changed are kept unread, and people hear of them: each alarm, and no flood."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from audit import actors
from audit.models import Entry
from cases import handoff
from cases.models import Case, Handoff, InboundEvent
from opsagent.demo.script import Step
from tests import factories as f
from tests.flow.threads import THREADS, at_once
from tests.flow.world import World, as_bytes, deliver
from tools.models import Drift


def changed(step: Step, **fields: Any) -> Step:
    """The step with a body that its vendor has changed; a field that is `...` is left out."""
    body = {**json.loads(step.body), **fields}
    return replace(step, body=as_bytes({key: value for key, value in body.items() if value is not ...}))


def without_total(world: World) -> Step:
    return changed(world.order_step(world.sold(world.customer())), total_price_set=...)


def risky(world: World, level: str = "ENORMOUS") -> Step:
    step = world.risk_step(world.sold(world.customer()), "HIGH")
    return changed(step, risk_level=level)


def test_an_event_that_has_changed_opens_its_drift_and_one_case(world: World) -> None:
    deliver(without_total(world))
    row, case, event = Drift.objects.get(), Case.objects.get(), InboundEvent.objects.get()
    assert (row.vendor, row.operation, row.finding) == ("shopify", "webhook:orders/create", "missing")
    assert (case.subject, case.state) == ("drift", "handoff")
    assert case.title == "A vendor's answer has changed: shopify orders/create"
    assert (event.state, Handoff.objects.get().drift) == ("dead", row)
    assert Entry.objects.filter(action="drift.found").count() == 1


def test_many_events_of_one_drift_are_one_case(world: World) -> None:
    for _ in range(6):
        deliver(without_total(world))
    assert (Drift.objects.get().count, InboundEvent.objects.count()) == (6, 6)
    assert (Case.objects.count(), Handoff.objects.count()) == (1, 1)


def test_the_case_stays_one_after_somebody_has_closed_it(world: World) -> None:
    deliver(without_total(world))
    by = actors.staff(f.make_user(roles=["agent"]))
    handoff.claim_handoff(Handoff.objects.get().pk, by=by)
    handoff.resolve_handoff(Handoff.objects.get().pk, close=True, by=by)
    deliver(without_total(world))
    assert Case.objects.get().state == Case.State.CLOSED


def test_each_event_that_carries_an_alarm_gets_a_case_of_its_own(world: World) -> None:
    for _ in range(3):
        deliver(risky(world))
    assert Drift.objects.get().count == 3
    events = {row.event for row in Handoff.objects.select_related("event")}
    assert events == set(InboundEvent.objects.all())
    assert {event.case_id for event in events if event} == set(Case.objects.values_list("pk", flat=True))


def test_the_unknown_risk_level_is_told_in_words_that_name_it(world: World) -> None:
    deliver(risky(world))
    row = Drift.objects.get()
    assert (row.finding, row.field_path) == ("unknown_value", "risk_level")
    assert "ENORMOUS" in row.detail


@pytest.mark.parametrize(
    ("kind", "within"),
    [
        ("dispute", timedelta(hours=1)),
        ("risk", timedelta(minutes=15)),
        ("message", timedelta(minutes=1)),
        ("order", timedelta(hours=1)),
    ],
)
def test_the_promise_is_as_short_as_the_alarm(world: World, kind: str, within: timedelta) -> None:
    made: dict[str, Callable[[World], Step]] = {
        "dispute": changed_dispute,
        "risk": risky,
        "message": unreadable_chat,
        "order": without_total,
    }
    deliver(made[kind](world))
    row = Handoff.objects.get()
    assert row.due_at - row.received_at == within


def changed_dispute(world: World) -> Step:
    step = world.dispute_step(world.sold(world.customer()))
    body = json.loads(step.body)
    body["data"]["object"]["status"] = "warning_escalated"
    return changed(step, data=body["data"])


def unreadable_chat(world: World) -> Step:
    step = world.chat(world.customer(), "I can't go on, please help me")
    body = json.loads(step.body)
    body["entry"][0]["changes"][0]["value"]["messages"][0]["timestamp"] = 1
    return changed(step, entry=body["entry"])


def test_a_chat_that_nobody_could_read_is_told_by_its_kind(world: World) -> None:
    deliver(unreadable_chat(world))
    assert Drift.objects.get().operation == "webhook:messages"


def test_the_row_keeps_nothing_of_the_customer(world: World) -> None:
    who = world.customer()
    deliver(changed(world.order_step(world.sold(who)), total_price_set=...))
    row = Drift.objects.get()
    for words in (who.email, who.full_name, who.phone or who.email):
        assert words not in row.sample + row.detail + row.field_path


def test_a_key_that_somebody_wrote_names_no_drift(world: World, caplog: pytest.LogCaptureFixture) -> None:
    for key in ("jane.roe@example.com", "Jane Roe"):
        step = world.charge_step(world.sold(world.customer()))
        event = json.loads(step.body)
        event["data"]["object"]["metadata"] = {key: 5}
        deliver(replace(step, body=as_bytes(event)))
    row = Drift.objects.get()
    assert (row.count, row.field_path, row.finding) == (2, "data.object.metadata", "retyped")
    told = [row.sample, row.detail, caplog.text, *Handoff.objects.values_list("detail", flat=True)]
    told += InboundEvent.objects.values_list("dead_reason", flat=True)
    told += Entry.objects.values_list("body", flat=True)
    assert not [text for text in told if "jane" in text.lower()]


def test_a_second_delivery_of_the_same_event_counts_nothing(world: World) -> None:
    step = without_total(world)
    deliver(step)
    deliver(step)
    assert (Drift.objects.get().count, InboundEvent.objects.get().duplicates) == (1, 1)


def test_a_body_that_is_dead_for_another_reason_is_no_drift(world: World) -> None:
    deliver(replace(world.mail(world.customer(), "Hello"), body=b"{broken"))
    assert InboundEvent.objects.get().state == "dead"
    assert not Drift.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_events_that_come_at_once_open_one_case(world: World) -> None:
    steps = [without_total(world) for _ in range(THREADS)]

    at_once(lambda number: deliver(steps[number]))
    row = Drift.objects.get()
    assert (row.count, row.state, Case.objects.count()) == (THREADS, "open", 1)
