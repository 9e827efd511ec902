"""The GraphQL documents that we send to Shopify, each valid against the Admin API's schema of VERSION."""

from __future__ import annotations

VERSION = "2026-07"
# The longest lists that one reading takes (their product is the price of the query, at most 1,000 points); an order
# with more of anything goes to a person.
LINES = 50
PIECES = 30
PARTS = 10

_MONEY = "presentmentMoney { amount currencyCode }"
_TRANSACTION = (
    f"id kind status gateway amountSet {{ {_MONEY} }} parentTransaction {{ id }} paymentId receiptJson"
)

# https://shopify.dev/docs/api/admin-graphql/2026-07/queries/order
ORDER = f"""
query OpsOrder($id: ID!) {{
  order(id: $id) {{
    id name createdAt updatedAt cancelledAt tags taxesIncluded presentmentCurrencyCode
    displayFinancialStatus displayFulfillmentStatus paymentGatewayNames
    totalPriceSet {{ {_MONEY} }}
    totalShippingPriceSet {{ {_MONEY} }}
    email phone customerLocale
    customer {{ id firstName lastName locale numberOfOrders
      defaultEmailAddress {{ emailAddress }} defaultPhoneNumber {{ phoneNumber }} }}
    shippingAddress {{ countryCodeV2 }}
    lineItems(first: {LINES}) {{
      pageInfo {{ hasNextPage }}
      nodes {{ id sku title quantity
        originalTotalSet {{ {_MONEY} }}
        discountAllocations {{ allocatedAmountSet {{ {_MONEY} }} }}
        taxLines(first: {PARTS}) {{ priceSet {{ {_MONEY} }} }} }}
    }}
    transactions(first: {LINES}) {{ {_TRANSACTION} manualPaymentGateway }}
    refunds(first: {PARTS}) {{ id processedAt note
      refundLineItems(first: {PIECES}) {{
        pageInfo {{ hasNextPage }} nodes {{ quantity lineItem {{ id }} }} }}
      refundShippingLines(first: {PARTS}) {{
        nodes {{ subtotalAmountSet {{ {_MONEY} }} taxAmountSet {{ {_MONEY} }} }} }}
      transactions(first: {PARTS}) {{ nodes {{ {_TRANSACTION} }} }} }}
    fulfillments(first: {PARTS}) {{ id displayStatus createdAt updatedAt deliveredAt
      trackingInfo(first: 1) {{ company number }}
      fulfillmentLineItems(first: {PIECES}) {{
        pageInfo {{ hasNextPage }} nodes {{ quantity lineItem {{ id }} }} }} }}
    returns(first: {PARTS}) {{ pageInfo {{ hasNextPage }} nodes {{ id status createdAt }} }}
    risk {{ assessments {{ riskLevel }} }}
  }}
}}
"""

# https://shopify.dev/docs/api/admin-graphql/2026-07/mutations/refundCreate
REFUND_CREATE = f"""
mutation OpsRefund($input: RefundInput!, $key: String!) {{
  refundCreate(input: $input) @idempotent(key: $key) {{
    userErrors {{ field message }}
    refund {{ id order {{ id }} transactions(first: {PARTS}) {{ nodes {{ {_TRANSACTION} }} }} }}
  }}
}}
"""

# https://shopify.dev/docs/api/admin-graphql/2026-07/objects/Refund
REFUNDS = f"""
query OpsRefunds($id: ID!) {{
  order(id: $id) {{
    refunds(first: {PIECES}) {{ id note order {{ id }} transactions(first: {PARTS}) {{
      nodes {{ {_TRANSACTION} }} }} }}
  }}
}}
"""

# https://shopify.dev/docs/api/admin-graphql/2026-07/mutations/tagsAdd
TAGS_ADD = """
mutation OpsTags($id: ID!, $tags: [String!]!) {
  tagsAdd(id: $id, tags: $tags) { node { id } userErrors { field message } }
}
"""
