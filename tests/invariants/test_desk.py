"""The desk says how the books stand, and never that all is well on an old word."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from audit import sources
from cases.models import InvariantRun, Shop
from tests import factories
from tests.admin.conftest import sign_in, viewer

__all__ = ["sign_in", "viewer"]

pytestmark = pytest.mark.django_db


def a_run(ago: timedelta = timedelta(hours=3), **fields: Any) -> InvariantRun:
    at = sources.now() - ago
    facts = {
        "night": at.date(),
        "asked_at": at,
        "began_at": at,
        "ended_at": at,
        "checked": 27,
        "chain_held": True,
    }
    return InvariantRun.objects.create(**{**facts, "milliseconds": 1234, **fields})


def desk(client: Client) -> str:
    return str(client.get("/admin/").content.decode())


def page(client: Client, run: InvariantRun) -> str:
    answer = client.get(f"/admin/cases/invariantrun/{run.pk}/change/")
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_before_the_first_night_it_says_so(viewer: Client) -> None:
    assert "Not run yet" in desk(viewer)


def test_good_books_are_said_with_when(viewer: Client) -> None:
    run = a_run()
    html = desk(viewer)
    assert f"/admin/cases/invariantrun/{run.pk}/change/" in html
    assert "The books hold" in html
    assert "older than a day" not in html


def test_an_old_check_is_called_old(viewer: Client) -> None:
    run = a_run(timedelta(hours=30))
    assert "older than a day" in desk(viewer)
    assert "This check is older than a day" in page(viewer, run)


def test_a_check_that_did_not_end_is_said(viewer: Client) -> None:
    run = a_run(error="not_ended_in_time", attempts=3)
    assert "Did not end" in desk(viewer)
    assert "begun 3 times" in page(viewer, run)


def test_violations_are_counted_and_lead_to_their_page(viewer: Client, shop: Shop) -> None:
    name = "a queued message has a call that sends it"
    case = factories.make_case(shop)
    rows = [
        {"invariant": name, "row": "message 7", "facts": "", "case": case.pk, "shop": shop.pk},
        {"invariant": name, "row": "message 8", "facts": "", "case": None, "shop": shop.pk + 1},
        {"invariant": "an old rule", "row": "case 3", "facts": "lost", "case": None, "shop": None},
    ]
    run = a_run(broken=3, found=rows)
    assert "3 violations" in desk(viewer)
    html = page(viewer, run)
    assert "A message waits to be sent, and nothing will send it." in html
    assert "Open the case and write to the customer yourself." in html
    assert f"/admin/cases/case/{case.pk}/change/" in html
    assert "an old rule" in html
    # Another shop's row is counted and not shown.
    assert "message 8" not in html
    assert "1 more is not listed here" in html


def test_the_list_tells_of_every_check(viewer: Client) -> None:
    a_run()
    a_run(night=None, broken=2)
    html = viewer.get("/admin/cases/invariantrun/").content.decode()
    assert "the night" in html
    assert "a command" in html
    assert "2 violations" in html
    assert "1.2 s" in html


def test_whoever_may_not_look_hears_nothing(sign_in: Any) -> None:
    assert "The books" not in desk(sign_in(permissions=["cases.view_case"]))
