"""Commands that show what a session came to."""
