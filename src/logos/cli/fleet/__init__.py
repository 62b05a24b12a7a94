"""`logos fleet`: many symbols over many sessions and machines."""
