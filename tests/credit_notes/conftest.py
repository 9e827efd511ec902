"""A refund whose money has moved, and the call that issues its document."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from approvals.models import Decision
from audit.actors import SYSTEM
from cases.credit_notes import keep_buyer
from cases.models import Case, Shop
from tests import factories as f
from tools.credit_notes.issuing import issue
from tools.models import CreditNote, ToolCall

VAT = {"title": "MwSt", "rate_ppm": 190_000}
Issued = Callable[..., CreditNote]


def refund_body(case: Case, **changes: Any) -> dict[str, Any]:
    """One piece of the order's first line with 19 % in it: 15.00, of which 2.39."""
    assert case.order is not None
    body = f.refund_effect(case.order, 1500)
    body["lines"][0]["taxes"] = [{**VAT, "amount_minor": 239}]
    return {**body, **changes}


def refunded(case: Case, body: dict[str, Any] | None = None, state: str = "succeeded") -> Decision:
    """A decision whose refund has this state."""
    body = body or refund_body(case)
    decision = f.make_decision(case, amount_minor=body["amount_minor"], effect=body)
    f.make_call(decision, amount_minor=body["amount_minor"], state=state, vendor_ref="re_1")
    return decision


def document_call(case: Case, body: dict[str, Any] | None = None, **fields: Any) -> ToolCall:
    """The step after the refund, ready to be sent."""
    body = body or refund_body(case)
    defaults = {
        "position": 1,
        "tool": "issue_credit_note",
        "vendor": "ours",
        "payment": None,
        "amount_minor": 0,
        "currency": "",
        "request": json.dumps(body),
        "not_before": f.now(),
    }
    return f.make_call(refunded(case, body), **{**defaults, **fields})


def document(case: Case, body: dict[str, Any] | None = None) -> CreditNote:
    """The issued document, with its buyer."""
    call = document_call(case, body)
    keep_buyer(call, case)
    return issue(ToolCall.objects.get(pk=call.pk), by=SYSTEM)


@pytest.fixture
def shop(db: None) -> Shop:
    return f.make_shop("north", name="Fjell & Fern", credit_notes="ours")


@pytest.fixture
def case(shop: Shop) -> Case:
    return f.make_case(order=f.make_order(shop))


@pytest.fixture
def issued(shop: Shop) -> Issued:
    """Makes a document of a new case; fields of the case may be given."""

    def make(of: Shop | None = None, **fields: Any) -> CreditNote:
        return document(f.make_case(order=f.make_order(of or shop), **fields))

    return make
