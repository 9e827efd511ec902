"""What an upgrade would cost, worked out by hand from the differences between versions, is what the check lists."""

from dataclasses import replace

import pytest

from tests.contracts.answers import HERE, SPECS, needs_specs, shared_contract
from tools.adapters.operation import Operation
from tools.adapters.table import OPERATIONS, named
from tools.contracts import check
from tools.contracts.findings import Finding, Report
from tools.contracts.graphql_contract import version_of

REVISIONS = ("2024-10-15", "2025-10-15", "2026-07-15")


def shopify(version: str, *operations: Operation) -> Report:
    path = HERE / f"shopify_{version}.graphql"
    return check.shopify(path.read_text(), version_of(path.name, ""), operations or OPERATIONS)


def lines(findings: tuple[Finding, ...]) -> list[tuple[str, str, str, str]]:
    return [(one.severity.value, one.operation, one.where, one.what) for one in findings]


# In 2026-01 a dispute's deadline was a date without a time, and a dispute could not be PREVENTED yet.
FROM_2026_01 = [
    (
        "changes",
        "order",
        "reply field order.disputes.status",
        "DisputeReply.status knows PREVENTED, which DisputeStatus does not have",
    ),
    (
        "changes",
        "dispute",
        "reply field dispute.status",
        "DisputeOfShop.status knows PREVENTED, which DisputeStatus does not have",
    ),
    (
        "breaks",
        "dispute",
        "reply field dispute.evidenceDueBy",
        "it is Date in this version, and DisputeOfShop.evidenceDueBy reads instant or null",
    ),
]


def test_going_back_to_2026_01_would_break_the_reading_of_disputes() -> None:
    assert sorted(lines(shopify("2026-01").findings)) == sorted(FROM_2026_01)


@pytest.mark.parametrize("version", ["2026-04", "2026-07"])
def test_nothing_breaks_from_2026_04_to_2026_07(version: str) -> None:
    assert shopify(version).findings == ()


@needs_specs
@pytest.mark.parametrize("version", ["2026-01", "2026-04", "2026-07"])
def test_the_pruned_schema_and_the_fuller_one_lead_to_the_same_list(version: str) -> None:
    text = (SPECS / "shopify" / f"admin_{version}.trimmed.graphql").read_text()
    assert check.shopify(text, version).findings == shopify(version).findings


def klaviyo(revision: str, *operations: Operation) -> Report:
    contract = shared_contract("klaviyo", revision)
    assert contract is not None
    return check.check_openapi(contract, "klaviyo", operations or OPERATIONS)


@needs_specs
@pytest.mark.parametrize("revision", REVISIONS)
def test_what_we_ask_of_klaviyo_is_the_same_in_three_revisions(revision: str) -> None:
    report = klaviyo(revision)
    assert (report.version, report.findings) == (revision, ())


@needs_specs
@pytest.mark.parametrize("revision", REVISIONS[:2])
def test_what_was_trimmed_from_an_older_contract_is_unchecked_and_not_gone(revision: str) -> None:
    report = klaviyo(revision)
    assert report.checked == ("events.create", "profile-import")
    assert dict(report.unchecked) == {
        "data-privacy-deletion-jobs": "this trimmed contract does not hold POST /api/data-privacy-deletion-jobs",
        "accounts": "this trimmed contract does not hold GET /api/accounts",
    }


def with_attribute(name: str, key: str, value: object) -> Operation:
    """One of our Klaviyo operations, as if it sent one more attribute."""
    operation = named("klaviyo", name)
    assert operation is not None
    example = operation.examples()[0]
    assert isinstance(example.json, dict)
    data = example.json["data"]
    body = {"data": {**data, "attributes": {**data["attributes"], key: value}}}
    return replace(operation, examples=lambda: (replace(example, json=body),))


@needs_specs
def test_klaviyo_took_an_anonymous_id_once_and_takes_it_no_more() -> None:
    operation = with_attribute("profile-import", "anonymous_id", "abc")
    unknown = "the contract does not know it"
    assert klaviyo("2024-10-15", operation).findings == ()
    for revision in REVISIONS[1:]:
        found = [("breaks", "profile-import", "request field data.attributes.anonymous_id", unknown)]
        assert lines(klaviyo(revision, operation).findings) == found


@needs_specs
def test_klaviyo_takes_backfilled_events_only_of_late() -> None:
    operation = with_attribute("events.create", "backfill", True)
    broken = {revision: klaviyo(revision, operation).breaks for revision in REVISIONS}
    assert broken == {"2024-10-15": True, "2025-10-15": True, "2026-07-15": False}
