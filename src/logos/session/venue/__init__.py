"""A live session and its venue: what is asked before it starts, and its side that faces it."""
