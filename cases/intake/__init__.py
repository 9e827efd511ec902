"""From raw bytes to rows, in one transaction: event, order graph, case, message, flags, hand-off, audit, wake-up."""
