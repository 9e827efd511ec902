"""What a refund is made of, and who pays it."""
