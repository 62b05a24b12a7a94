"""A new paper session goes on with what one that ended holds: read, handed over, put in place."""
