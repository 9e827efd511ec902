"""A day in which everything happens breaks nothing; what others did counts as theirs once a person has it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit import actors
from audit.sources import Clock
from cases import services
from cases.handoff import claim_handoff, resolve_handoff
from cases.invariants import violations
from cases.models import Case, Handoff, InboundEvent
from cases.tasks import sweep
from tests import factories
from tests.flow.turns import asks, damaged, planner, refund, wait_for, writes_again
from tests.flow.vendors import Vendors
from tests.flow.world import World, deliver, drain, post
from tests.invariants.planting import Day, broken, run
from tools.models import ToolCall

pytestmark = pytest.mark.django_db

TOGETHER = "what was refunded here and elsewhere stays within the capture, or stands before a person"


@pytest.fixture
def day(world: World, fake: Vendors) -> Day:
    played = Day(world)
    played.play()
    return played


def test_a_day_of_everything_breaks_nothing(day: Day, fake: Vendors, clock: Clock) -> None:
    world = day.world
    user = factories.make_user(roles=["agent", "finance approver"], shops=[world.shop])
    by = actors.staff(user)

    request = day.approval
    services.decide_approval(request.pk, approve=True, proof=None, reason="", by=by)
    drain()
    rejected = Case.objects.get(order=day.refunded("mid"))
    services.decide_approval(rejected.approvals.get().pk, approve=False, proof=None, reason="A fake.", by=by)
    assert violations() == []

    handoff = claim_handoff(day.handoff.pk, by=by)
    services.reply(handoff.case_id, text="We look into it.", by=by)
    drain()
    resolve_handoff(handoff.pk, close=True, by=by)
    services.take_over(handoff.case_id, by=by)
    services.snooze(handoff.case_id, until=clock.at + timedelta(days=2), by=by)
    assert violations() == []

    fake.refund = fake.made_and_lost
    lost = day.refunded("small")
    assert ToolCall.objects.get(case__order=lost, tool="issue_refund").state == "unknown"
    assert violations() == []
    fake.refund = fake.made
    wait_for(clock, timedelta(minutes=2))
    sweep()
    drain()

    quiet = damaged(world)
    with planner(asks()):
        drain()
    writes_again(world, quiet, "the pole")
    with planner(refund(quiet)):
        drain()
    deliver(world.mail(world.customer(), "Hello"))
    with planner(asks()):
        drain()
    wait_for(clock, timedelta(days=3))
    sweep()
    with planner(*[asks()] * 5):
        drain()
    assert violations() == []
    assert set(Case.objects.values_list("state", flat=True)) >= {"closed", "handoff"}


def dashboard_refund(day: Day) -> None:
    """Somebody refunds the whole order in the shop's own pages, which our refund of it had left nothing of."""
    order = next(
        order for order in day.world.stage.orders if str(order["id"]) == day.payment.order.external_id
    )
    deliver(day.world.refund_step(order, order["total"]))


class TestElsewhere:
    def test_a_refund_made_elsewhere_on_top_of_ours_stands_before_a_person(self, day: Day) -> None:
        dashboard_refund(day)
        payment = day.payment
        assert payment.refunded_minor + payment.elsewhere_minor > payment.captured_minor
        assert Handoff.objects.get().state == "waiting"
        assert violations() == []

    def test_it_stays_explained_after_the_person_is_done(self, day: Day) -> None:
        dashboard_refund(day)
        by = actors.staff(factories.make_user(roles=["agent"], shops=[day.world.shop]))
        claim_handoff(Handoff.objects.get().pk, by=by)
        resolve_handoff(Handoff.objects.get().pk, close=True, by=by)
        assert violations() == []

    def test_without_a_person_it_is_named(self, day: Day) -> None:
        dashboard_refund(day)
        run("DELETE FROM cases_handoff")
        assert broken(TOGETHER) == [f"payment {day.payment.pk}"]

    def test_a_person_who_had_it_before_doesnt_count(self, day: Day) -> None:
        dashboard_refund(day)
        run("UPDATE cases_handoff SET resolved_at = opened_at - interval '1 hour', state = 'resolved', claimed_at ="
            " opened_at, claimed_by_id = %s", factories.make_user().pk)  # fmt: skip
        assert broken(TOGETHER) == [f"payment {day.payment.pk}"]

    def test_what_we_set_aside_afterwards_is_ours(self, day: Day) -> None:
        dashboard_refund(day)
        run(
            "INSERT INTO tools_ledgerentry (shop_id, payment_id, kind, amount_minor, currency, vendor_ref, at)"
            " SELECT shop_id, id, 'reserved', 1, currency, '', now() FROM tools_payment WHERE id = %s",
            day.payment.pk,
        )
        assert broken(TOGETHER) == [f"payment {day.payment.pk}"]


class TestScope:
    def test_one_case_is_asked_about_alone(self, day: Day) -> None:
        other = day.handoff.case_id
        run("UPDATE cases_message SET state = 'queued' WHERE direction = 'out'")
        name = "a queued message has a call that sends it"
        assert len(broken(name)) == 2
        assert broken(name, cases=(day.case.pk,)) == [f"message {day.message.pk}"]
        assert {row.case_id for row in violations(cases=[other])} == {other}

    def test_another_shops_rows_are_left_out(self, day: Day) -> None:
        run("UPDATE cases_message SET state = 'queued' WHERE direction = 'out'")
        elsewhere = factories.make_shop()
        # Its limits were made behind the program's back, and nothing else is named as its own.
        assert {row.row.split()[0] for row in violations(shops=[elsewhere.pk])} == {"limits"}
        assert {row.shop_id for row in violations(shops=[day.world.shop.pk])} == {day.world.shop.pk}

    def test_no_case_is_not_every_case(self, day: Day) -> None:
        run("UPDATE cases_message SET state = 'queued' WHERE direction = 'out'")
        assert violations(cases=[]) == []

    def test_each_invariant_is_one_moment_of_the_database(self, day: Day) -> None:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert violations() == []
        assert all(query["sql"].strip().startswith(("SELECT", "WITH")) for query in queries)


def test_a_dead_letter_has_its_place_and_its_telling(day: Day) -> None:
    step = day.world.mail(day.world.customer(), "Hello")
    assert post(replace(step, body=b"{")).status_code == 200
    assert InboundEvent.objects.filter(state="dead").exists()
    assert violations() == []
