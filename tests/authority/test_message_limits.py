"""How many messages leave is counted as money is: workers at the same moment see each other's."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction

from approvals import deciding
from approvals.bounds import UNITS
from approvals.deciding import Made, Wish
from approvals.models import Decision
from audit.actors import AGENT
from cases.composing import composer
from cases.handoff import scope_of
from cases.models import Case
from tests import factories
from tests.authority.rows import decide_refund, refundable_case, seen_by_agent, together

SENT = "message.template"


def decide_message(case: Case) -> Made:
    """What becomes of the agent's wish to say where the parcel is."""
    wish = {"template": "order_in_transit", "then": "close"}
    with transaction.atomic():
        return deciding.decide(
            Wish("send_message", wish, factories.planner_config().pk),
            scope=scope_of(case),
            situation=seen_by_agent(case),
            undo=timedelta(0),
            compose=composer(case),
            by=AGENT,
        )


def rules() -> Counter[str]:
    return Counter(Decision.objects.values_list("rule", flat=True))


@pytest.mark.django_db(transaction=True)
def test_eight_workers_send_no_message_more_than_the_shop_may_in_an_hour() -> None:
    shop = factories.make_shop()
    factories.make_caps(shop, sizes={**dict.fromkeys(UNITS, 100), "messages_shop_hour": 3})
    cases = [refundable_case(shop=shop) for _ in range(8)]
    # Refunds tell the customer too, and take the locks of money before that of messages.
    works = [
        partial(decide_refund if place % 4 == 3 else decide_message, case) for place, case in enumerate(cases)
    ]
    ended = together(*works)
    assert [one for one in ended if isinstance(one, Exception)] == []
    assert rules()["size.messages_shop_hour"] == 5
    assert sum(bool(one.calls) for one in ended if isinstance(one, Made)) == 3


@pytest.mark.django_db
@pytest.mark.parametrize("unit", ["messages_case_day", "messages_customer_day", "messages_shop_hour"])
def test_each_limit_of_messages_takes_the_next_one_to_a_person(unit: str) -> None:
    shop = factories.make_shop()
    factories.make_caps(shop, sizes={**dict.fromkeys(UNITS, 100), unit: 2})
    case = refundable_case(shop=shop)
    ruled = [decide_message(case).decision.rule for _message in range(3)]
    assert ruled == [SENT, SENT, f"size.{unit}"]
