"""What suppliers say they have."""
