"""Times of market files: numbers since 1970, clocks of a zone, and how long a bar is."""
