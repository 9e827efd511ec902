"""check_upstreams: one read per operation over real HTTP, green where all is well, each change told by its field."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from approvals.errors import AlreadyDecided
from audit import actors, sources
from cases import vendors
from cases.models import Shop
from tests import factories as f
from tests.drift.altering import Altered, added, set_to
from tests.drift.conftest import SignIn
from tests.flow.threads import at_once
from tests.flow.vendors import away, over
from tests.flow.world import drain, queued
from tests.sandbox.world import KEYS, Caller, order
from tools import probing, wire
from tools.adapters import table
from tools.adapters.accounts import Account
from tools.adapters.operation import Known, Operation
from tools.models import Drift, InvoicePayment, NewField, StockLevel, Upstream, UpstreamCheck
from tools.sandbox.server import Sandbox
from tools.wire import Kind

# Mail goes out by Klaviyo here, so there is no mail server to ask.
ALIVE = {probing.OK, probing.NOTHING, probing.NO_PROBE, probing.NOT_CONFIGURED}


@pytest.fixture
def control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shop: Shop) -> Iterator[Caller]:
    """All vendors of north as stand-ins, where an order was paid through Stripe and read by us."""
    with Sandbox(ledger=tmp_path / "ledger.sqlite3") as running:
        base = f"{running.base_url}/north"
        monkeypatch.setenv("NORTH_SHOPIFY_ADMIN_URL", f"{base}/shopify")
        monkeypatch.setenv("NORTH_STRIPE_API_BASE", f"{base}/stripe")
        monkeypatch.setenv("NORTH_KLAVIYO_API_BASE", f"{base}/klaviyo")
        monkeypatch.setenv("NORTH_WHATSAPP_API_BASE", f"{base}/whatsapp")
        monkeypatch.setenv("NORTH_SLACK_WEBHOOK_URL", f"{base}/slack")
        monkeypatch.setenv("NORTH_WHATSAPP_BUSINESS_ACCOUNT_ID", f"{KEYS['phone_number_id']}9")
        with httpx.Client(base_url=running.base_url, timeout=10) as client:
            caller = Caller(client)
            caller.control("shops", KEYS)
            caller.control("orders", order())
            row = f.make_order(shop, external_id="5001001")
            row.payments.update(external_id="ch_1")
            yield caller


def check(*arguments: str) -> tuple[int, str, dict[str, Any]]:
    """The exit code, what people read, and the last line as JSON."""
    out, code = io.StringIO(), 0
    try:
        call_command("check_upstreams", *arguments, "--json", stdout=out, stderr=io.StringIO())
    except SystemExit as ended:
        code = int(ended.code or 0)
    said = out.getvalue()
    return code, said, json.loads(said.splitlines()[-1])


def results(report: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (vendor["vendor"], one["operation"]): one
        for shop in report["shops"]
        for vendor in shop["vendors"]
        for one in vendor["operations"]
    }


def test_all_is_well_against_the_stand_ins(control: Caller) -> None:
    code, said, report = check()
    bad = {name: one for name, one in results(report).items() if one["result"] not in ALIVE}
    assert (bad, code, report["ok"]) == ({}, 0, True), said
    assert set(results(report)) == {(one.vendor, one.name) for one in table.OPERATIONS}
    assert not any(one["new_fields"] for one in results(report).values())
    assert not Drift.objects.exists()


def probe(vendor: str, name: str, shop: Shop) -> probing.Found:
    """One operation's probe alone."""
    operation = table.named(vendor, name)
    assert operation is not None
    found = probing.probe(operation, Account.of(shop), probing.known_things(shop.pk, vendor))
    probing.keep(shop.pk, found)
    return found


# How each vendor's answer is changed, and what the check says of it.
PLANTED: dict[str, tuple[Altered, tuple[str, str], tuple[str, str, str]]] = {
    "a removed field": (
        Altered("/v1/charges", "amount_captured"),
        ("stripe", "charges.retrieve"),
        ("drift", "amount_captured", "missing"),
    ),
    "a retyped field": (
        Altered("/v1/charges", "amount", set_to("2890")),
        ("stripe", "charges.retrieve"),
        ("drift", "amount", "retyped"),
    ),
    "an empty field": (
        Altered("/v1/charges", "currency", set_to(None)),
        ("stripe", "charges.retrieve"),
        ("drift", "currency", "null"),
    ),
    "a new enum value": (
        Altered("OpsOrder", "data.order.risk.assessments.*.riskLevel", set_to("SEVERE")),
        ("shopify", "order"),
        ("drift", "data.order.risk.assessments.*.riskLevel", "unknown_value"),
    ),
    "a removed field deep in a list": (
        Altered("OpsOrder", "data.order.lineItems.nodes.*.quantity"),
        ("shopify", "order"),
        ("drift", "data.order.lineItems.nodes.*.quantity", "missing"),
    ),
    "Shopify's version": (
        Altered("graphql", headers={"X-Shopify-API-Version": "2026-10"}),
        ("shopify", "order"),
        ("drift", "X-Shopify-API-Version", "version"),
    ),
    "Stripe's version": (
        Altered("/v1/charges", headers={"Stripe-Version": "2027-01-01.acacia"}),
        ("stripe", "charges.retrieve"),
        ("drift", "Stripe-Version", "version"),
    ),
}


