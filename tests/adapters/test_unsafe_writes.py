"""A write without an idempotency key says who settles it when its answer is lost, all the way up to the tool."""

import pytest

from tests.adapters.faking import call
from tools.adapters.table import OPERATIONS
from tools.catalog.channels import BY_VENDOR
from tools.registry import TOOLS
from tools.wire import Kind, Reconcile


def test_an_unsafe_write_that_nobody_settles_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="Nobody settles a lost acme thing"):
        call(Kind.UNSAFE_WRITE, reconcile=None)
    assert call(Kind.UNSAFE_WRITE, reconcile=Reconcile.READING).reconcile is Reconcile.READING


def test_a_tool_names_every_vendor_that_it_must_not_ask_twice() -> None:
    unsafe = {operation.vendor for operation in OPERATIONS if operation.kind is Kind.UNSAFE_WRITE}
    for tool in TOOLS.values():
        if tool.send is TOOLS["send_message"].send:
            assert set(tool.unsafe) == unsafe & set(BY_VENDOR), tool.name


def test_money_moves_by_writes_with_a_key_alone() -> None:
    kinds = {(one.vendor, one.name): one.kind for one in OPERATIONS}
    assert kinds["stripe", "refunds.create"] is Kind.IDEMPOTENT_WRITE
    assert kinds["shopify", "refundCreate"] is Kind.IDEMPOTENT_WRITE
    assert TOOLS["issue_refund"].unsafe == {}
