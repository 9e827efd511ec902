"""What a refund is made of: pieces with their taxes and duties, shipping once, and the tenders that pay it.

    wish ──composition──▶ lines, shipping ──tenders──▶ who pays how much ──steps──▶ one call per tender, in order

`shares` and `tenders` are pure. Money is minor units of the order's currency throughout.
"""
