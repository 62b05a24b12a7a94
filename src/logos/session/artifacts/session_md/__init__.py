"""session.md: a session for people who read it and for those who audit it."""
