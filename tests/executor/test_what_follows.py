"""Where a call goes after a vendor's word or an error, to the second."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tools.base import Outcome
from tools.errors import (
    ContractDrift,
    HeldBack,
    InvalidArgs,
    NotConfigured,
    OutcomeUnknown,
    Refused,
    ToolError,
    Unavailable,
)
from tools.outcomes import LONGEST_WAIT, MOST_ATTEMPTS, Ended, after_answer, after_error, wait_after

DRIFT = ContractDrift("gone", vendor="stripe", operation="refund", field_path="id")


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.mark.parametrize(
    ("outcome", "ended"),
    [
        (Outcome("re_1"), Ended("succeeded", "re_1", settled_by="reading")),
        (Outcome("re_1", pending=True), Ended("pending", "re_1", settled_by="reading")),
        (Outcome("re_1", failed=True), Ended("failed", "re_1", "failed_at_vendor", settled_by="reading")),
        # What has failed is not on its way, whatever else is said.
        (
            Outcome("re_1", pending=True, failed=True),
            Ended("failed", "re_1", "failed_at_vendor", settled_by="reading"),
        ),
    ],
)
def test_the_vendors_word_is_the_state(outcome: Outcome, ended: Ended) -> None:
    assert after_answer(outcome, "reading") == ended
    assert after_answer(outcome).settled_by == ""


@pytest.mark.parametrize(
    ("error", "attempts", "ended"),
    [
        (Unavailable(code="http_503"), 1, Ended("reserved", error="http_503", wait=seconds(2))),
        (Unavailable(code="http_503"), 7, Ended("reserved", error="http_503", wait=seconds(128))),
        (Unavailable(code="http_503"), MOST_ATTEMPTS, Ended("failed", error="http_503")),
        (Unavailable(code="http_503"), MOST_ATTEMPTS + 1, Ended("failed", error="http_503")),
        # No number of rests uses the attempts up, and each is as long as the first.
        (HeldBack(), MOST_ATTEMPTS, Ended("reserved", error="rate_budget", wait=seconds(2), held=True)),
        (OutcomeUnknown(code="timeout"), 1, Ended("unknown", error="timeout")),
        (DRIFT, MOST_ATTEMPTS, Ended("unknown", error="contract_drift")),
        (Refused(code="charge_disputed"), 1, Ended("failed", error="charge_disputed")),
        (InvalidArgs(), 1, Ended("failed", error="invalid_args")),
        (NotConfigured("NORTH_KEY"), 1, Ended("failed", error="not_configured")),
        (ToolError(), 1, Ended("failed", error="error")),
    ],
)
def test_each_error_says_where_the_call_goes(error: ToolError, attempts: int, ended: Ended) -> None:
    assert after_error(error, attempts) == ended


@pytest.mark.parametrize(
    ("attempts", "wish", "wait"),
    [
        (1, None, seconds(2)),
        (2, None, seconds(4)),
        (8, None, seconds(256)),
        (9, None, seconds(300)),
        (1, 1.0, seconds(2)),
        (1, 30.0, seconds(30)),
        (9, 301.0, seconds(301)),
        (1, 3601.0, LONGEST_WAIT),
    ],
)
def test_it_waits_longer_each_time_and_as_long_as_the_vendor_wishes(
    attempts: int, wish: float | None, wait: timedelta
) -> None:
    assert wait_after(Unavailable(retry_after=wish), attempts) == wait
    assert wait_after(Refused(), attempts) == min(seconds(2**attempts), seconds(300))
