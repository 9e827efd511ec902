"""Roots, orders, customers, payments and refunds, field for field as Shopify publishes them.

https://shopify.dev/docs/api/admin-graphql/2026-07
"""

ORDERS = """
%(idempotent)s
scalar Date
scalar FormattedString
scalar DateTime
scalar Decimal
scalar Money
scalar URL
scalar UnsignedInt64
scalar JSON
scalar CurrencyCode
scalar CountryCode

schema { query: QueryRoot mutation: Mutation }

type QueryRoot {
  shop: Shop!
  order(id: ID!): Order
    orders(first: Int, after: String, last: Int, before: String, reverse: Boolean, query: String, sortKey:
    OrderSortKeys): OrderConnection!
  dispute(id: ID!): ShopifyPaymentsDispute
  job(id: ID!): Job
  inventoryItem(id: ID!): InventoryItem
  publicApiVersions: [ApiVersion!]!
  location(id: ID): Location
  customer(id: ID!): Customer
  refund(id: ID!): Refund
  productVariant(id: ID!): ProductVariant
    productVariants(first: Int, after: String, last: Int, before: String, reverse: Boolean, query: String):
    ProductVariantConnection!
}

type Mutation {
  refundCreate(input: RefundInput!): RefundCreatePayload
  tagsAdd(id: ID!, tags: [String!]!): TagsAddPayload
  tagsRemove(id: ID!, tags: [String!]!): TagsRemovePayload
  orderUpdate(input: OrderInput!): OrderUpdatePayload
  orderCancel(
    notifyCustomer: Boolean, orderId: ID!, reason: OrderCancelReason!, refund: Boolean,
    refundMethod: OrderCancelRefundMethodInput, restock: Boolean!, staffNote: String): OrderCancelPayload
}

interface Node { id: ID! }
type Shop implements Node { id: ID! name: String! currencyCode: CurrencyCode! myshopifyDomain: String! }
type UserError { field: [String!] message: String! }
type MoneyV2 { amount: Decimal! currencyCode: CurrencyCode! }
type MoneyBag { presentmentMoney: MoneyV2! shopMoney: MoneyV2! }
type PageInfo { endCursor: String hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String }
type TaxLine { priceSet: MoneyBag! rate: Float ratePercentage: Float title: String! }
type ApiVersion { displayName: String! handle: String! supported: Boolean! }
type Job { id: ID! done: Boolean! query: QueryRoot }
type App implements Node { id: ID! title: String! }

type Order implements Node {
  id: ID!
  legacyResourceId: UnsignedInt64!
  name: String!
  createdAt: DateTime!
  processedAt: DateTime!
  updatedAt: DateTime!
  cancelledAt: DateTime
  cancelReason: OrderCancelReason
  cancellation: OrderCancellation
  closed: Boolean!
  closedAt: DateTime
  confirmed: Boolean!
  email: String
  phone: String
  customerLocale: String
  note: String
  tags: [String!]!
  test: Boolean!
  taxesIncluded: Boolean!
  dutiesIncluded: Boolean!
  currencyCode: CurrencyCode!
  presentmentCurrencyCode: CurrencyCode!
  displayFinancialStatus: OrderDisplayFinancialStatus
  displayFulfillmentStatus: OrderDisplayFulfillmentStatus!
  returnStatus: OrderReturnStatus!
  paymentGatewayNames: [String!]!
  totalPriceSet: MoneyBag!
  subtotalPriceSet: MoneyBag
  totalTaxSet: MoneyBag
  totalDiscountsSet: MoneyBag
  totalShippingPriceSet: MoneyBag!
  totalReceivedSet: MoneyBag!
  totalRefundedSet: MoneyBag!
  totalRefundedShippingSet: MoneyBag!
  totalOutstandingSet: MoneyBag!
  currentTotalPriceSet: MoneyBag!
  currentTotalDutiesSet: MoneyBag
  originalTotalDutiesSet: MoneyBag
  netPaymentSet: MoneyBag!
  refundable: Boolean!
  fullyPaid: Boolean!
  customer: Customer
  shippingAddress: MailingAddress
  billingAddress: MailingAddress
  taxLines: [TaxLine!]!
  shippingLine: ShippingLine
    shippingLines(first: Int, after: String, last: Int, before: String, reverse: Boolean, includeRemovals:
    Boolean): ShippingLineConnection!
  lineItems(first: Int, after: String, last: Int, before: String, reverse: Boolean): LineItemConnection!
  transactions(first: Int): [OrderTransaction!]!
  refunds(first: Int): [Refund!]!
  fulfillments(first: Int): [Fulfillment!]!
  fulfillmentOrders(
    first: Int, after: String, last: Int, before: String, reverse: Boolean, displayable: Boolean, query: String
  ): FulfillmentOrderConnection!
  returns(first: Int, after: String, last: Int, before: String, reverse: Boolean): ReturnConnection!
  risk: OrderRiskSummary!
  disputes: [OrderDisputeSummary!]!
  suggestedRefund(
    refundDuties: [RefundDutyInput!], refundLineItems: [RefundLineItemInput!], refundShipping: Boolean,
    shippingAmount: Money, suggestFullRefund: Boolean): SuggestedRefund
}
type OrderCancellation { staffNote: String }
type ShippingLine {
  id: ID title: String! code: String source: String custom: Boolean! isRemoved: Boolean!
  originalPriceSet: MoneyBag! discountedPriceSet: MoneyBag! currentDiscountedPriceSet: MoneyBag!
  discountAllocations: [DiscountAllocation!]! taxLines: [TaxLine!]! }
type ShippingLineConnection { edges: [ShippingLineEdge!]! nodes: [ShippingLine!]! pageInfo: PageInfo! }
type ShippingLineEdge { cursor: String! node: ShippingLine! }
type OrderConnection { edges: [OrderEdge!]! nodes: [Order!]! pageInfo: PageInfo! }
type OrderEdge { cursor: String! node: Order! }


type Customer implements Node {
  id: ID!
  legacyResourceId: UnsignedInt64!
  createdAt: DateTime!
  updatedAt: DateTime!
  displayName: String!
  email: String @deprecated(reason: "Use `defaultEmailAddress.emailAddress` instead.")
  phone: String @deprecated(reason: "Use `defaultPhoneNumber.phoneNumber` instead.")
  note: String
  tags: [String!]!
  state: CustomerState!
  verifiedEmail: Boolean!
  firstName: String
  lastName: String
  locale: String!
  numberOfOrders: UnsignedInt64!
  amountSpent: MoneyV2!
  defaultEmailAddress: CustomerEmailAddress
  defaultPhoneNumber: CustomerPhoneNumber
  orders(first: Int, after: String, last: Int, before: String, reverse: Boolean): OrderConnection!
}
type CustomerEmailAddress { emailAddress: String! validFormat: Boolean! }
type CustomerPhoneNumber { phoneNumber: String! }
type MailingAddress implements Node {
  id: ID! name: String company: String address1: String address2: String city: String province: String
  provinceCode: String zip: String countryCodeV2: CountryCode }

type LineItem implements Node {
  id: ID!
  sku: String
  title: String!
  name: String!
  variantTitle: String
  vendor: String
  requiresShipping: Boolean!
  restockable: Boolean!
  isGiftCard: Boolean!
  taxable: Boolean!
  quantity: Int!
  currentQuantity: Int!
  refundableQuantity: Int!
  unfulfilledQuantity: Int!
  originalUnitPriceSet: MoneyBag!
  discountedUnitPriceSet: MoneyBag!
  originalTotalSet: MoneyBag!
  discountedTotalSet: MoneyBag!
  duties: [Duty!]!
  totalDiscountSet: MoneyBag!
  discountAllocations: [DiscountAllocation!]!
  taxLines(first: Int): [TaxLine!]!
  variant: ProductVariant
}
type Duty implements Node {
    id: ID! price: MoneyBag! harmonizedSystemCode: String countryCodeOfOrigin: CountryCode taxLines:
    [TaxLine!]! }
type RefundDuty { amountSet: MoneyBag! originalDuty: Duty }
type DiscountAllocation { allocatedAmountSet: MoneyBag! }
type LineItemConnection { edges: [LineItemEdge!]! nodes: [LineItem!]! pageInfo: PageInfo! }
type LineItemEdge { cursor: String! node: LineItem! }

type OrderTransaction implements Node {
  id: ID!
  kind: OrderTransactionKind!
  status: OrderTransactionStatus!
  gateway: String
  formattedGateway: String
  errorCode: OrderTransactionErrorCode
  amountSet: MoneyBag!
  createdAt: DateTime!
  processedAt: DateTime
  paymentId: String
  receiptJson: JSON
  test: Boolean!
  manualPaymentGateway: Boolean!
  maximumRefundableV2: MoneyV2
  paymentDetails: PaymentDetails
  parentTransaction: OrderTransaction
}
union PaymentDetails = CardPaymentDetails
type CardPaymentDetails { company: String number: String }
type OrderTransactionConnection { edges: [OrderTransactionEdge!]! nodes: [OrderTransaction!]! pageInfo:
    PageInfo! }
type OrderTransactionEdge { cursor: String! node: OrderTransaction! }

type Refund implements Node {
  id: ID!
  legacyResourceId: UnsignedInt64!
  createdAt: DateTime
  processedAt: DateTime!
  updatedAt: DateTime!
  note: String
  order: Order!
  duties: [RefundDuty!]
  totalRefundedSet: MoneyBag!
    orderAdjustments(first: Int, after: String, last: Int, before: String, reverse: Boolean):
    OrderAdjustmentConnection!
    refundLineItems(first: Int, after: String, last: Int, before: String, reverse: Boolean):
    RefundLineItemConnection!
    refundShippingLines(first: Int, after: String, last: Int, before: String, reverse: Boolean):
    RefundShippingLineConnection!
    transactions(first: Int, after: String, last: Int, before: String, reverse: Boolean):
    OrderTransactionConnection!
}
type OrderAdjustment implements Node {
  id: ID! amountSet: MoneyBag! taxAmountSet: MoneyBag! reason: OrderAdjustmentDiscrepancyReason }
type OrderAdjustmentConnection { edges: [OrderAdjustmentEdge!]! nodes: [OrderAdjustment!]! pageInfo:
    PageInfo! }
type OrderAdjustmentEdge { cursor: String! node: OrderAdjustment! }
type RefundLineItem {
  id: ID location: Location
  lineItem: LineItem! quantity: Int! restockType: RefundLineItemRestockType! restocked: Boolean!
  priceSet: MoneyBag! subtotalSet: MoneyBag! totalTaxSet: MoneyBag!
}
type RefundLineItemConnection { edges: [RefundLineItemEdge!]! nodes: [RefundLineItem!]! pageInfo: PageInfo! }
type RefundLineItemEdge { cursor: String! node: RefundLineItem! }
type RefundShippingLine implements Node { id: ID! shippingLine: ShippingLine! subtotalAmountSet: MoneyBag!
    taxAmountSet: MoneyBag! }
type RefundShippingLineConnection {
  edges: [RefundShippingLineEdge!]! nodes: [RefundShippingLine!]! pageInfo: PageInfo! }
type RefundShippingLineEdge { cursor: String! node: RefundShippingLine! }

type SuggestedRefund {
  amountSet: MoneyBag!
  subtotalSet: MoneyBag!
  discountedSubtotalSet: MoneyBag!
  totalTaxSet: MoneyBag!
  maximumRefundableSet: MoneyBag!
  shipping: ShippingRefund!
  totalDutiesSet: MoneyBag!
  refundDuties: [RefundDuty!]!
  refundLineItems: [RefundLineItem!]!
  suggestedTransactions: [SuggestedOrderTransaction!]!
}
type ShippingRefund { amountSet: MoneyBag! maximumRefundableSet: MoneyBag! taxSet: MoneyBag! }
type SuggestedOrderTransaction {
  amountSet: MoneyBag! gateway: String kind: SuggestedOrderTransactionKind!
  maximumRefundableSet: MoneyBag parentTransaction: OrderTransaction
}

"""
