"""What is feared of an order or a customer, who finds it, and how a person hears of it."""
