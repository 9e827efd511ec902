"""The error tree: complete, drawn, and with a sentence for staff at every class."""

import pytest

from tools import errors
from tools.errors import ContractDrift, NotConfigured, OutcomeUnknown, Refused, ToolError, Unavailable


def tree(root: type[ToolError]) -> set[type[ToolError]]:
    return {root}.union(*(tree(child) for child in root.__subclasses__()))


@pytest.mark.parametrize("kind", sorted(tree(ToolError), key=str))
def test_each_error_is_drawn_and_has_a_sentence_of_its_own(kind: type[ToolError]) -> None:
    drawn = errors.__doc__ or ""
    assert f" {kind.__name__}" in drawn
    assert str(kind.sentence).endswith(".")
    assert [str(kind.sentence)] == [
        str(other.sentence) for other in tree(ToolError) if other.sentence is kind.sentence
    ]


def test_a_missing_setting_is_named_and_nothing_was_done() -> None:
    error = NotConfigured("NORTH_STRIPE_API_KEY")
    assert isinstance(error, Refused)
    assert error.variable == "NORTH_STRIPE_API_KEY"
    assert "NORTH_STRIPE_API_KEY" in str(error)


def test_drift_names_vendor_operation_and_field() -> None:
    drift = ContractDrift("missing", vendor="stripe", operation="refunds.create", field_path="amount")
    assert (drift.vendor, drift.operation, drift.field_path) == ("stripe", "refunds.create", "amount")


def test_what_was_said_of_a_drift_is_told_from_where_it_was_found() -> None:
    path = "line_items.gift wrapping"
    drift = ContractDrift("too short", vendor="shopify", operation="order", field_path=path)
    assert (drift.said, drift.detail) == ("too short", f"{path} too short")


def test_errors_carry_what_the_queue_needs() -> None:
    assert Unavailable(retry_after=3.0).retry_after == 3.0
    assert OutcomeUnknown().code == "outcome_unknown"
    assert len(Refused(code="x" * 100).code) == 64
