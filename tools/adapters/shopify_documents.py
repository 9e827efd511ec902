"""The GraphQL documents that we send to Shopify, each valid against the Admin API's schema of VERSION.

No deprecated field or argument, so that a later version holds them too. A list is asked for as long as the price of
the whole query allows (1,000 points at most); what is longer is read by the paging documents.
"""

from __future__ import annotations

VERSION = "2026-07"
# What one reading of an order takes of each list: enough for most, and cheap enough that several fit into the budget.
LINES, TAXES = 8, 4
TRANSACTIONS = 10
REFUNDS, REFUND_PIECES = 2, 6
PARCELS, PARCEL_PIECES = 2, 12
RETURNS, HISTORY, LOCATIONS = 5, 5, 3
# What the paging documents take.
PAGE_LINES, PAGE_TAXES = 8, 12
ALL_REFUNDS, ALL_REFUND_PIECES = 8, 10
ALL_PARCELS, ALL_PARCEL_PIECES = 6, 25
ALL_RETURNS, ALL_RETURN_PIECES = 8, 15
ORDERS, LEVELS = 100, 20
REFUND_SHIPPINGS, REFUND_PARTS, NUMBERS = 2, 4, 10

_MONEY = "presentmentMoney { amount currencyCode }"
_TRANSACTION = (
    f"id kind status test gateway amountSet {{ {_MONEY} }} parentTransaction {{ id }} paymentId receiptJson"
    " manualPaymentGateway"
)
_TAX = f"title rate ratePercentage priceSet {{ {_MONEY} }}"
_LINE = f"""id sku title quantity currentQuantity unfulfilledQuantity
        originalTotalSet {{ {_MONEY} }}
        discountAllocations {{ allocatedAmountSet {{ {_MONEY} }} }}
        duties {{ id price {{ {_MONEY} }} taxLines {{ {_TAX} }} }}"""
_ADDRESS = "name company address1 address2 zip city province provinceCode countryCodeV2"
_PIECES = "pageInfo { hasNextPage } nodes { quantity lineItem { id } }"


def _parcels(first: int, pieces: int) -> str:
    return f"""fulfillments(first: {first}) {{ id displayStatus createdAt updatedAt deliveredAt
      trackingInfo(first: {NUMBERS}) {{ company number }}
      fulfillmentLineItems(first: {pieces}) {{ {_PIECES} }} }}"""


def _refunds(first: int, pieces: int) -> str:
    return f"""refunds(first: {first}) {{ id processedAt note order {{ id test }}
      duties {{ amountSet {{ {_MONEY} }} originalDuty {{ id }} }}
      refundLineItems(first: {pieces}) {{ {_PIECES} }}
      refundShippingLines(first: {REFUND_SHIPPINGS}) {{ pageInfo {{ hasNextPage }}
        nodes {{ subtotalAmountSet {{ {_MONEY} }} taxAmountSet {{ {_MONEY} }} }} }}
      transactions(first: {REFUND_PARTS}) {{ pageInfo {{ hasNextPage }} nodes {{ {_TRANSACTION} }} }} }}"""


# https://shopify.dev/docs/api/admin-graphql/2026-07/queries/order
ORDER = f"""
query OpsOrder($id: ID!) {{
  order(id: $id) {{
    id name createdAt updatedAt cancelledAt test tags taxesIncluded presentmentCurrencyCode
    displayFinancialStatus displayFulfillmentStatus paymentGatewayNames
    totalPriceSet {{ {_MONEY} }}
    shippingLine {{ discountedPriceSet {{ {_MONEY} }} taxLines {{ {_TAX} }} }}
    currentTotalDutiesSet {{ {_MONEY} }}
    email phone customerLocale
    customer {{ id firstName lastName locale numberOfOrders
      defaultEmailAddress {{ emailAddress }} defaultPhoneNumber {{ phoneNumber }}
      orders(first: {HISTORY}, reverse: true) {{
        nodes {{ id name createdAt cancelledAt totalPriceSet {{ {_MONEY} }} }} }} }}
    shippingAddress {{ {_ADDRESS} }}
    billingAddress {{ {_ADDRESS} }}
    lineItems(first: {LINES}) {{
      pageInfo {{ hasNextPage }}
      nodes {{ {_LINE} taxLines(first: {TAXES}) {{ {_TAX} }} }}
    }}
    transactions(first: {TRANSACTIONS}) {{ {_TRANSACTION} }}
    {_refunds(REFUNDS, REFUND_PIECES)}
    {_parcels(PARCELS, PARCEL_PIECES)}
    fulfillmentOrders(first: {LOCATIONS}) {{
      pageInfo {{ hasNextPage }} nodes {{ assignedLocation {{ location {{ id }} }} }} }}
    returns(first: {RETURNS}) {{ pageInfo {{ hasNextPage }} nodes {{ id status createdAt }} }}
    risk {{ assessments {{ riskLevel }} }}
    disputes {{ id status }}
  }}
}}
"""

# The lines of an order that has more of them, or of their taxes, than one reading takes.
LINES_OF_ORDER = f"""
query OpsLines($id: ID!, $after: String) {{
  order(id: $id) {{
    id
    lineItems(first: {PAGE_LINES}, after: $after) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{ {_LINE} taxLines(first: {PAGE_TAXES}) {{ {_TAX} }} }}
    }}
  }}
}}
"""

