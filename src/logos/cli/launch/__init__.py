"""`logos launch`: from a file to a session that runs, in four phases that are all on record."""
