"""Our ledger beside the vendors' own, over real HTTP: what one side alone knows is named, and silence is no yes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.db import transaction
from django.test import Client

from audit import sources
from audit.sources import Clock
from cases.invariants import runs
from cases.invariants.base import Scope
from cases.invariants.vendors import read_vendors
from cases.models import InvariantRun, Shop
from opsagent.demo import accounts
from tests import factories
from tests.admin.conftest import sign_in, viewer
from tests.flow.turns import planner, refund, scripted_shop
from tests.flow.world import SECRETS, World, deliver, drain
from tests.invariants.planting import loosened, run
from tests.invariants.test_runs import line, told
from tools import orders, wire
from tools.adapters import shopify as shops_side
from tools.adapters.accounts import Account
from tools.models import Order, Payment, ToolCall
from tools.sandbox.server import Sandbox

__all__ = ["sign_in", "viewer"]

pytestmark = pytest.mark.django_db


class Vendors:
    """The stand-ins, and a shop that has refunded once through each of them."""

    def __init__(self, sandbox: Sandbox, world: World) -> None:
        self.sandbox, self.world = sandbox, world

    def asked(self, path: str, **body: Any) -> None:
        httpx.post(f"{self.sandbox.base_url}/_control/{path}", json=body).raise_for_status()

    def refunded(self, **sold: Any) -> Payment:
        """A broken thing, refunded by the agent through whoever took the money."""
        world, who = self.world, self.world.customer()
        order = world.sold(who, **sold)
        self.asked("orders", **order)
        steps = [world.order_step(order), *([world.charge_step(order)] if order["charge"] else [])]
        for step in (*steps, *world.parcel_steps(order)):
            deliver(step)
        # Who took the money at the shop's own gateway, the order's webhook doesn't say.
        found = shops_side.read_order(Account.of(world.shop), str(order["id"]), correlation_id=uuid4())
        with transaction.atomic():
            orders.record_order(world.shop.pk, found)
        Order.objects.filter(external_id=str(order["id"])).update(
            risk_level=Order.Risk.LOW, read_at=factories.now()
        )
        row = Order.objects.get(external_id=str(order["id"]))
        deliver(world.mail(who, f"{row.name}: it arrived broken"))
        with planner(refund(row)):
            drain()
        call = ToolCall.objects.get(case__order=row, tool="issue_refund", state="succeeded")
        assert call.payment is not None
        return call.payment

    def by_hand(self, payment: Payment) -> None:
        """Somebody refunds a little in the vendor's own pages, and no webhook comes."""
        path = f"orders/north/{payment.order.external_id}/refunds"
        self.asked(path, id=f"re_{payment.pk}77", amount="1.00", lines=[])


@pytest.fixture
def vendors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shop: Shop) -> Iterator[Vendors]:
    with Sandbox(ledger=tmp_path / "ledger.sqlite") as running:
        variables = {**accounts.environment(tmp_path, running.base_url), **SECRETS}
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        world = Vendors(running, World(shop))
        for one in accounts.for_sandbox(variables):
            world.asked("shops", **one)
        scripted_shop(world.world)
        with httpx.HTTPTransport() as real, wire.transport_override(real):
            yield world


@pytest.fixture
def stripe(vendors: Vendors) -> Payment:
    return vendors.refunded()


@pytest.fixture
def shopify(vendors: Vendors) -> Payment:
    return vendors.refunded(gateway="shopify_payments")


def unequal() -> list[str]:
    return [row.row for row in read_vendors(Scope(), most=10).violations]


def test_equal_ledgers_of_both_vendors_end_in_zero(stripe: Payment, shopify: Payment) -> None:
    assert {stripe.vendor, shopify.vendor} == {"stripe", "shopify"}
    status, parsed = line("--vendors")
    assert (status, parsed["vendors"]) == (0, {"compared": 2, "by_hand": 0, "left_out": 0, "unread": {}})