# https://shopify.dev/docs/api/admin-graphql/2026-07/objects/Return
RETURNS_OF_ORDER = f"""
query OpsReturns($id: ID!) {{
  order(id: $id) {{ id returns(first: {ALL_RETURNS}) {{ pageInfo {{ hasNextPage }} nodes {{ id status createdAt
    returnLineItems(first: {ALL_RETURN_PIECES}) {{ pageInfo {{ hasNextPage }}
      nodes {{ quantity processedQuantity
        ... on ReturnLineItem {{ fulfillmentLineItem {{ lineItem {{ id }} }} }} }} }} }} }} }}
}}
"""

# https://shopify.dev/docs/api/admin-graphql/2026-07/objects/Fulfillment
PARCELS_OF_ORDER = f"""
query OpsParcels($id: ID!) {{
  order(id: $id) {{ id {_parcels(ALL_PARCELS, ALL_PARCEL_PIECES)} }}
}}
"""

# https://shopify.dev/docs/api/admin-graphql/2026-07/objects/Refund
REFUNDS_OF_ORDER = f"""
query OpsRefunds($id: ID!) {{
  order(id: $id) {{ id {_refunds(ALL_REFUNDS, ALL_REFUND_PIECES)} }}
}}
"""

# https://shopify.dev/docs/api/admin-graphql/2026-07/queries/orders
CHANGED_ORDERS = f"""
query OpsChangedOrders($query: String!, $after: String) {{
  orders(first: {ORDERS}, after: $after, query: $query, sortKey: UPDATED_AT) {{
    pageInfo {{ hasNextPage endCursor }} nodes {{ id updatedAt }} }}
}}
"""

# https://shopify.dev/docs/api/admin-graphql/2026-07/objects/Order#field-Order.fields.suggestedRefund
SUGGESTED_REFUND = f"""
query OpsSuggestedRefund($id: ID!, $lines: [RefundLineItemInput!], $duties: [RefundDutyInput!], $shipping: Money) {{
  order(id: $id) {{ id test
    suggestedRefund(refundLineItems: $lines, refundDuties: $duties, shippingAmount: $shipping) {{
      amountSet {{ {_MONEY} }} maximumRefundableSet {{ {_MONEY} }}
      suggestedTransactions {{ gateway amountSet {{ {_MONEY} }} maximumRefundableSet {{ {_MONEY} }}
        parentTransaction {{ id }} }} }} }}
}}
"""

# https://shopify.dev/docs/api/admin-graphql/2026-07/mutations/refundCreate
REFUND_CREATE = f"""
mutation OpsRefund($input: RefundInput!, $key: String!) {{
  refundCreate(input: $input) @idempotent(key: $key) {{
    userErrors {{ field message }}
    refund {{ id note order {{ id test }} transactions(first: {TRANSACTIONS}) {{ nodes {{ {_TRANSACTION} }} }} }}
  }}
}}
"""

# https://shopify.dev/docs/api/admin-graphql/2026-07/mutations/orderCancel
ORDER_CANCEL = """
mutation OpsCancel($orderId: ID!, $reason: OrderCancelReason!, $restock: Boolean!,
    $refundMethod: OrderCancelRefundMethodInput, $staffNote: String, $notifyCustomer: Boolean) {
  orderCancel(orderId: $orderId, reason: $reason, restock: $restock, refundMethod: $refundMethod,
      staffNote: $staffNote, notifyCustomer: $notifyCustomer) {
    job { id done } orderCancelUserErrors { code field message } }
}
"""

CANCELLATION = """
query OpsCancellation($id: ID!) {
  order(id: $id) { id test cancelledAt cancelReason cancellation { staffNote } }
}
"""

# https://shopify.dev/docs/api/admin-graphql/2026-07/queries/job
JOB = """
query OpsJob($id: ID!) {
  job(id: $id) { id done }
}
"""

# https://shopify.dev/docs/api/admin-graphql/2026-07/mutations/tagsAdd
TAGS_ADD = """
mutation OpsTags($id: ID!, $tags: [String!]!) {
  tagsAdd(id: $id, tags: $tags) { node { id } userErrors { field message } }
}
"""

NOTE = """
query OpsNote($id: ID!) {
  order(id: $id) { id note }
}
"""

# https://shopify.dev/docs/api/admin-graphql/2026-07/mutations/orderUpdate
ORDER_UPDATE = """
mutation OpsUpdate($input: OrderInput!) {
  orderUpdate(input: $input) { order { id note } userErrors { field message } }
}
"""

# https://shopify.dev/docs/api/admin-graphql/2026-07/queries/inventoryItem
INVENTORY_ITEM = f"""
query OpsInventoryItem($id: ID!) {{
  inventoryItem(id: $id) {{ id sku tracked
    inventoryLevels(first: {LEVELS}) {{ pageInfo {{ hasNextPage }}
      nodes {{ location {{ id }} quantities(names: ["available"]) {{ name quantity }} }} }} }}
}}
"""

# https://shopify.dev/docs/api/admin-graphql/2026-07/queries/dispute
DISPUTE = """
query OpsDispute($id: ID!) {
  dispute(id: $id) { id status type initiatedAt evidenceDueBy
    amount { amount currencyCode } reasonDetails { reason } order { id } }
}
"""
