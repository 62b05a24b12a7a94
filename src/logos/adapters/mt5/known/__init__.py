"""What is known of orders and deals at a terminal, to be looked up and never scanned."""
