"""The page of a kill switch: what stands still because of it, for whoever works in the shop."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals.models import KillSwitch
from approvals.standing_still import StandingStill, standing_still
from cases.models import PlannerConfig, Shop
from tests import factories as f


def switch(scope: str, key: str = "", **fields: Any) -> KillSwitch:
    return f.make_switch(
        f.make_user(), scope=scope, key=key, engaged_at=f.now() - timedelta(minutes=5), **fields
    )


def stopped_call(shop: Shop, **fields: Any) -> None:
    decision = f.make_decision(f.make_case(order=f.make_order(shop)))
    f.make_call(decision, state="cancelled", error="switch.engaged", ended_at=f.now(), **fields)


def seen(row: KillSwitch, shop: Shop) -> StandingStill:
    return standing_still(row, f.make_user(roles=["agent"], shops=[shop]))


@pytest.mark.parametrize(
    ("scope", "key", "counts"),
    [
        ("everything", "", (1, 1, 1, 2)),
        ("shop", "", (1, 1, 1, 2)),
        ("vendor", "stripe", (0, 1, 1, 1)),
        ("vendor", "shopify", (1, 0, 0, 0)),
        ("tool", "issue_refund", (0, 1, 0, 2)),
        ("tool", "reply", (0, 0, 0, 0)),
        ("planner", "rules", (1, 1, 0, 2)),
        ("planner", "llm", (0, 0, 0, 0)),
    ],
)
def test_it_says_what_stands_still(shop: Shop, scope: str, key: str, counts: tuple[int, ...]) -> None:
    stopped_call(shop)
    stopped_call(shop, vendor="klaviyo")
    stopped_call(f.make_shop())
    f.make_call(f.make_decision(f.make_case(order=f.make_order(shop))))
    f.make_call(f.make_decision(f.make_case(order=f.make_order(shop))), state="unknown")
    f.make_case(order=f.make_order(shop), due_at=f.now())
    f.make_case(order=f.make_order(shop), due_at=f.now(), human_only=True)
    row = switch(scope, key, **({"shop": shop} if scope == "shop" else {}))
    found = seen(row, shop)
    assert (found.turns, found.waiting, found.unread, found.ended) == counts


def test_what_was_stopped_before_or_after_it_is_not_its_own(shop: Shop) -> None:
    row = switch("everything")
    stopped_call(shop)
    KillSwitch.objects.filter(pk=row.pk).update(
        released_at=f.now() - timedelta(minutes=1), released_by=f.make_user()
    )
    row.refresh_from_db()
    assert (seen(row, shop).ended, seen(row, shop).waiting) == (0, 0)


def test_a_denied_wish_counts(shop: Shop) -> None:
    f.make_decision(f.make_case(order=f.make_order(shop)), rule="switch.engaged", outcome="deny")
    assert seen(switch("tool", "issue_refund"), shop).denied == 1
    assert seen(switch("tool", "reply"), shop).denied == 0


def test_a_shop_with_a_planner_of_its_own_stands_still_with_that(shop: Shop) -> None:
    shop.planner = PlannerConfig.objects.create(
        kind="llm", version="1", catalogue_hash="0" * 64, created_at=f.now()
    )
    shop.save()
    f.make_case(order=f.make_order(shop), due_at=f.now())
    assert (seen(switch("planner", "llm"), shop).turns, seen(switch("planner", "rules"), shop).turns) == (
        1,
        0,
    )


def test_the_page_names_the_calls_and_does_not_query_per_call(agent: Client, shop: Shop) -> None:
    row = switch("everything")
    place = reverse("admin:approvals_killswitch_change", args=[row.pk])
    stopped_call(shop)
    agent.get(place)
    with CaptureQueriesContext(connection) as few:
        page = agent.get(place).content.decode()
    assert "What stands still because of it" in page
    assert "Give the money back" in page
    for _ in range(3):
        stopped_call(shop)
    with CaptureQueriesContext(connection) as many:
        agent.get(place)
    assert len(many) == len(few)