def test_what_only_one_side_knows_is_named_at_either_vendor(
    vendors: Vendors, stripe: Payment, shopify: Payment
) -> None:
    for payment in (stripe, shopify):
        # A refund that we have and the vendor doesn't; another amount is the same by less.
        for more in (payment.refunded_minor + 500, 1):
            run("UPDATE tools_payment SET elsewhere_minor = %s WHERE id = %s", more, payment.pk)
            assert unequal() == [f"payment {payment.pk}"]
        run("UPDATE tools_payment SET elsewhere_minor = 0 WHERE id = %s", payment.pk)
        assert unequal() == []
    for payment in (stripe, shopify):
        vendors.by_hand(payment)
    status, parsed = line("--vendors")
    found = {(row["row"], row["model"], row["link"]) for row in parsed["violations"]}
    assert status == 1
    assert found == {
        (f"payment {pk}", "tools.payment", f"/admin/tools/payment/{pk}/change/")
        for pk in (stripe.pk, shopify.pk)
    }


@pytest.fixture
def passing() -> Iterator[None]:
    """Whoever waits for a vendor finds the time gone."""
    with sources.frozen(factories.now()) as clock, httpx.HTTPTransport() as real:

        def sleep(seconds: float) -> None:
            clock.advance(timedelta(seconds=seconds))

        with wire.transport_override(real, wire.Pace(sleep=sleep)):
            yield


def test_a_vendor_that_is_away_is_said_as_not_read_and_ends_in_three(
    vendors: Vendors, stripe: Payment, shopify: Payment, passing: None
) -> None:
    vendors.asked("faults", vendor="stripe", operation="*", kind="reset_before", times=50)
    status, parsed = line("--vendors")
    assert (status, parsed["ok"], parsed["vendors"]["compared"]) == (3, True, 1)
    assert list(parsed["vendors"]["unread"].values()) == [1]
    assert next(iter(parsed["vendors"]["unread"])).startswith("north stripe: ")
    vendors.by_hand(shopify)
    # What is unequal counts for more than what could not be read.
    assert line("--vendors")[0] == 1
    assert any(said.startswith("Not read: 1 payments, north stripe: ") for said in told("--vendors")[1])


def test_the_night_compares_within_bounds_and_the_desk_says_what_is_unequal(
    vendors: Vendors, stripe: Payment, shopify: Payment, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    Shop.objects.update(created_at=stripe.order.placed_at - timedelta(days=30))
    vendors.by_hand(stripe)
    monkeypatch.setattr(runs, "MOST_READ", 1)
    # What moved comes first, though the other one was sold for more.
    loosened("tools_ledgerentry")
    run("UPDATE tools_ledgerentry SET at = at - interval '9 days' WHERE payment_id = %s", shopify.pk)
    runs.watch_invariants()
    assert "check_invariants" in drain()
    night = InvariantRun.objects.get()
    assert (night.compared, night.unread, night.broken) == (1, {}, 1)
    assert "1 violation" in viewer.get("/admin/").content.decode()
    html = viewer.get(f"/admin/cases/invariantrun/{night.pk}/change/").content.decode()
    assert f"payment {stripe.pk}" in html
    assert "is not what our books say" in html
    assert "1 payment compared" in html


def test_a_night_of_a_silent_vendor_keeps_the_rest(
    vendors: Vendors, stripe: Payment, viewer: Client, clock: Clock
) -> None:
    Shop.objects.update(created_at=stripe.order.placed_at - timedelta(days=30))
    vendors.asked("faults", vendor="stripe", operation="*", kind="reset_before", times=50)
    runs.watch_invariants()
    drain()
    night = InvariantRun.objects.get()
    assert (night.compared, night.broken, night.checked > 0) == (0, 0, True)
    html = viewer.get(f"/admin/cases/invariantrun/{night.pk}/change/").content.decode()
    assert "1 not read: north stripe: " in html
