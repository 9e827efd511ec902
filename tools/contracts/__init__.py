"""What of ours breaks against a vendor's published contract, of whatever version."""
