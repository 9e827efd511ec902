"""What is kept of an answer's headers, and when the versions that we ask for end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit import sources
from cases.models import Shop
from tests.drift.calls import call
from tools import upstreams
from tools.adapters import shopify_documents as documents
from tools.adapters import table
from tools.adapters.klaviyo_wire import REVISION as KLAVIYO_REVISION
from tools.adapters.sunsets import SUNSETS, WITHOUT_SUNSET, sunset_of
from tools.adapters.whatsapp_wire import VERSION as WHATSAPP_VERSION
from tools.models import Upstream
from tools.wire import Answer

pytestmark = pytest.mark.django_db


class TestNotes:
    """What an answer's headers tell is written at once where it is new, else once an hour."""

    ANSWER = Answer(200, httpx.Headers({"Stripe-Version": "v"}), b"{}")

    def test_the_same_news_costs_no_second_statement(self, shop: Shop) -> None:
        upstreams.note_answer(call(), self.ANSWER)
        with CaptureQueriesContext(connection) as captured:
            upstreams.note_answer(call(), self.ANSWER)
        assert len(captured) == 0

    def test_a_notice_that_is_gone_is_taken_back(self, shop: Shop) -> None:
        upstreams.note_answer(call(), Answer(200, httpx.Headers({"Sunset": "soon", "Warning": "299"}), b"{}"))
        assert Upstream.objects.get().deprecation == "Sunset: soon; Warning: 299"
        upstreams.note_answer(call(), self.ANSWER)
        row = Upstream.objects.get()
        assert (row.deprecation, row.deprecated_since) == ("", None)

    def test_how_long_a_notice_stands_is_kept(self, shop: Shop) -> None:
        with sources.frozen(datetime(2026, 11, 1, tzinfo=UTC)) as clock:
            upstreams.note_answer(call(), Answer(200, httpx.Headers({"Sunset": "soon"}), b"{}"))
            clock.advance(timedelta(days=3))
            upstreams.note_answer(call(), Answer(200, httpx.Headers({"Sunset": "very soon"}), b"{}"))
        row = Upstream.objects.get()
        assert (row.deprecated_since, row.seen_at) == (
            datetime(2026, 11, 1, tzinfo=UTC),
            datetime(2026, 11, 4, tzinfo=UTC),
        )

    @pytest.mark.parametrize(
        ("vendor", "url", "headers", "answered", "versions"),
        [
            ("shopify", "https://a/admin/api/2026-07/graphql.json", {}, {"X-Shopify-API-Version": "2026-10"},
             ("2026-07", "2026-10")),
            ("stripe", "https://a/v1/refunds", {"Stripe-Version": "x"}, {"Stripe-Version": "y"}, ("x", "y")),
            ("klaviyo", "https://a/api/events", {"revision": "2026-07-15"}, {}, ("2026-07-15", "")),
            ("whatsapp", "https://a/v23.0/1065/messages", {}, {"facebook-api-version": "v24.0"}, ("v23.0", "v24.0")),
            ("slack", "https://a/services/T0", {}, {}, ("", "")),
        ],
    )  # fmt: skip
    def test_each_vendors_version_is_found_where_it_stands(
        self,
        vendor: str,
        url: str,
        headers: dict[str, str],
        answered: dict[str, str],
        versions: tuple[str, str],
    ) -> None:
        asked = call(vendor=vendor, url=url, headers=headers)
        note = upstreams.note_of(asked, Answer(200, httpx.Headers(answered), b""))
        assert (note.asked, note.served) == versions


class TestSunsets:
    def test_every_pinned_version_has_an_end_or_a_vendor_that_has_none(self) -> None:
        pinned = {"shopify": documents.VERSION, "klaviyo": KLAVIYO_REVISION, "whatsapp": WHATSAPP_VERSION}
        for vendor in {one.vendor for one in table.OPERATIONS} - WITHOUT_SUNSET:
            assert sunset_of(vendor, pinned[vendor]) is not None, vendor

    def test_each_names_where_it_is_written(self) -> None:
        assert all(one.source.startswith("https://") for one in SUNSETS)

    def test_days_are_counted_to_the_day_itself(self) -> None:
        end = sunset_of("shopify", "2026-07")
        assert end is not None
        assert [end.days_left(date(2027, 6, 30)), end.days_left(end.on), end.days_left(date(2027, 7, 2))] == [
            1,
            0,
            -1,
        ]
