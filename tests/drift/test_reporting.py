"""What the nightly check tells beyond drift, that it comes every night, and what staff read where money is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
from django.urls import reverse

from audit import sources
from cases.following import after_outcome
from cases.models import Handoff, Shop
from cases.reconciling.table import RECONCILERS
from opsagent.watch import Watch
from tests import factories as f
from tests.adapters import shopify_answers as told
from tests.adapters.faking import Vendor
from tests.drift.conftest import SignIn
from tests.drift.test_checking import check, control, only
from tests.flow.world import forget_tasks, queued
from tests.sandbox.world import Caller
from tests.tools.test_restocking import decided, sold
from tools import execution, wire
from tools.adapters.stripe_known import VERSION as STRIPE_VERSION
from tools.models import ToolCall

__all__ = ["control"]

NOTICE = "https://shopify.dev/docs/api/usage/versioning#deprecation-practices"


def test_the_check_tells_version_end_and_shopifys_notice(
    control: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, "shopify", "order")
    control.control("faults", {"vendor": "shopify", "kind": "deprecation_header", "value": NOTICE})
    with sources.frozen(datetime(2027, 6, 21, 12, tzinfo=UTC)):
        code, said, report = check("--shop", "north")
    (vendor,) = report["shops"][0]["vendors"]
    assert vendor["versions"] == [{"asked": "2026-07", "served": "2026-07"}]
    (end,) = vendor["sunsets"]
    assert (end["version"], end["on"], end["days"]) == ("2026-07", str(date(2027, 7, 1)), 10)
    assert vendor["deprecations"] == [f"X-Shopify-API-Deprecated-Reason: {NOTICE}"]
    assert "2026-07 ends on 2027-07-01, in 10 days" in said
    assert (code, f"deprecation notice: X-Shopify-API-Deprecated-Reason: {NOTICE}" in said) == (0, True)


def test_a_vendor_that_ends_no_version_has_no_days(control: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "stripe", "charges.retrieve")
    _code, _said, report = check()
    (vendor,) = report["shops"][0]["vendors"]
    assert (vendor["sunsets"], vendor["deprecations"]) == ([], [])
    assert vendor["versions"] == [{"asked": STRIPE_VERSION, "served": STRIPE_VERSION}]


def test_the_watch_asks_for_the_check_every_night_and_for_what_webhooks_lost(shop: Shop) -> None:
    with sources.frozen(datetime(2026, 11, 23, 12, tzinfo=UTC)) as clock:
        a_turn_of_the_watch()
        assert [name for name, _row in queued()].count("reconcile") == len(RECONCILERS)
        for _night in range(2):
            forget_tasks()
            clock.advance(timedelta(days=1))
            a_turn_of_the_watch()
            assert ("check_vendors", shop.pk) in queued()


def a_turn_of_the_watch() -> None:
    """Every job of the process that watches, without its care for connections."""
    for _name, job, _seconds in Watch().jobs:
        job()


def test_staff_read_that_shopify_refused_a_refund_without_its_key(shop: Shop, sign_in: SignIn) -> None:
    call = decided(sold(shop))
    ToolCall.objects.filter(pk=call.pk).update(not_before=f.now())
    no_key = {"errors": [{"message": "needs @idempotent", "extensions": {"code": "BAD_REQUEST"}}]}
    vendor = Vendor(told.answer({"order": told.suggestion("24.00")}), httpx.Response(200, json=no_key))
    with wire.transport_override(vendor.transport):
        state = execution.run(call.pk, before_send=lambda call: "", after_outcome=after_outcome)
    assert (state, Handoff.objects.get().reason) == ("failed", "failed")
    page = reverse("admin:cases_case_change", args=[call.case_id])
    assert "BAD_REQUEST" in sign_in("agent").get(page).content.decode()
