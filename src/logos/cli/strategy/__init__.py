"""`logos strategy` and `logos new`: strategies of the user's own and the bundled ones."""
