"""Orders at a hedging account: what is held stands under tickets, and is closed by naming them."""
