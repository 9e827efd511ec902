"""A credit note: what a refund gave back, as a document of the seller that is numbered, kept and never changed.

    refund's body ──composing──▶ lines and totals ──issuing──▶ CreditNote, the entity's next number
    CreditNote ──sheet──▶ its words in the customer's language ──▶ HTML page or pdf

`composing` is pure. Money is minor units of the order's currency throughout.
"""
