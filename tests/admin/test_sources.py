"""What was found late, and dead letters that go back to work from their list."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from approvals.errors import NotPermitted
from audit import actors
from cases.intake import requeueing
from cases.models import InboundEvent, Shop
from tests import factories as f
from tests.signing import signed_in

LIST = reverse("admin:cases_inboundevent_changelist")


def put_back(client: Client, *events: InboundEvent) -> Any:
    chosen = [event.pk for event in events]
    return client.post(LIST, {"action": "put_back", "_selected_action": chosen}, follow=True)


def test_dead_letters_are_put_back_from_their_list(agent: Client, shop: Shop, said: Any) -> None:
    good = f.make_dead_event(shop, body=b"{}", topic="themes/publish")
    bad = f.make_dead_event(shop, topic="orders/create")
    sentence = said(put_back(agent, good, bad))
    assert "1 event was read." in sentence
    assert "1 event still can't be read" in sentence
    assert list(InboundEvent.objects.filter(state="dead")) == [bad]


def test_what_is_no_dead_letter_stays_as_it_is(agent: Client, shop: Shop, said: Any) -> None:
    event = f.make_event(shop)
    assert "None of these is a dead letter" in said(put_back(agent, event))
    event.refresh_from_db()
    assert event.requeued == 0


def test_who_may_only_look_is_not_offered_it(viewer: Client, shop: Shop) -> None:
    event = f.make_dead_event(shop, body=b"{}", topic="themes/publish")
    assert "put_back" not in viewer.get(LIST).content.decode()
    put_back(viewer, event)
    event.refresh_from_db()
    assert (event.state, event.requeued) == ("dead", 0)


def test_a_superuser_without_a_role_puts_nothing_back(shop: Shop, said: Any) -> None:
    event = f.make_dead_event(shop, body=b"{}", topic="themes/publish")
    client = signed_in(f.make_user(is_superuser=True))
    assert "Your role doesn't allow this" in said(put_back(client, event))
    event.refresh_from_db()
    assert (event.state, event.requeued) == ("dead", 0)


def test_nothing_is_put_back_where_one_is_of_a_shop_of_others(shop: Shop) -> None:
    here = f.make_dead_event(shop, body=b"{}", topic="themes/publish")
    there = f.make_dead_event(f.make_shop("south"), body=b"{}", topic="themes/publish", external_id="9")
    by = actors.staff(f.make_user(roles=["agent"], shops=[shop]))
    with pytest.raises(NotPermitted):
        requeueing.requeue_chosen([here.pk, there.pk], by=by)
    assert not InboundEvent.objects.exclude(state="dead").exists()


def test_what_was_found_late_is_told_and_filtered(viewer: Client, shop: Shop) -> None:
    late = f.make_event(shop, found_late_seconds=700)
    other = f.make_event(shop)
    page = viewer.get(f"{LIST}?late=yes").content.decode()
    assert "found late" in page
    assert late.external_id in page
    assert other.external_id not in page
    html = viewer.get(reverse("admin:cases_inboundevent_change", args=[late.pk])).content.decode()
    assert "No webhook came: found 11 min later" in html
    assert "1 event found late today" in viewer.get(reverse("admin:index")).content.decode()
