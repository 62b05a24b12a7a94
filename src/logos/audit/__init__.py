"""Judges of a session's files; they share no code with what wrote them."""
