"""Which answer of the terminal belongs to which question."""
