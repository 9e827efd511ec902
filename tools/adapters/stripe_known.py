"""The fields of Stripe's objects in version 2026-10-28.endive: any other that arrives is a new one.

Written by `python -m tests.contracts.derive` from the PyPI package stripe 16.1.0 (MIT licence, see NOTICE): don't edit.
An inner object is named by its path: `charge.payment_method_details.card`.
"""

from __future__ import annotations

VERSION = "2026-10-28.endive"
FIELDS: dict[str, frozenset[str]] = {
    "charge": frozenset(
        """
        amount amount_captured amount_refunded application application_fee application_fee_amount
        authorization_code balance_transaction billing_details calculated_statement_descriptor captured
        created currency customer description disputed failure_balance_transaction failure_code
        failure_message fraud_details id level3 livemode metadata object on_behalf_of outcome paid
        payment_intent payment_method payment_method_details presentment_details radar_options
        receipt_email receipt_number receipt_url refunded refunds review shipping source source_transfer
        statement_descriptor statement_descriptor_suffix status transfer transfer_data transfer_group
        """.split()
    ),
    "charge.billing_details": frozenset(
        """
        address email name phone tax_id
        """.split()
    ),
    "charge.fraud_details": frozenset(
        """
        stripe_report user_report
        """.split()
    ),
    "charge.outcome": frozenset(
        """
        advice_code network_advice_code network_decline_code network_status reason risk_level risk_score
        rule seller_message type
        """.split()
    ),
    "charge.payment_method_details": frozenset(
        """
        ach_credit_transfer ach_debit acss_debit affirm afterpay_clearpay alipay alma amazon_pay
        au_becs_debit bacs_debit bancontact billie bizum blik boleto card card_present cashapp crypto
        customer_balance eps fpx giropay grabpay ideal interac_present kakao_pay klarna konbini kr_card
        link mb_way mobilepay multibanco naver_pay nz_bank_account oxxo p24 pay_by_bank payco paynow paypal
        paypay payto pix promptpay revolut_pay samsung_pay satispay scalapay sepa_credit_transfer
        sepa_debit sequra sofort stripe_account sunbit swish twint type upi us_bank_account wechat
        wechat_pay zip
        """.split()
    ),
    "charge.payment_method_details.card": frozenset(
        """
        amount_authorized authorization_code brand capture_before checks country description
        electronic_commerce_indicator exp_month exp_year extended_authorization fingerprint funding iin
        incremental_authorization installments issuer last4 mandate moto multicapture network network_token
        network_transaction_id overcapture regulated_status setup_credential_usage stored_credential_usage
        three_d_secure transaction_link_id wallet
        """.split()
    ),
    "charge.payment_method_details.card.checks": frozenset(
        """
        address_line1_check address_postal_code_check cvc_check
        """.split()
    ),
    "credit_note": frozenset(
        """
        amount amount_shipping created currency customer customer_account customer_balance_transaction
        discount_amount discount_amounts effective_at id invoice lines livemode memo metadata number object
        out_of_band_amount pdf post_payment_amount pre_payment_amount pretax_credit_amounts reason refunds
        shipping_cost status subtotal subtotal_excluding_tax total total_excluding_tax total_taxes type
        voided_at
        """.split()
    ),
    "credit_note.refunds": frozenset(
        """
        amount_refunded payment_record_refund refund type
        """.split()
    ),
    "credit_note.shipping_cost": frozenset(
        """
        amount_subtotal amount_tax amount_total shipping_rate taxes
        """.split()
    ),
    "credit_note.total_taxes": frozenset(
        """
        amount tax_behavior tax_rate_details taxability_reason taxable_amount type
        """.split()
    ),
    "credit_note_line_item": frozenset(
        """
        amount description discount_amount discount_amounts id invoice_line_item livemode metadata object
        pretax_credit_amounts quantity tax_rates taxes type unit_amount unit_amount_decimal
        """.split()
    ),
    "dispute": frozenset(
        """
        amount balance_transactions charge created currency enhanced_eligibility_types evidence
        evidence_details id intended_submission_method is_charge_refundable livemode metadata
        network_reason_code object payment_intent payment_method_details reason status
        """.split()
    ),
    "dispute.evidence": frozenset(
        """
        access_activity_log appeal billing_address cancellation_policy cancellation_policy_disclosure
        cancellation_rebuttal customer_communication customer_email_address customer_name
        customer_purchase_ip customer_signature duplicate_charge_documentation duplicate_charge_explanation
        duplicate_charge_id enhanced_evidence product_description receipt refund_policy
        refund_policy_disclosure refund_refusal_explanation service_date service_documentation
        shipping_address shipping_carrier shipping_date shipping_documentation shipping_tracking_number
        uncategorized_file uncategorized_text
        """.split()
    ),
    "dispute.evidence_details": frozenset(
        """
        due_by enhanced_eligibility has_evidence past_due submission_count submission_method
        """.split()
    ),
    "dispute.evidence_details.enhanced_eligibility": frozenset(
        """
        mastercard_compliance visa_compelling_evidence_3 visa_compliance
        """.split()
    ),
    "dispute.payment_method_details": frozenset(
        """
        amazon_pay card klarna paypal type
        """.split()
    ),
    "dispute.payment_method_details.card": frozenset(
        """
        brand case_type network network_reason_code
        """.split()
    ),
    "event": frozenset(
        """
        account api_version context created data id livemode object pending_webhooks request type
        """.split()
    ),
    "event.data": frozenset(
        """
        object previous_attributes
        """.split()
    ),
    "event.request": frozenset(
        """
        id idempotency_key
        """.split()
    ),
    "invoice": frozenset(
        """
        account_country account_name account_tax_ids amount_due amount_overpaid amount_paid
        amount_paid_off_stripe amount_remaining amount_shipping application attempt_count attempted
        auto_advance automatic_tax automatically_finalizes_at billing_reason collection_method
        confirmation_secret created currency custom_fields customer customer_account customer_address
        customer_email customer_name customer_phone customer_shipping customer_tax_exempt customer_tax_ids
        default_payment_method default_source default_tax_rates deleted description discounts due_date
        effective_at ending_balance footer from_invoice hosted_invoice_url id invoice_pdf issuer
        last_finalization_error latest_revision lines livemode metadata next_payment_attempt number object
        on_behalf_of parent payment_settings payments period_end period_start
        post_payment_credit_notes_amount pre_payment_credit_notes_amount receipt_number rendering
        shipping_cost shipping_details starting_balance statement_descriptor status status_details
        status_transitions subtotal subtotal_excluding_tax test_clock threshold_reason total
        total_discount_amounts total_excluding_tax total_pretax_credit_amounts total_taxes
        webhooks_delivered_at
        """.split()
    ),
    "invoice.status_transitions": frozenset(
        """
        finalized_at marked_uncollectible_at paid_at voided_at
        """.split()
    ),
    "list": frozenset(
        """
        data has_more object url
        """.split()
    ),
    "payment_intent": frozenset(
        """
        allowed_payment_method_types amount amount_capturable amount_details amount_received application
        application_fee_amount automatic_payment_methods canceled_at cancellation_reason capture_method
        client_secret confirmation_method created currency customer customer_account description
        excluded_payment_method_types hooks id last_payment_error latest_charge livemode managed_payments
        metadata next_action object on_behalf_of payment_details payment_method
        payment_method_configuration_details payment_method_options payment_method_types payment_record
        presentment_details processing receipt_email review setup_future_usage shipping source
        statement_descriptor statement_descriptor_suffix status transfer_data transfer_group
        """.split()
    ),
    "payment_intent.amount_details": frozenset(
        """
        discount_amount error line_items shipping tax tip
        """.split()
    ),
    "payment_intent.last_payment_error": frozenset(
        """
        advice_code charge code decline_code doc_url message network_advice_code network_decline_code param
        payment_intent payment_method payment_method_type request_log_url setup_intent source type
        """.split()
    ),
    "radar.early_fraud_warning": frozenset(
        """
        actionable charge created fraud_type id livemode object payment_intent
        """.split()
    ),
    "refund": frozenset(
        """
        amount balance_transaction charge created currency customer customer_account description
        destination_details failure_balance_transaction failure_reason id instructions_email metadata
        next_action object payment_intent payment_method pending_reason presentment_details reason
        receipt_number source_transfer_reversal status transfer_reversal
        """.split()
    ),
    "refund.destination_details": frozenset(
        """
        affirm afterpay_clearpay alipay alma amazon_pay au_bank_transfer blik br_bank_transfer card cashapp
        crypto customer_cash_balance eps eu_bank_transfer gb_bank_transfer giropay grabpay jp_bank_transfer
        klarna mb_way multibanco mx_bank_transfer nz_bank_transfer p24 paynow paypal pix revolut scalapay
        sofort swish th_bank_transfer twint type us_bank_transfer wechat_pay zip
        """.split()
    ),
    "refund.destination_details.card": frozenset(
        """
        reference reference_status reference_type type
        """.split()
    ),
    "refund.next_action": frozenset(
        """
        display_details type
        """.split()
    ),
}
