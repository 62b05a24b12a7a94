"""What a user's own tests import: a core from keywords, a clock, a venue in memory."""
