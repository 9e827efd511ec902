"""Parcels, returns, disputes, stock, inputs and enums, field for field as Shopify publishes them.

https://shopify.dev/docs/api/admin-graphql/2026-07
"""

PARTS = """type Fulfillment implements Node {
  id: ID!
  legacyResourceId: UnsignedInt64!
  name: String!
  status: FulfillmentStatus!
  displayStatus: FulfillmentDisplayStatus
  createdAt: DateTime!
  updatedAt: DateTime!
  inTransitAt: DateTime
  deliveredAt: DateTime
  estimatedDeliveryAt: DateTime
  totalQuantity: Int!
  requiresShipping: Boolean!
  trackingInfo(first: Int): [FulfillmentTrackingInfo!]!
    fulfillmentLineItems(first: Int, after: String, last: Int, before: String, reverse: Boolean):
    FulfillmentLineItemConnection!
}
type FulfillmentOrder implements Node {
  id: ID! status: FulfillmentOrderStatus! assignedLocation: FulfillmentOrderAssignedLocation! }
type FulfillmentOrderAssignedLocation { name: String! countryCode: CountryCode! location: Location }
type FulfillmentOrderConnection { edges: [FulfillmentOrderEdge!]! nodes: [FulfillmentOrder!]! pageInfo: PageInfo! }
type FulfillmentOrderEdge { cursor: String! node: FulfillmentOrder! }
type FulfillmentTrackingInfo { company: String number: String url: URL }
type FulfillmentLineItem implements Node { id: ID! lineItem: LineItem! quantity: Int }
type FulfillmentLineItemConnection {
  edges: [FulfillmentLineItemEdge!]! nodes: [FulfillmentLineItem!]! pageInfo: PageInfo! }
type FulfillmentLineItemEdge { cursor: String! node: FulfillmentLineItem! }

type Return implements Node {
  id: ID! name: String! status: ReturnStatus! createdAt: DateTime! closedAt: DateTime totalQuantity: Int!
    returnLineItems(first: Int, after: String, last: Int, before: String, reverse: Boolean):
    ReturnLineItemTypeConnection! }
interface ReturnLineItemType implements Node {
  id: ID! quantity: Int! processedQuantity: Int! processableQuantity: Int! unprocessedQuantity: Int!
  refundableQuantity: Int! refundedQuantity: Int! customerNote: String
  returnReason: ReturnReason!
    @deprecated(reason: "Use `returnReasonDefinition` instead. This field will be removed in the future.")
  returnReasonNote: String! }
type ReturnLineItem implements Node & ReturnLineItemType {
  id: ID! quantity: Int! processedQuantity: Int! processableQuantity: Int! unprocessedQuantity: Int!
  refundableQuantity: Int! refundedQuantity: Int! customerNote: String
  returnReason: ReturnReason!
    @deprecated(reason: "Use `returnReasonDefinition` instead. This field will be removed in the future.")
  returnReasonNote: String! fulfillmentLineItem: FulfillmentLineItem! }
type ReturnLineItemTypeConnection {
  edges: [ReturnLineItemTypeEdge!]! nodes: [ReturnLineItemType!]! pageInfo: PageInfo! }
type ReturnLineItemTypeEdge { cursor: String! node: ReturnLineItemType! }
type ReturnConnection { edges: [ReturnEdge!]! nodes: [Return!]! pageInfo: PageInfo! }
type ReturnEdge { cursor: String! node: Return! }

type OrderRiskSummary { assessments: [OrderRiskAssessment!]! recommendation: OrderRiskRecommendationResult! }
type OrderRiskAssessment { riskLevel: RiskAssessmentResult! facts: [RiskFact!]! provider: App }
type RiskFact { description: String! sentiment: RiskFactSentiment! }
type ShopifyPaymentsDispute implements Node {
  id: ID! legacyResourceId: UnsignedInt64! amount: MoneyV2! initiatedAt: DateTime!
  evidenceDueBy: %(dispute_day)s evidenceSentOn: %(dispute_day)s finalizedOn: %(dispute_day)s
  reasonDetails: ShopifyPaymentsDisputeReasonDetails! status: DisputeStatus! type: DisputeType! order: Order }
type ShopifyPaymentsDisputeReasonDetails { networkReasonCode: String reason: ShopifyPaymentsDisputeReason! }
type OrderDisputeSummary implements Node { id: ID! initiatedAs: DisputeType! status: DisputeStatus! }

type ProductVariant implements Node {
  id: ID! legacyResourceId: UnsignedInt64! sku: String title: String! displayName: String! price: Money!
  inventoryQuantity: Int inventoryItem: InventoryItem! }
type ProductVariantConnection { edges: [ProductVariantEdge!]! nodes: [ProductVariant!]! pageInfo: PageInfo! }
type ProductVariantEdge { cursor: String! node: ProductVariant! }
type InventoryItem implements Node {
  id: ID! legacyResourceId: UnsignedInt64! sku: String tracked: Boolean! requiresShipping: Boolean!
  inventoryLevel(locationId: ID!%(inactive)s): InventoryLevel
    inventoryLevels(first: Int, after: String, last: Int, before: String, reverse: Boolean, query:
    String%(inactive)s): InventoryLevelConnection! }
type InventoryLevelConnection { edges: [InventoryLevelEdge!]! nodes: [InventoryLevel!]! pageInfo: PageInfo! }
type InventoryLevelEdge { cursor: String! node: InventoryLevel! }
type InventoryLevel implements Node {
  id: ID!%(is_active)s location: Location! quantities(names: [String!]!): [InventoryQuantity!]! }
type Location implements Node { id: ID! name: String! isActive: Boolean! }
type InventoryQuantity implements Node { id: ID! name: String! quantity: Int! }

"""