@pytest.mark.parametrize("what", PLANTED)
def test_each_change_is_told_by_operation_field_and_finding(control: Caller, shop: Shop, what: str) -> None:
    transport, name, expected = PLANTED[what]
    with wire.transport_override(transport):
        found = probe(*name, shop)
    assert (found.result, found.field_path, found.finding) == expected
    row = Drift.objects.get()
    assert (row.vendor, row.operation, row.field_path) == (*name, expected[1])


def test_a_new_field_is_counted_and_is_no_drift(control: Caller, shop: Shop) -> None:
    with wire.transport_override(Altered("/v1/charges", "surcharge", added)):
        assert probe("stripe", "charges.retrieve", shop).result == "ok"
    assert list(NewField.objects.values_list("operation", "field_path")) == [
        ("charges.retrieve", "surcharge")
    ]


def test_a_deprecation_notice_is_kept_as_it_came(control: Caller, shop: Shop) -> None:
    notice = "https://shopify.dev/docs/api/usage/versioning#deprecation-practices"
    with wire.transport_override(Altered("graphql", headers={"X-Shopify-API-Deprecated-Reason": notice})):
        probe("shopify", "order", shop)
    row = Upstream.objects.get(operation="order")
    assert row.deprecation == f"X-Shopify-API-Deprecated-Reason: {notice}"
    assert row.deprecated_since is not None


def test_the_exit_code_tells_a_change(control: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "stripe", "charges.retrieve")
    with wire.transport_override(Altered("/v1/charges", "amount_captured")):
        code, said, report = check("--shop", "north")
    assert (code, report["ok"]) == (1, False)
    assert "DRIFT at amount_captured: a field is missing" in said
    assert results(report)["stripe", "charges.retrieve"]["finding"] == "missing"


def test_another_version_is_told_in_the_table(control: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "shopify", "order")
    with wire.transport_override(Altered("graphql", headers={"X-Shopify-API-Version": "2026-10"})):
        _code, said, _report = check("--shop", "north")
    assert "DRIFT at X-Shopify-API-Version: another version was served: 2026-10" in said


def only(monkeypatch: pytest.MonkeyPatch, vendor: str, name: str) -> None:
    monkeypatch.setattr(table, "OPERATIONS", tuple(filter(None, [table.named(vendor, name)])))


def test_a_vendor_that_can_not_be_reached_is_no_green_check(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, "stripe", "events.list")
    with over(away):
        code, said, report = check()
    assert (code, results(report)["stripe", "events.list"]["result"]) == (1, "unavailable")
    assert "NOT READABLE" in said


def test_a_check_that_could_ask_nothing_is_not_green(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "stripe", "events.list")
    monkeypatch.delenv("NORTH_STRIPE_API_KEY")
    code, said, report = check()
    assert (code, report["ok"]) == (1, False)
    assert "not connected: NORTH_STRIPE_API_KEY is not set" in said


def test_an_unknown_shop_is_told_with_the_known_ones(shop: Shop) -> None:
    with pytest.raises(CommandError, match="Known: north"):
        call_command("check_upstreams", "--shop", "nort")


def test_operations_that_share_a_reading_cost_it_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def reading(account: Account, known: Known, correlation_id: UUID) -> bool:
        asked.append(account.slug)
        return True

    rows = tuple(Operation("stripe", name, Kind.READ, None, tuple, probe=reading) for name in ("one", "two"))
    monkeypatch.setattr(table, "OPERATIONS", rows)
    assert [(found.operation, found.result) for found in probing.probe_all(shop)] == [
        ("one", "ok"),
        ("two", "ok"),
    ]
    assert asked == ["north"]


