"""Pages tell the time by the same clock as the services, and ask it once."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit import sources
from audit.moment import moment, one_moment
from cases.models import Shop
from tests import factories as f


def clock_queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(url).status_code == 200
    return sum("SELECT clock_timestamp()" in query["sql"] for query in queries)


@pytest.mark.parametrize("page", ["admin:index", "admin:cases_handoff_changelist"])
def test_a_page_asks_the_clock_once_however_many_rows_it_has(agent: Client, shop: Shop, page: str) -> None:
    for _ in range(5):
        f.make_handoff(f.make_case(shop, state="handoff"))
    assert clock_queries(agent, reverse(page)) == 1


def test_a_wait_ends_on_the_desk_when_the_clock_says_so(agent: Client, shop: Shop) -> None:
    at = f.now() + timedelta(days=3)
    case = f.make_case(shop, state="waiting", wait_reason="customer", wake_at=at)

    def ended(when: datetime) -> bool:
        with sources.frozen(when):
            content = agent.get(reverse("admin:index")).content.decode()
        return reverse("admin:cases_case_change", args=[case.pk]) in content

    assert not ended(at - timedelta(minutes=1))
    assert ended(at + timedelta(minutes=1))


def test_a_call_can_be_undone_by_the_clock_of_the_services(agent: Client, shop: Shop) -> None:
    order = f.make_order(shop)
    case = f.make_case(order=order)
    call = f.make_call(f.make_decision(case))
    url = reverse("admin:tools_toolcall_change", args=[call.pk])
    for late, can in ((-1, True), (1, False)):
        with sources.frozen(call.not_before + timedelta(minutes=late)):
            assert agent.get(url).context["undoable"] is can


def test_a_page_is_made_at_one_moment() -> None:
    with sources.frozen(f.now()) as clock:
        with one_moment():
            first = moment()
            clock.advance(timedelta(minutes=1))
            assert moment() == first
        assert moment() == first + timedelta(minutes=1)
