"""The state of a running core as plain data, and back."""
