"""What a vendor enforces at run time although its schema doesn't say so, by version."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import DocumentNode, FieldNode, OperationDefinitionNode, OperationType

from tools.contracts.findings import Difference

# https://shopify.dev/changelog/making-idempotency-mandatory-for-inventory-adjustments-and-refund-mutations
IDEMPOTENT_SINCE = "2026-04"
MUST_BE_IDEMPOTENT = frozenset(
    """
    inventoryActivate inventoryAdjustQuantities inventoryMoveQuantities inventorySetOnHandQuantities
    inventorySetQuantities inventorySetScheduledChanges inventoryShipmentAddItems inventoryShipmentCreate
    inventoryShipmentCreateInTransit inventoryShipmentReceive inventoryTransferCreate
    inventoryTransferCreateAsReadyToShip inventoryTransferDuplicate inventoryTransferSetItems refundCreate
    """.split()
)
# These say in their own descriptions that they take the directive: https://shopify.dev/docs/api/usage/idempotent-requests
MAY_BE_IDEMPOTENT = frozenset(
    """
    appUsageRecordCreate locationActivate locationDeactivate orderCreateMandatePayment subscriptionBillingAttemptCreate
    """.split()
)


def run_time_rules(document: DocumentNode, version: str) -> Iterator[Difference]:
    """What Shopify refuses at run time; a contract of unknown version is held to the newest rules."""
    for operation in document.definitions:
        if (
            not isinstance(operation, OperationDefinitionNode)
            or operation.operation is not OperationType.MUTATION
        ):
            continue
        for field in operation.selection_set.selections:
            if isinstance(field, FieldNode):
                yield from _idempotent(field, version)


def _idempotent(field: FieldNode, version: str) -> Iterator[Difference]:
    name = field.name.value
    marked = any(one.name.value == "idempotent" for one in field.directives or ())
    where = f"document, {name}"
    if name in MUST_BE_IDEMPOTENT and not marked and (not version or version >= IDEMPOTENT_SINCE):
        yield Difference(
            where,
            f"{name} needs the directive @idempotent(key: …) since {IDEMPOTENT_SINCE}: "
            "Shopify refuses the mutation without it, although the schema does not say so",
        )
    if marked and name not in MUST_BE_IDEMPOTENT | MAY_BE_IDEMPOTENT:
        yield Difference(where, f"{name} does not take the directive @idempotent")