INPUTS = """input RefundInput {
  orderId: ID!
  currency: CurrencyCode
  note: String
  notify: Boolean
  refundDuties: [RefundDutyInput!]
  refundLineItems: [RefundLineItemInput!]
  shipping: ShippingRefundInput
  transactions: [OrderTransactionInput!]
}
input RefundLineItemInput { lineItemId: ID! quantity: Int! restockType: RefundLineItemRestockType
    locationId: ID }
input RefundDutyInput { dutyId: ID! refundType: RefundDutyRefundType }
input OrderCancelRefundMethodInput { originalPaymentMethodsRefund: Boolean }
input OrderInput { id: ID! note: String tags: [String!] email: String phone: String poNumber: String }
input ShippingRefundInput { amount: Money fullRefund: Boolean }
input OrderTransactionInput { orderId: ID! parentId: ID amount: Money! gateway: String! kind:
    OrderTransactionKind! }
type RefundCreatePayload { order: Order refund: Refund userErrors: [UserError!]! }
type OrderUpdatePayload { order: Order userErrors: [UserError!]! }
type OrderCancelPayload {
  job: Job orderCancelUserErrors: [OrderCancelUserError!]!
  userErrors: [UserError!]! @deprecated(reason: "Use `orderCancelUserErrors` instead.") }
type OrderCancelUserError { code: OrderCancelUserErrorCode field: [String!] message: String! }
type TagsRemovePayload { node: Node userErrors: [UserError!]! }
type TagsAddPayload { node: Node userErrors: [UserError!]! }

enum OrderDisplayFinancialStatus {
  AUTHORIZED EXPIRED PAID PARTIALLY_PAID PARTIALLY_REFUNDED PENDING REFUNDED VOIDED }
enum OrderDisplayFulfillmentStatus {
  FULFILLED IN_PROGRESS ON_HOLD OPEN PARTIALLY_FULFILLED PENDING_FULFILLMENT REQUEST_DECLINED RESTOCKED
  SCHEDULED UNFULFILLED }
enum OrderReturnStatus { INSPECTION_COMPLETE IN_PROGRESS NO_RETURN RETURNED RETURN_FAILED RETURN_REQUESTED }
enum OrderTransactionKind {
  AUTHORIZATION CAPTURE CHANGE EMV_AUTHORIZATION REFUND SALE SUGGESTED_REFUND VOID }
enum OrderTransactionStatus { AWAITING_RESPONSE ERROR FAILURE PENDING SUCCESS UNKNOWN }
enum SuggestedOrderTransactionKind { SUGGESTED_REFUND }
enum RefundLineItemRestockType { CANCEL LEGACY_RESTOCK NO_RESTOCK RETURN }
enum FulfillmentStatus { CANCELLED ERROR FAILURE OPEN PENDING SUCCESS }
enum FulfillmentDisplayStatus {
  ATTEMPTED_DELIVERY CANCELED CARRIER_PICKED_UP CONFIRMED DELAYED DELIVERED FAILURE FULFILLED IN_TRANSIT
  LABEL_PRINTED LABEL_PURCHASED LABEL_VOIDED MARKED_AS_FULFILLED NOT_DELIVERED OUT_FOR_DELIVERY PICKED_UP
  READY_FOR_PICKUP SUBMITTED }
enum FulfillmentOrderStatus { CANCELLED CLOSED INCOMPLETE IN_PROGRESS ON_HOLD OPEN SCHEDULED }
enum ReturnStatus { CANCELED CLOSED DECLINED OPEN REQUESTED }
enum RiskAssessmentResult { HIGH LOW MEDIUM NONE PENDING }
enum OrderRiskRecommendationResult { ACCEPT CANCEL INVESTIGATE NONE }
enum DisputeType { CHARGEBACK INQUIRY }
enum DisputeStatus { ACCEPTED CHARGE_REFUNDED LOST NEEDS_RESPONSE %(prevented)s UNDER_REVIEW WON }
enum OrderSortKeys {
  CREATED_AT CURRENT_TOTAL_PRICE CUSTOMER_NAME DESTINATION FINANCIAL_STATUS FULFILLMENT_STATUS ID
  ORDER_NUMBER PO_NUMBER PROCESSED_AT RELEVANCE TOTAL_ITEMS_QUANTITY TOTAL_PRICE UPDATED_AT }
enum OrderCancelReason {
  CUSTOMER DECLINED FRAUD INVENTORY OTHER STAFF }
enum OrderCancelUserErrorCode {
  INTERNAL_ERROR INVALID NOT_FOUND NO_REFUND_PERMISSION NO_REFUND_TO_STORE_CREDIT_PERMISSION
  STORE_CREDIT_REFUND_B2B_NOT_SUPPORTED STORE_CREDIT_REFUND_EXPIRATION_IN_PAST
  STORE_CREDIT_REFUND_MISSING_CUSTOMER }
enum CustomerState {
  DECLINED DISABLED ENABLED INVITED }
enum OrderTransactionErrorCode {
  AMAZON_PAYMENTS_INVALID_PAYMENT_METHOD AMAZON_PAYMENTS_MAX_AMOUNT_CHARGED
  AMAZON_PAYMENTS_MAX_AMOUNT_REFUNDED AMAZON_PAYMENTS_MAX_AUTHORIZATIONS_CAPTURED
  AMAZON_PAYMENTS_MAX_REFUNDS_PROCESSED AMAZON_PAYMENTS_ORDER_REFERENCE_CANCELED AMAZON_PAYMENTS_STALE
  CALL_ISSUER CARD_DECLINED CONFIG_ERROR EXPIRED_CARD GENERIC_ERROR INCORRECT_ADDRESS INCORRECT_CVC
  INCORRECT_NUMBER INCORRECT_PIN INCORRECT_ZIP INVALID_AMOUNT INVALID_COUNTRY INVALID_CVC
  INVALID_EXPIRY_DATE INVALID_NUMBER PAYMENT_METHOD_UNAVAILABLE PICK_UP_CARD PROCESSING_ERROR
  TEST_MODE_LIVE_CARD UNSUPPORTED_FEATURE %(new_errors)s }
enum OrderAdjustmentDiscrepancyReason {
  CUSTOMER DAMAGE FULL_RETURN_BALANCING_ADJUSTMENT PENDING_REFUND_DISCREPANCY REFUND_DISCREPANCY RESTOCK }
enum ReturnReason {
  COLOR DEFECTIVE NOT_AS_DESCRIBED OTHER SIZE_TOO_LARGE SIZE_TOO_SMALL STYLE UNKNOWN UNWANTED WRONG_ITEM }
enum RiskFactSentiment {
  NEGATIVE NEUTRAL POSITIVE }
enum ShopifyPaymentsDisputeReason {
  BANK_CANNOT_PROCESS CREDIT_NOT_PROCESSED CUSTOMER_INITIATED DEBIT_NOT_AUTHORIZED DUPLICATE FRAUDULENT
  GENERAL INCORRECT_ACCOUNT_DETAILS INSUFFICIENT_FUNDS NONCOMPLIANT PRODUCT_NOT_RECEIVED
  PRODUCT_UNACCEPTABLE SUBSCRIPTION_CANCELLED UNRECOGNIZED }
enum RefundDutyRefundType {
  FULL PROPORTIONAL }
"""
