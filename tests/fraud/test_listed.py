"""The shop's own list: whom it names is a person's, at intake and again before money, in every spelling."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.db import connection

from approvals.errors import AlreadyDecided, Invalid, NotPermitted
from approvals.models import Decision, RiskFlag
from approvals.services import lower_flag
from audit.models import Entry
from audit.sources import Clock
from cases import personal
from cases.fraud import listed
from cases.models import Case, FraudEntry, Handoff, KnownAddress, Person, Shop
from cases.people import email_key
from tests import factories
from tests.authority.rows import acting
from tests.flow.turns import damaged, decided, planner, refund, says
from tests.flow.vendors import Vendors
from tests.flow.world import World, deliver, drain
from tests.fraud.rows import called, listing
from tools.models import Order, Payment, ToolCall
from tools.snapshots import AddressSnapshot

pytestmark = pytest.mark.django_db

HOME = AddressSnapshot(address1="Musterstraße 1a", zip="10115", city="Berlin", country="DE")


class TestAtIntake:
    def test_an_order_of_a_listed_email_goes_to_a_person(self, world: World) -> None:
        who = world.customer()
        name, host = who.email.split("@")
        entry = listing(world.shop, "email", f" {name.upper()}+again@{host} ")
        deliver(world.order_step(world.sold(who)))
        assert called() == [("fraud", f"fraud_list.email.{entry.pk}")]
        assert Case.objects.get().order_id == Order.objects.get().pk

    def test_an_order_of_a_listed_phone_goes_to_a_person(self, world: World) -> None:
        who = world.customer()
        entry = listing(world.shop, "phone", f"+{who.phone[:3]} ({who.phone[3:6]}) {who.phone[6:]}")
        deliver(world.order_step(world.sold(who)))
        assert called() == [("fraud", f"fraud_list.phone.{entry.pk}")]

    def test_an_order_of_anybody_else_is_absorbed(self, world: World) -> None:
        listing(world.shop, "email", world.customer().email)
        deliver(world.order_step(world.sold(world.customer())))
        assert not Case.objects.exists()

    def test_a_listed_card_calls_once_its_charge_is_told(self, world: World) -> None:
        order = world.sold(world.customer())
        entry = listing(world.shop, "card", order["charge"]["fingerprint"])
        deliver(world.order_step(order))
        assert not Case.objects.exists()
        deliver(world.charge_step(order))
        assert called() == [("fraud", f"fraud_list.card.{entry.pk}")]

    def test_a_letter_of_a_listed_customer_is_a_persons_unread_by_the_agent(self, world: World) -> None:
        who = world.customer()
        entry = listing(world.shop, "email", who.email)
        deliver(world.mail(who, "Where is my parcel?"))
        assert called() == [("fraud", f"fraud_list.email.{entry.pk}")]
        assert drain() == []

    def test_a_listed_customer_is_known_by_another_spelling_with_the_listed_phone(self, world: World) -> None:
        who = world.customer()
        factories.make_person(world.shop, email="listed@x.example", phone=who.phone)
        listing(world.shop, "email", "listed@x.example")
        deliver(world.order_step(world.sold(who)))
        assert [reason for reason, _source in called()] == ["fraud"]

    def test_the_same_entry_calls_for_an_order_once(self, world: World) -> None:
        who = world.customer()
        listing(world.shop, "email", who.email)
        order = world.sold(who)
        deliver(world.order_step(order))
        lower_flag(RiskFlag.objects.get().pk, reason="Paid by now", by=acting(world.shop, "agent"))
        deliver(world.order_step(order, updated=world.stage.start, fulfillment_status="fulfilled"))
        assert RiskFlag.objects.count() == 1

    def test_an_order_from_before_the_connection_calls_nobody(self, world: World) -> None:
        who = world.customer()
        listing(world.shop, "email", who.email)
        Shop.objects.update(cutover_at=factories.now() - timedelta(hours=1))
        deliver(world.order_step(world.sold(who, days=2)))
        assert not Case.objects.exists()


class TestBeforeMoney:
    def test_a_customer_who_was_listed_meanwhile_gets_nothing_at_the_agents_turn(self, world: World) -> None:
        row = damaged(world)
        assert row.person is not None
        entry = listing(world.shop, "email", row.person.email)
        with planner(refund(row)):
            drain(only=["advance"])
        decision = Decision.objects.get(by_kind="agent")
        assert (decision.outcome, decision.rule) == ("human", "risk.fraud")
        assert called() == [("fraud", f"fraud_list.email.{entry.pk}")]
        assert not ToolCall.objects.exists()

    def test_a_message_to_a_listed_customer_is_a_persons_too(self, world: World) -> None:
        row = damaged(world)
        assert row.person is not None
        listing(world.shop, "email", row.person.email)
        with planner(says()):
            drain(only=["advance"])
        assert Decision.objects.get(by_kind="agent").rule == "risk.fraud"

    def test_an_address_is_found_however_it_is_spelled(self, world: World) -> None:
        row = damaged(world)
        told = HOME.model_copy(
            update={"address1": "MUSTERSTRASSE", "address2": "1A", "zip": "10 115", "city": ""}
        )
        Order.objects.update(address_key=personal.address_key(world.shop.pk, told))
        entry = listing(world.shop, "address", HOME)
        with planner(refund(row)):
            drain(only=["advance"])
        assert called() == [("fraud", f"fraud_list.address.{entry.pk}")]
        assert KnownAddress.objects.count() == 1

    def test_what_was_decided_before_the_listing_is_not_sent_after_it(
        self, world: World, clock: Clock, fake: Vendors
    ) -> None:
        call = decided(world)
        entry = listing(world.shop, "card", Payment.objects.get().instrument)
        drain()
        call.refresh_from_db()
        assert (call.state, call.error) == ("cancelled", "risk.fraud")
        assert RiskFlag.objects.get().source == f"fraud_list.card.{entry.pk}"
        assert Handoff.objects.get().state == "waiting"
        assert not [request for request in fake.asked if "/v1/refunds" in str(request.url)]


class TestTheListItself:
    @pytest.mark.parametrize("ends", ["by a person", "by its date"])
    def test_an_entry_that_is_over_calls_nobody(self, world: World, clock: Clock, ends: str) -> None:
        who = world.customer()
        until = clock.at + timedelta(hours=1) if ends == "by its date" else None
        entry = listing(world.shop, "email", who.email, expires_at=until)
        if until is None:
            listed.end(entry.pk, reason="Paid his debts", by=acting(world.shop, "agent"))
        clock.advance(timedelta(hours=2))
        deliver(world.order_step(world.sold(who)))
        assert not Case.objects.exists()
        assert listing(world.shop, "email", who.email).pk != entry.pk

    def test_another_shop_has_a_list_of_its_own(self, world: World) -> None:
        who = world.customer()
        listing(factories.make_shop("sakura"), "email", who.email)
        deliver(world.order_step(world.sold(who)))
        assert not Case.objects.exists()

    def test_the_value_stands_nowhere_in_the_clear(self, shop: Shop) -> None:
        row = listing(shop, "email", "Ines@Customer.example")
        kept = FraudEntry.objects.filter(pk=row.pk).values_list("mac", "sealed", "reason").get()
        assert b"customer" not in b"".join(bytes(part) for part in kept[:2]).lower()
        assert "customer" not in "".join(Entry.objects.values_list("body", flat=True)).lower()
        assert listed.value_of(FraudEntry.objects.select_related("key").get()) == "Ines@Customer.example"

    def test_the_erasure_of_a_person_takes_nobody_off_the_list(self, world: World) -> None:
        who = world.customer()
        listing(world.shop, "email", who.email)
        _order, row = world.known(who)
        assert row.person is not None
        personal.keep(row.person, "a text")
        personal.erase(row.person, by=acting(world.shop, "agent"))
        assert listed.met(world.shop.pk, [], row)

    def test_adding_and_ending_are_told_with_their_reasons(self, shop: Shop) -> None:
        row = listing(shop, "phone", "+49 170 1234567")
        listed.end(row.pk, reason="Wrong number", by=acting(shop, "agent"))
        told = Entry.objects.filter(subject_type="cases.fraudentry", subject_id=str(row.pk))
        assert list(told.order_by("pk").values_list("action", flat=True)) == [
            "fraud_list.added",
            "fraud_list.ended",
        ]
        row.refresh_from_db()
        assert (row.reason, row.end_reason) == ("Three chargebacks", "Wrong number")
        with pytest.raises(AlreadyDecided):
            listed.end(row.pk, reason="Again", by=acting(shop, "agent"))

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("email", "nobody"), ("email", ""), ("phone", "12"), ("card", " "), ("address", "Berlin"),
            ("address", AddressSnapshot(zip="10115", country="DE")), ("email", HOME), ("name", "Ines"),
        ],
    )  # fmt: skip
    def test_what_could_not_be_found_again_is_refused(
        self, shop: Shop, kind: str, value: str | AddressSnapshot
    ) -> None:
        with pytest.raises(Invalid):
            listing(shop, kind, value)

    def test_an_entry_says_why_ends_in_time_and_is_made_once(self, shop: Shop, clock: Clock) -> None:
        for wrong in (
            {"reason": " "},
            {"expires_at": clock.at},
            {"expires_at": clock.at + timedelta(days=9999)},
        ):
            with pytest.raises(Invalid):
                listing(shop, "email", "ines@customer.example", **wrong)
        listing(shop, "email", "ines@customer.example")
        with pytest.raises(AlreadyDecided):
            listing(shop, "email", "INES+2@customer.example")

    @pytest.mark.parametrize("role", ["viewer", "auditor", "limit author", "limit publisher", "admin"])
    def test_no_other_role_lists_anybody_or_ends_an_entry(self, shop: Shop, role: str) -> None:
        row = listing(shop, "email", "ines@customer.example")
        with pytest.raises(NotPermitted):
            listing(shop, "email", "mia@customer.example", by=acting(shop, role))
        with pytest.raises(NotPermitted):
            listed.end(row.pk, reason="So", by=acting(shop, role))

    def test_a_shop_that_lists_nobody_asks_for_the_time_and_one_thing_more(
        self, shop: Shop, django_assert_num_queries: object
    ) -> None:
        order = factories.make_order(shop)
        with django_assert_num_queries(2):  # type: ignore[operator]  # pytest-django's
            assert listed.met(shop.pk, [], order) == []


def spelled() -> list[str]:
    """What people make of an address by hand, and what nobody would."""
    draw = random.Random(5)
    parts = [
        "a",
        "B",
        "ines",
        ".",
        "+",
        "+",
        "@",
        "@",
        " ",
        "\u200b",
        "＠",
        "ｘ",
        "gmail.com",
        "GoogleMail.com.",
        "x.example",
    ]
    made = ["".join(draw.choices(parts, k=draw.randint(1, 9))) for _ in range(400)]
    return [
        "",
        "Ines.Car+shop@GoogleMail.com.",
        "ｉｎｅｓ@customer.example",
        "+a+b@x.example",
        "a@b@c",
        *made,
    ]


def test_the_database_and_the_list_have_one_spelling_of_an_email(db: None) -> None:
    given = spelled()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT email_key(one) FROM unnest(%s::text[]) WITH ORDINALITY AS t (one, n) ORDER BY n", [given]
        )
        assert [row[0] for row in cursor.fetchall()] == [email_key(text) for text in given]


def test_two_spellings_are_one_person_for_the_database_too(shop: Shop) -> None:
    factories.make_person(shop, email="i.nes+x@gmail.com")
    assert Person.objects.get(email="i.nes+x@gmail.com").email_key == email_key("I.nes+y@googlemail.com")
