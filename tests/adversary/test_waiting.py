"""What was promised on one day and left on another counts on both: no budget is taken twice within 24 hours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from approvals.exposure import DAY
from cases.models import Shop
from tests import factories
from tests.authority.rows import decide_refund, refundable_case
from tools.models import ToolCall

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def shop() -> Shop:
    shop = factories.make_shop()
    factories.make_caps(shop, budgets={"rules": 2000})
    return shop


# When the refund of 15.00 was promised and when it left, before now; a budget of 20.00 has no room for another then.
@pytest.mark.parametrize(
    ("promised", "left", "state", "rule"),
    [
        (HOUR, HOUR, "succeeded", "refund.budget"),
        (DAY + HOUR, 2 * HOUR, "succeeded", "refund.budget"),
        (DAY + HOUR, None, "reserved", "refund.budget"),
        (2 * DAY, DAY + HOUR, "succeeded", "refund.tier.automatic"),
        (2 * DAY, DAY + HOUR, "unknown", "refund.tier.automatic"),
    ],
)
def test_a_day_counts_what_was_promised_or_left_in_it(
    shop: Shop, promised: timedelta, left: timedelta | None, state: str, rule: str
) -> None:
    made = decide_refund(refundable_case(1500, shop=shop))
    now = factories.now()
    fields: dict[str, Any] = {"created_at": now - promised, "first_sent_at": now - left if left else None}
    ToolCall.objects.filter(decision=made.decision, value_minor__gt=0).update(state=state, **fields)
    assert decide_refund(refundable_case(1500, shop=shop)).decision.rule == rule