class TestAtNight:
    """Each shop's vendors are checked once a night, at a quiet hour of its own, whoever looks."""

    NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def test_a_new_shop_is_planned_for_its_own_night(self, shop: Shop) -> None:
        with sources.frozen(self.NOON):
            assert vendors.due_checks() == 0
        # 03:17 in Oslo is 02:17 in UTC.
        assert UpstreamCheck.objects.get().next_at == datetime(2026, 11, 24, 2, 17, tzinfo=UTC)

    def test_it_runs_once_and_plans_the_next_night(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        only(monkeypatch, "stripe", "events.list")
        with sources.frozen(self.NOON) as clock:
            vendors.due_checks()
            clock.advance(timedelta(hours=15))
            assert [vendors.due_checks(), vendors.due_checks()] == [1, 0]
            with over(away):
                assert drain() == ["check_vendors"]
        row = UpstreamCheck.objects.get()
        assert (row.asked, row.bad, row.under_way) == (1, 1, False)
        assert row.next_at == datetime(2026, 11, 25, 2, 17, tzinfo=UTC)

    @pytest.mark.django_db(transaction=True)
    def test_of_many_watchers_one_asks(self, shop: Shop) -> None:
        UpstreamCheck.objects.create(shop=shop, next_at=f.now() - timedelta(minutes=1))
        assert sum(at_once(lambda _number: vendors.due_checks())) == 1
        assert queued() == [("check_vendors", shop.pk)]

    def test_a_task_that_was_lost_is_rung_for_again(self, shop: Shop) -> None:
        ago = f.now() - timedelta(minutes=5)
        UpstreamCheck.objects.create(shop=shop, next_at=f.now() + timedelta(hours=9), asked_at=ago)
        assert [vendors.due_checks(), vendors.due_checks()] == [1, 0]

    def test_a_task_that_comes_twice_checks_once(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(table, "OPERATIONS", ())
        UpstreamCheck.objects.create(shop=shop, next_at=f.now() + timedelta(hours=9), asked_at=f.now())
        assert [vendors.check_vendors(shop.pk), vendors.check_vendors(shop.pk)] == [0, None]

    def test_a_zone_that_does_not_exist_keeps_no_shop_from_its_check(self) -> None:
        assert vendors.quiet_time(Shop(time_zone="Mars/Base"), self.NOON).hour == 3


class TestTheVendorsPage:
    def page(self, sign_in: SignIn, *roles: str, shop: str = "") -> str:
        query = f"?shop={shop}" if shop else ""
        answer = sign_in(*roles or ("viewer",)).get(reverse("admin:tools_upstream_changelist") + query)
        assert answer.status_code == 200
        return str(answer.content.decode())

    def test_it_says_that_all_is_well_after_a_good_check(self, shop: Shop, sign_in: SignIn) -> None:
        now = f.now()
        UpstreamCheck.objects.create(
            shop=shop, next_at=now, asked_at=now, began_at=now, ended_at=now, asked=30, bad=0
        )
        assert "Every vendor speaks as we know it" in self.page(sign_in)

    def test_it_shows_version_end_budget_drift_and_new_fields(
        self, control: Caller, shop: Shop, sign_in: SignIn
    ) -> None:
        with wire.transport_override(Altered("/v1/charges", "amount_captured")):
            probe("stripe", "charges.retrieve", shop)
        probe("shopify", "order", shop)
        page = " ".join(self.page(sign_in).split())
        assert "2026-07 ends on 1 July 2027" in page
        assert "% of the rate budget left" in page
        assert "amount_captured</a>" in page
        assert "writes nothing" in page
        assert "It still doesn&#x27;t fit." in page

    def test_another_version_than_asked_for_is_told_in_red(
        self, control: Caller, shop: Shop, sign_in: SignIn
    ) -> None:
        with wire.transport_override(Altered("graphql", headers={"X-Shopify-API-Version": "2026-10"})):
            probe("shopify", "order", shop)
        words = "asked for 2026-07, answered as 2026-10"
        assert f'<span class="danger-text">{words}</span>' in self.page(sign_in)

    def test_asking_for_a_check_shows_that_it_runs(self, shop: Shop, sign_in: SignIn) -> None:
        client, place = sign_in("admin"), reverse("admin:tools_upstream_changelist")
        client.post(reverse("admin:check_vendors", args=[shop.pk]), {"next": place})
        assert queued() == [("check_vendors", shop.pk)]
        assert "Each vendor is being asked once per operation" in client.get(place).content.decode()

    def test_a_second_press_asks_for_no_second_check(self, shop: Shop) -> None:
        admin = actors.staff(f.make_user(roles=["admin"]))
        vendors.ask_check(shop.pk, by=admin)
        with pytest.raises(AlreadyDecided, match="A check is under way"):
            vendors.ask_check(shop.pk, by=admin)
        assert len(queued()) == 1

    def test_another_shops_vendors_are_not_shown(self, shop: Shop, sign_in: SignIn) -> None:
        south = f.make_shop("south")
        place = reverse("admin:tools_upstream_changelist")
        assert sign_in("viewer", shops=[south]).get(f"{place}?shop=north").status_code == 404

    def test_who_may_not_clear_sees_no_button(self, shop: Shop, sign_in: SignIn) -> None:
        action = reverse("admin:check_vendors", args=[shop.pk])
        assert action not in self.page(sign_in, "agent")
        assert action in self.page(sign_in, "admin")

    def test_an_operations_own_page_leads_to_its_vendor(self, shop: Shop, sign_in: SignIn) -> None:
        row = Upstream.objects.create(shop=shop, vendor="stripe", operation="x", seen_at=f.now())
        answer = sign_in("viewer").get(reverse("admin:tools_upstream_change", args=[row.pk]))
        assert answer["Location"].endswith("?shop=north#stripe")

    def test_the_desk_says_that_something_is_stopped(self, shop: Shop, sign_in: SignIn) -> None:
        client = sign_in("agent")
        assert "A vendor has changed" not in client.get(reverse("admin:index")).content.decode()
        f.make_drift(shop)
        desk = client.get(reverse("admin:index")).content.decode()
        assert "A vendor has changed: 1 operation or kind of event is stopped" in desk
        assert "Stripe has changed: charges.retrieve" in desk


@pytest.mark.parametrize(("vendor", "name"), [("slack", "webhook"), ("shopify", "job")])
def test_what_can_not_be_asked_is_told_as_not_proven(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, vendor: str, name: str
) -> None:
    only(monkeypatch, vendor, name)
    code, said, report = check()
    assert (code, report["ok"], results(report)[vendor, name]["result"]) == (1, False, "no_probe")
    assert "NOT PROVEN: it has no reading of its own" in said


def test_stock_and_credit_notes_are_probed_by_what_the_shop_knows(control: Caller, shop: Shop) -> None:
    StockLevel.objects.create(shop=shop, sku="LAMP", inventory_item="808", available=3, at=f.now())
    InvoicePayment.objects.create(shop=shop, invoice="in_1", charge="ch_1")
    known, *_older = probing.known_things(shop.pk, "stripe")
    assert (known.inventory_item, known.invoice) == ("808", "in_1")
    with over(away):
        assert probe("shopify", "inventoryItem", shop).result == "unavailable"
        assert probe("stripe", "credit_notes.list", shop).result == "unavailable"


@pytest.mark.parametrize("name", [("stripe", "charges.retrieve"), ("shopify", "order")])
@pytest.mark.parametrize(("unknown", "result"), [(2, "ok"), (3, "nothing_to_read")])
def test_what_the_vendor_does_not_know_any_more_gives_way_to_the_next_newest(
    control: Caller, shop: Shop, name: tuple[str, str], unknown: int, result: str
) -> None:
    for _ in range(unknown):
        f.make_order(shop, placed_at=f.now())
    assert probe(*name, shop).result == result


@pytest.mark.parametrize(
    ("fault", "name", "expected"),
    [
        (
            {"kind": "removed_field", "field": "amount_captured"},
            ("stripe", "charges.retrieve"),
            ("drift", "amount_captured", "missing"),
        ),
        (
            {"kind": "new_enum_value", "field": "data.order.transactions.0.status", "value": "REVERSED"},
            ("shopify", "order"),
            ("drift", "data.order.transactions.*.status", "unknown_value"),
        ),
        (
            {"kind": "version_header", "value": "2026-10"},
            ("shopify", "order"),
            ("drift", "X-Shopify-API-Version", "version"),
        ),
        ({"kind": "added_field", "field": "surcharge"}, ("stripe", "charges.retrieve"), ("ok", "", "")),
    ],
    ids=["removed", "enum", "version", "added"],
)
def test_the_stand_ins_own_faults_are_told_apart(
    control: Caller, shop: Shop, fault: dict[str, Any], name: tuple[str, str], expected: tuple[str, str, str]
) -> None:
    control.control("faults", {"vendor": name[0], "operation": name[1], **fault})
    found = probe(*name, shop)
    assert (found.result, found.field_path, found.finding) == expected
